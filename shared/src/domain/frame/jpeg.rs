//! JPEG frames: the marker segments are walked here, the pixels come from `zune-jpeg`.
//!
//! `zune-jpeg` fills what is missing with grey unless it is strict, and needs the whole header decoded to know a size;
//! the walk below is cheap, finds the EXIF block, and knows whether the picture's own end marker is there.

use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::{FrameError, FrameFormat, Header, MAX_SIDE, Orientation, PlaneWriter, corrupt, planes::Layout};

const SOI: usize = 2;
const APP1: u8 = 0xE1;
const SOS: u8 = 0xDA;
const EOI: u8 = 0xD9;

pub(super) fn header(bytes: &[u8]) -> Result<Header, FrameError> {
    let mut orientation = Orientation::UPRIGHT;
    let mut at = SOI;
    loop {
        let (marker, segment, next) = segment(bytes, at)?;
        match marker {
            APP1 => {
                if let Some(tiff) = segment.strip_prefix(b"Exif\0\0") {
                    orientation = Orientation::from_tiff(tiff).unwrap_or(orientation);
                }
            }
            // Every start of frame but DHT (C4), JPG (C8) and DAC (CC).
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                let &[_, h1, h0, w1, w0, ..] = segment else { return Err(FrameError::Truncated) };
                let (width, height) =
                    (u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0])));
                return Ok(Header { format: FrameFormat::Jpeg, width, height, orientation });
            }
            SOS | EOI => return Err(FrameError::Corrupt("it has no frame header".to_owned())),
            _ => {}
        }
        at = next;
    }
}

pub(super) fn decode(bytes: &[u8], planes: &mut PlaneWriter) -> Result<(), FrameError> {
    require_end(bytes)?;
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(MAX_SIDE as usize)
        .set_max_height(MAX_SIDE as usize);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(corrupt)?;
    let (space, layout) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (ColorSpace::Luma, Layout::Grey),
        Some(ColorSpace::YCbCr) => (ColorSpace::YCbCr, Layout::YCbCr),
        _ => (ColorSpace::RGB, Layout::Rgb),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let pixels = decoder.decode().map_err(corrupt)?;
    planes.put(0, &pixels, layout);
    Ok(())
}

/// The marker at `at`, its payload, and where the next one stands.
fn segment(bytes: &[u8], at: usize) -> Result<(u8, &[u8], usize), FrameError> {
    let mut at = at;
    let marker = loop {
        match bytes.get(at..at + 2) {
            Some(&[0xFF, 0xFF]) => at += 1,
            Some(&[0xFF, marker]) => break marker,
            Some(_) => return Err(FrameError::Corrupt("a marker is missing".to_owned())),
            None => return Err(FrameError::Truncated),
        }
    };
    at += 2;
    if marker == EOI || matches!(marker, 0x01 | 0xD0..=0xD8) {
        return Ok((marker, &[], at));
    }
    let Some(&[high, low]) = bytes.get(at..at + 2) else { return Err(FrameError::Truncated) };
    let end = at + usize::from(u16::from_be_bytes([high, low])).max(2);
    let payload = bytes.get(at + 2..end).ok_or(FrameError::Truncated)?;
    Ok((marker, payload, end))
}

/// Looks for the end marker of the picture itself, not that of a thumbnail inside its EXIF block.
fn require_end(bytes: &[u8]) -> Result<(), FrameError> {
    let mut at = SOI;
    loop {
        let (marker, _, next) = segment(bytes, at)?;
        at = next;
        match marker {
            EOI => return Ok(()),
            SOS => at = end_of_scan(bytes, at).ok_or(FrameError::Truncated)?,
            _ => {}
        }
    }
}

/// The first marker after entropy-coded data that is neither a stuffed zero nor a restart.
fn end_of_scan(bytes: &[u8], start: usize) -> Option<usize> {
    let scan = bytes.get(start..)?;
    scan.windows(2)
        .position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xFF | 0xD0..=0xD7))
        .map(|offset| start + offset)
}
