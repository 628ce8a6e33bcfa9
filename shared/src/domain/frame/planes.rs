//! The planes that a picture is decoded into, and how its rows find their upright place in them.

use super::Orientation;

/// One byte a sample, row by row.
#[derive(Debug, Clone)]
pub struct Raster {
    pub width: usize,
    pub height: usize,
    pub samples: Vec<u8>,
}

impl Raster {
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, samples: vec![0; width * height] }
    }

    /// The samples of one row.
    pub fn row(&self, y: usize) -> &[u8] {
        &self.samples[y * self.width..(y + 1) * self.width]
    }
}

/// The layout of the samples that a decoder hands over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Grey,
    GreyAlpha,
    YCbCr,
    Rgb,
    Rgba,
}

impl Layout {
    pub const fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::YCbCr | Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// Luma and chroma of one pixel; what is transparent shows white.
    fn ycbcr(self, pixel: &[u8]) -> [u8; 3] {
        match (self, pixel) {
            (Self::YCbCr, &[y, cb, cr]) => [y, cb, cr],
            (Self::Rgb, &[r, g, b]) => from_rgb(r, g, b),
            (Self::Grey, &[y]) => [y, 128, 128],
            (Self::GreyAlpha, &[y, a]) => [over_white(y, a), 128, 128],
            (Self::Rgba, &[r, g, b, a]) => from_rgb(over_white(r, a), over_white(g, a), over_white(b, a)),
            _ => [0, 128, 128],
        }
    }
}

fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u16::from(value), u16::from(alpha));
    u8::try_from((value * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(255)
}

/// JFIF's conversion in 16-bit fixed point.
fn from_rgb(r: u8, g: u8, b: u8) -> [u8; 3] {
    let (r, g, b) = (i32::from(r), i32::from(g), i32::from(b));
    let byte = |v: i32| u8::try_from((v + 32_768) >> 16).unwrap_or(if v < 0 { 0 } else { 255 });
    [
        byte(19_595 * r + 38_470 * g + 7_471 * b),
        byte(-11_059 * r - 21_709 * g + 32_768 * b + (128 << 16)),
        byte(32_768 * r - 27_439 * g - 5_329 * b + (128 << 16)),
    ]
}

/// Where a stored column and row land in an upright plane: `start + x · column + y · row`.
#[derive(Debug, Clone, Copy)]
struct Steps {
    start: isize,
    column: isize,
    row: isize,
}

impl Steps {
    /// `width` and `height` are those of the stored plane.
    fn new(width: usize, height: usize, orientation: Orientation) -> Self {
        let (width, height) = (width.cast_signed(), height.cast_signed());
        let (flip_x, flip_y) = orientation.flips();
        let (column, row) = if orientation.transposes() { (height, 1) } else { (1, width) };
        let mut steps = Self { start: 0, column, row };
        if flip_x {
            steps.start += (width - 1) * column;
            steps.column = -column;
        }
        if flip_y {
            steps.start += (height - 1) * row;
            steps.row = -row;
        }
        steps
    }

    fn at(self, x: usize, y: usize) -> usize {
        (self.start + x.cast_signed() * self.column + y.cast_signed() * self.row).cast_unsigned()
    }
}

/// Takes a picture's rows and lays them into upright planes.
pub(super) struct PlaneWriter {
    width: usize,
    luma: Raster,
    chroma: [Raster; 2],
    luma_steps: Steps,
    chroma_steps: Steps,
}

impl PlaneWriter {
    pub fn new(width: u32, height: u32, orientation: Orientation) -> Self {
        let (width, height) = (width as usize, height as usize);
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let upright = |w: usize, h: usize| if orientation.transposes() { Raster::new(h, w) } else { Raster::new(w, h) };
        Self {
            width,
            luma: upright(width, height),
            chroma: [upright(half_width, half_height), upright(half_width, half_height)],
            luma_steps: Steps::new(width, height, orientation),
            chroma_steps: Steps::new(half_width, half_height, orientation),
        }
    }

    /// Lays down whole rows of which the first is row `top`. A block of rows is taken in narrow columns, so that a
    /// turned picture is written to few cache lines at a time.
    pub fn put(&mut self, top: usize, rows: &[u8], layout: Layout) {
        const BLOCK: usize = 64;
        let stride = self.width * layout.channels();
        for (block, block_rows) in rows.chunks(stride * BLOCK).enumerate() {
            for left in (0..self.width).step_by(BLOCK) {
                let right = (left + BLOCK).min(self.width);
                for (i, row) in block_rows.chunks_exact(stride).enumerate() {
                    self.put_span(top + block * BLOCK + i, left, row, right, layout);
                }
            }
        }
    }

    /// One row's pixels from `left` to `right`. Chroma is taken from even rows, as the mean of two neighbours: cameras
    /// record it at half the resolution anyway.
    fn put_span(&mut self, y: usize, left: usize, row: &[u8], right: usize, layout: Layout) {
        let channels = layout.channels();
        let pixels = row[left * channels..right * channels].chunks_exact(channels);
        if y % 2 == 1 {
            for (x, pixel) in (left..right).zip(pixels) {
                self.luma.samples[self.luma_steps.at(x, y)] = layout.ycbcr(pixel)[0];
            }
            return;
        }
        let mut even = [128_u8; 3];
        for (x, pixel) in (left..right).zip(pixels) {
            let this = layout.ycbcr(pixel);
            self.luma.samples[self.luma_steps.at(x, y)] = this[0];
            if x % 2 == 0 {
                even = this;
            }
            if x % 2 == 1 || x + 1 == self.width {
                let at = self.chroma_steps.at(x / 2, y / 2);
                self.chroma[0].samples[at] = even[1].midpoint(this[1]);
                self.chroma[1].samples[at] = even[2].midpoint(this[2]);
            }
        }
    }

    pub fn finish(self) -> [Raster; 3] {
        let [cb, cr] = self.chroma;
        [self.luma, cb, cr]
    }
}
