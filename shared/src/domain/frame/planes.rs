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

    /// Lays down whole rows of which the first is row `top`; what is transparent shows white.
    pub fn put(&mut self, top: usize, rows: &[u8], layout: Layout) {
        match layout {
            Layout::YCbCr => self.put_pixels(top, rows, |&ycbcr: &[u8; 3]| ycbcr),
            Layout::Rgb => self.put_pixels(top, rows, |&[r, g, b]: &[u8; 3]| from_rgb(r, g, b)),
            Layout::Grey => self.put_pixels(top, rows, |&[y]: &[u8; 1]| [y, 128, 128]),
            Layout::GreyAlpha => self.put_pixels(top, rows, |&[y, a]: &[u8; 2]| [over_white(y, a), 128, 128]),
            Layout::Rgba => self.put_pixels(top, rows, |&[r, g, b, a]: &[u8; 4]| {
                from_rgb(over_white(r, a), over_white(g, a), over_white(b, a))
            }),
        }
    }

    /// A block of rows is taken in narrow columns, so that a turned picture is written to few cache lines at a time.
    fn put_pixels<const N: usize>(&mut self, top: usize, rows: &[u8], ycbcr: impl Fn(&[u8; N]) -> [u8; 3]) {
        const BLOCK: usize = 64;
        let (pixels, _) = rows.as_chunks::<N>();
        for (block, block_rows) in pixels.chunks(self.width * BLOCK).enumerate() {
            for left in (0..self.width).step_by(BLOCK) {
                let right = (left + BLOCK).min(self.width);
                for (i, row) in block_rows.chunks_exact(self.width).enumerate() {
                    self.put_span(top + block * BLOCK + i, left, &row[left..right], &ycbcr);
                }
            }
        }
    }

    /// Some of a row's pixels, from column `left` on, which is even. Chroma is taken from even rows, as the mean of two
    /// neighbours: cameras record it at half the resolution anyway.
    fn put_span<const N: usize>(
        &mut self,
        y: usize,
        left: usize,
        pixels: &[[u8; N]],
        ycbcr: &impl Fn(&[u8; N]) -> [u8; 3],
    ) {
        for (x, pixel) in (left..).zip(pixels) {
            self.luma.samples[self.luma_steps.at(x, y)] = ycbcr(pixel)[0];
        }
        if y.is_multiple_of(2) {
            for (x, pair) in (left / 2..).zip(pixels.chunks(2)) {
                let (first, last) = (ycbcr(&pair[0]), ycbcr(&pair[pair.len() - 1]));
                let at = self.chroma_steps.at(x, y / 2);
                self.chroma[0].samples[at] = first[1].midpoint(last[1]);
                self.chroma[1].samples[at] = first[2].midpoint(last[2]);
            }
        }
    }

    pub fn finish(self) -> [Raster; 3] {
        let [cb, cr] = self.chroma;
        [self.luma, cb, cr]
    }
}
