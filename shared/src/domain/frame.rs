//! A camera frame: what it is, and its pixels.
//!
//! Frames come from outside, so they are read in the order that costs least when they are bad: magic bytes, header,
//! limits, completeness, and only then memory for the pixels.
//!
//! A decoded frame is kept as three planes of bytes, the full picture's luma and its chroma at half the size (ITU-R
//! BT.601, full range, as JFIF has it): 1.5 bytes a pixel instead of 3. The EXIF orientation is applied on the way into
//! these planes, so that no rotated copy of the whole picture is ever held.

use std::io::Cursor;

use serde::{Deserialize, Serialize};
use thiserror::Error;

mod jpeg;
mod planes;
mod png;

use planes::PlaneWriter;
pub use planes::Raster;

/// Most pixels that a frame may have; a phone's main camera stays below.
const MAX_PIXELS: u64 = 50_000_000;
/// Longest side that a frame may have.
const MAX_SIDE: u32 = 16_384;

/// The encodings that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameFormat {
    Jpeg,
    Png,
}

impl FrameFormat {
    /// The name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
        }
    }

    /// The media type, as HTTP and S3 want it.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// Tells the format by its magic bytes; a file's name and its sender's `Content-Type` are not asked.
    pub fn sniff(bytes: &[u8]) -> Result<Self, FrameError> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Ok(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Ok(Self::Png),
            _ => Err(FrameError::UnsupportedMediaType),
        }
    }
}

/// Why a frame cannot be used. The messages are fit for the caller.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    #[error("the frame is neither JPEG nor PNG")]
    UnsupportedMediaType,
    #[error("the frame has {width} × {height} pixels, more than {MAX_PIXELS} or longer than {MAX_SIDE} on a side")]
    TooManyPixels { width: u32, height: u32 },
    #[error("the frame is cut short")]
    Truncated,
    #[error("the frame cannot be decoded: {0}")]
    Corrupt(String),
}

/// What a frame's header says, of the upright picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameInfo {
    pub format: FrameFormat,
    pub width: u32,
    pub height: u32,
}

impl FrameInfo {
    /// Reads the header only: no pixel is decoded and nothing of the picture's size is allocated.
    ///
    /// # Errors
    /// Neither JPEG nor PNG, a header that makes no sense, or a picture over the limits.
    pub fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        Header::read(bytes).map(Header::upright)
    }

    /// `1920x1080`
    pub fn resolution(&self) -> String {
        format!("{}x{}", self.width, self.height)
    }
}

/// A frame's pixels, upright.
#[derive(Debug, Clone)]
pub struct DecodedFrame {
    pub info: FrameInfo,
    pub luma: Raster,
    /// Blue difference, half the size in both directions; 128 is grey.
    pub cb: Raster,
    /// Red difference, likewise.
    pub cr: Raster,
}

impl DecodedFrame {
    /// Decodes a whole frame. The peak is 4.5 bytes a pixel, of which 1.5 stay.
    ///
    /// # Errors
    /// As [`FrameInfo::read`], and data that is cut short or broken anywhere.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let header = Header::read(bytes)?;
        let mut planes = PlaneWriter::new(header.width, header.height, header.orientation);
        match header.format {
            FrameFormat::Jpeg => jpeg::decode(bytes, &mut planes)?,
            FrameFormat::Png => png::decode(bytes, &mut planes)?,
        }
        let [luma, cb, cr] = planes.finish();
        Ok(Self { info: header.upright(), luma, cb, cr })
    }
}

/// A frame's header as stored, before the orientation is applied.
#[derive(Debug, Clone, Copy)]
struct Header {
    format: FrameFormat,
    width: u32,
    height: u32,
    orientation: Orientation,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        let header = match FrameFormat::sniff(bytes)? {
            FrameFormat::Jpeg => jpeg::header(bytes)?,
            FrameFormat::Png => png::header(bytes)?,
        };
        let (width, height) = (header.width, header.height);
        if width == 0 || height == 0 {
            return Err(FrameError::Corrupt("it has no pixels".to_owned()));
        }
        if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(FrameError::TooManyPixels { width, height });
        }
        Ok(header)
    }

    fn upright(self) -> FrameInfo {
        let (width, height) =
            if self.orientation.transposes() { (self.height, self.width) } else { (self.width, self.height) };
        FrameInfo { format: self.format, width, height }
    }
}

/// EXIF tag 0x0112, 1 to 8; what is not one of them counts as upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Orientation(u8);

impl Orientation {
    const UPRIGHT: Self = Self(1);

    /// Rows and columns change places.
    const fn transposes(self) -> bool {
        self.0 >= 5
    }

    /// Whether columns and rows of the stored picture run backwards in the upright one.
    const fn flips(self) -> (bool, bool) {
        match self.0 {
            2 => (true, false),
            3 => (true, true),
            4 => (false, true),
            6 => (false, true),
            7 => (true, true),
            8 => (true, false),
            _ => (false, false),
        }
    }

    /// Reads the orientation out of a TIFF structure, which is what an EXIF block holds (EXIF 2.3, 4.6.2).
    fn from_tiff(tiff: &[u8]) -> Option<Self> {
        const ORIENTATION_TAG: u16 = 0x0112;
        let little = match tiff.get(..4)? {
            [b'I', b'I', 42, 0] => true,
            [b'M', b'M', 0, 42] => false,
            _ => return None,
        };
        let u16_at = |at: usize| {
            let pair: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
            Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
        };
        let quad: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
        let directory = if little { u32::from_le_bytes(quad) } else { u32::from_be_bytes(quad) };
        let directory = usize::try_from(directory).ok()?;
        for entry in 0..usize::from(u16_at(directory)?) {
            let at = directory.checked_add(2 + 12 * entry)?;
            if u16_at(at)? == ORIENTATION_TAG {
                let value = u8::try_from(u16_at(at.checked_add(8)?)?).ok()?;
                return (1..=8).contains(&value).then_some(Self(value));
            }
        }
        None
    }
}

fn corrupt(error: impl std::fmt::Display) -> FrameError {
    FrameError::Corrupt(error.to_string())
}

fn reader(bytes: &[u8]) -> Cursor<&[u8]> {
    Cursor::new(bytes)
}

#[cfg(test)]
mod tests;
