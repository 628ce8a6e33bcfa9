use super::*;

/// A picture of 6 × 4 pixels: dark, with a light pixel at the upper left corner and a mid-grey one at the upper right.
const WIDTH: usize = 6;
const HEIGHT: usize = 4;

fn grey() -> Vec<u8> {
    let mut pixels = vec![20; WIDTH * HEIGHT];
    pixels[0] = 240;
    pixels[WIDTH - 1] = 120;
    pixels
}

fn png(color: ::png::ColorType, depth: ::png::BitDepth, pixels: &[u8], exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut info = ::png::Info::with_size(u32::try_from(WIDTH).unwrap(), u32::try_from(HEIGHT).unwrap());
    info.color_type = color;
    info.bit_depth = depth;
    info.exif_metadata = exif.map(Into::into);
    let encoder = ::png::Encoder::with_info(&mut bytes, info).unwrap();
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    bytes
}

fn grey_png(exif: Option<Vec<u8>>) -> Vec<u8> {
    png(::png::ColorType::Grayscale, ::png::BitDepth::Eight, &grey(), exif)
}

/// An EXIF block with nothing in it but the orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
    tiff
}

fn place_of(frame: &DecodedFrame, value: u8) -> (usize, usize) {
    let at = frame.luma.samples.iter().position(|&sample| sample == value).unwrap();
    (at % frame.luma.width, at / frame.luma.width)
}

#[test]
fn every_orientation_is_applied() {
    // Where the stored picture's upper left and upper right corners land.
    let (right, bottom) = (WIDTH - 1, HEIGHT - 1);
    let cases = [
        (1, (0, 0), (right, 0)),
        (2, (right, 0), (0, 0)),
        (3, (right, bottom), (0, bottom)),
        (4, (0, bottom), (right, bottom)),
        (5, (0, 0), (0, right)),
        (6, (bottom, 0), (bottom, right)),
        (7, (bottom, right), (bottom, 0)),
        (8, (0, right), (0, 0)),
    ];
    for (orientation, upper_left, upper_right) in cases {
        let frame = DecodedFrame::decode(&grey_png(Some(exif(orientation)))).unwrap();
        assert_eq!(place_of(&frame, 240), upper_left, "orientation {orientation}");
        assert_eq!(place_of(&frame, 120), upper_right, "orientation {orientation}");
        assert_eq!(frame.info.width as usize, frame.luma.width, "orientation {orientation}");
    }
}

#[test]
fn the_header_alone_tells_the_upright_size() {
    let info = FrameInfo::read(&grey_png(Some(exif(6)))).unwrap();
    assert_eq!(info, FrameInfo { format: FrameFormat::Png, width: 4, height: 6 });
    assert_eq!(info.resolution(), "4x6");
}

#[test]
fn colours_become_luma_and_chroma() {
    let red: Vec<u8> = [254, 0, 0].repeat(WIDTH * HEIGHT);
    let frame = DecodedFrame::decode(&png(::png::ColorType::Rgb, ::png::BitDepth::Eight, &red, None)).unwrap();
    assert_eq!((frame.luma.samples[7], frame.cb.samples[1], frame.cr.samples[1]), (76, 85, 255));
}

#[test]
fn sixteen_bits_and_alpha_are_read() {
    let half_clear: Vec<u8> = [0, 0, 128, 0].repeat(WIDTH * HEIGHT);
    let deep = png(::png::ColorType::GrayscaleAlpha, ::png::BitDepth::Sixteen, &half_clear, None);
    let frame = DecodedFrame::decode(&deep).unwrap();
    assert_eq!(frame.luma.samples[0], 127, "black, half transparent, over white");
}

#[test]
fn what_is_neither_jpeg_nor_png_is_refused() {
    for bytes in [b"GIF89a".as_slice(), b"", b"\xFF\xD8", b"RIFF....WEBP"] {
        assert_eq!(FrameInfo::read(bytes), Err(FrameError::UnsupportedMediaType));
    }
}

#[test]
fn a_png_that_ends_early_is_refused() {
    let bytes = grey_png(None);
    for end in [20, bytes.len() / 2, bytes.len() - 13] {
        assert!(DecodedFrame::decode(&bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn a_jpeg_that_ends_early_is_refused() {
    let header = b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x04\0\x06\x01\x01\x11\0\xFF\xDA\0\x08\x01\x01\0\0\x3F\0\x12\x34";
    assert_eq!(FrameInfo::read(header).unwrap().resolution(), "6x4");
    assert_eq!(DecodedFrame::decode(header).unwrap_err(), FrameError::Truncated);
}

#[test]
fn a_picture_over_the_limits_is_refused_by_its_header() {
    let bomb = b"\xFF\xD8\xFF\xC0\0\x0B\x08\xFF\xFF\xFF\xFF\x01\x01\x11\0";
    assert_eq!(FrameInfo::read(bomb), Err(FrameError::TooManyPixels { width: 65_535, height: 65_535 }));
    assert!(DecodedFrame::decode(bomb).is_err());
}
