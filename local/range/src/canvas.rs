#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "pixel coordinates are clamped to the canvas before they become indices"
)]
//! The picture while it is painted: linear reflectance or light, three floats a pixel.

/// Linear red, green, blue; 1 is what a perfectly white sheet sends back.
pub type Colour = [f32; 3];

pub struct Canvas {
    pub width: usize,
    pub height: usize,
    pub data: Vec<f32>,
}

/// Pixels from `left`, `top` up to, and without, `right`, `bottom`.
#[derive(Debug, Clone, Copy)]
pub struct PixelBox {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Canvas {
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { width, height, data: vec![0.0; width * height * 3] }
    }

    pub fn get(&self, x: usize, y: usize) -> Colour {
        let at = (y * self.width + x) * 3;
        [self.data[at], self.data[at + 1], self.data[at + 2]]
    }

    pub fn set(&mut self, x: usize, y: usize, colour: Colour) {
        let at = (y * self.width + x) * 3;
        self.data[at..at + 3].copy_from_slice(&colour);
    }

    /// The whole pixels within bounds (left, top, right, bottom), cut to the canvas.
    pub fn clip(&self, (left, top, right, bottom): (f64, f64, f64, f64)) -> PixelBox {
        let limit = |value: f64, max: usize| value.clamp(0.0, max as f64) as usize;
        PixelBox {
            left: limit(left.floor(), self.width),
            top: limit(top.floor(), self.height),
            right: limit(right.ceil(), self.width),
            bottom: limit(bottom.ceil(), self.height),
        }
    }
}

impl PixelBox {
    /// Every pixel of the box with the continuous coordinates of its centre.
    pub fn pixels(self) -> impl Iterator<Item = (usize, usize, f64, f64)> {
        (self.top..self.bottom)
            .flat_map(move |y| (self.left..self.right).map(move |x| (x, y, x as f64 + 0.5, y as f64 + 0.5)))
    }
}

/// Runs `paint(first row, rows)` on all rows of `data`, `stride` values each, on the processors that there are. The
/// result must not depend on how the rows are dealt out.
pub fn in_bands<T: Send>(data: &mut [T], stride: usize, paint: impl Fn(usize, &mut [T]) + Sync) {
    const MOST_THREADS: usize = 4;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let rows = (data.len() / stride).div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for (band, part) in data.chunks_mut(rows * stride).enumerate() {
            let paint = &paint;
            scope.spawn(move || paint(band * rows, part));
        }
    });
}

pub fn mix(from: Colour, to: Colour, share: f32) -> Colour {
    [0, 1, 2].map(|channel| from[channel] + (to[channel] - from[channel]) * share)
}

pub fn scale(colour: Colour, factor: f32) -> Colour {
    colour.map(|channel| channel * factor)
}
