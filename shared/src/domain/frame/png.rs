//! PNG frames, row by row.

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Reader, Transformations};

use super::{FrameError, FrameFormat, Header, Orientation, PlaneWriter, corrupt, planes::Layout, reader};

type PngReader<'a> = Reader<std::io::Cursor<&'a [u8]>>;

/// Memory that the decoder may take for its own rows and chunks, not for the picture.
const DECODER_BYTES: usize = 8 << 20;

pub(super) fn header(bytes: &[u8]) -> Result<Header, FrameError> {
    let reader = open(bytes)?;
    let info = reader.info();
    let orientation = info.exif_metadata.as_deref().and_then(Orientation::from_tiff).unwrap_or(Orientation::UPRIGHT);
    Ok(Header { format: FrameFormat::Png, width: info.width, height: info.height, orientation })
}

pub(super) fn decode(bytes: &[u8], planes: &mut PlaneWriter) -> Result<(), FrameError> {
    let mut reader = open(bytes)?;
    let layout = match reader.output_color_type() {
        (ColorType::Grayscale, BitDepth::Eight) => Layout::Grey,
        (ColorType::GrayscaleAlpha, BitDepth::Eight) => Layout::GreyAlpha,
        (ColorType::Rgb, BitDepth::Eight) => Layout::Rgb,
        (ColorType::Rgba, BitDepth::Eight) => Layout::Rgba,
        other => return Err(FrameError::Corrupt(format!("its colour type {other:?} is not read"))),
    };
    if reader.info().interlaced {
        let size = reader.output_buffer_size().ok_or_else(|| corrupt("it is too large"))?;
        let mut pixels = vec![0; size];
        reader.next_frame(&mut pixels).map_err(failure)?;
        planes.put(0, &pixels, layout);
    } else {
        let mut top = 0;
        while let Some(row) = reader.next_row().map_err(failure)? {
            planes.put(top, row.data(), layout);
            top += 1;
        }
    }
    reader.finish().map_err(failure)
}

fn open(bytes: &[u8]) -> Result<PngReader<'_>, FrameError> {
    let mut decoder = Decoder::new_with_limits(reader(bytes), Limits { bytes: DECODER_BYTES });
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.read_info().map_err(failure)
}

fn failure(error: DecodingError) -> FrameError {
    match error {
        DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => FrameError::Truncated,
        error => corrupt(error),
    }
}
