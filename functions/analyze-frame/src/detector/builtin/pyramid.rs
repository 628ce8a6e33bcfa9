#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixel indices are checked against the picture first"
)]
//! A picture at full size, half, quarter and so on, so that a sample covers about as much of the picture as it stands for.

use std::borrow::Cow;

use shared::domain::frame::Raster;

pub struct Pyramid<'a> {
    levels: Vec<Cow<'a, Raster>>,
}

impl<'a> Pyramid<'a> {
    /// Halves the picture until its longer side is at most `smallest` pixels.
    pub fn new(picture: &'a Raster, smallest: usize) -> Self {
        let mut levels = vec![Cow::Borrowed(picture)];
        while let Some(last) = levels.last().filter(|level| level.width.max(level.height) > smallest) {
            let half = halve(last);
            levels.push(Cow::Owned(half));
        }
        Self { levels }
    }

    /// The level with samples at most `pitch` pixels of the full picture apart.
    pub fn level_for(&self, pitch: f64) -> Level<'_> {
        let index = pitch.max(1.0).log2().floor() as usize;
        self.level(index.min(self.levels.len() - 1))
    }

    pub fn smallest(&self) -> Level<'_> {
        self.level(self.levels.len() - 1)
    }

    fn level(&self, index: usize) -> Level<'_> {
        Level { raster: &self.levels[index], factor: f64::from(1_u32 << index) }
    }
}

/// One size of the picture.
#[derive(Clone, Copy)]
pub struct Level<'a> {
    pub raster: &'a Raster,
    /// Pixels of the full picture per pixel here.
    pub factor: f64,
}

impl Level<'_> {
    /// The picture's value at a place given in full-size pixels, interpolated. `None`: outside.
    pub fn sample(&self, (x, y): (f64, f64)) -> Option<f32> {
        sample(self.raster, ((x + 0.5) / self.factor - 0.5) as f32, ((y + 0.5) / self.factor - 0.5) as f32)
    }
}

/// Bilinear interpolation at a place in the raster's own pixels. `None`: outside.
#[inline]
pub fn sample(raster: &Raster, x: f32, y: f32) -> Option<f32> {
    if !(x >= 0.0 && y >= 0.0) {
        return None;
    }
    // By way of i32: the direct conversion is several times as slow.
    let (column, row) = (x as i32 as usize, y as i32 as usize);
    if column + 1 >= raster.width || row + 1 >= raster.height {
        return None;
    }
    let (fx, fy) = (x - column as f32, y - row as f32);
    let at = row * raster.width + column;
    let (upper, lower) = (&raster.samples[at..at + 2], &raster.samples[at + raster.width..at + raster.width + 2]);
    let top = f32::from(upper[0]) + fx * (f32::from(upper[1]) - f32::from(upper[0]));
    let bottom = f32::from(lower[0]) + fx * (f32::from(lower[1]) - f32::from(lower[0]));
    Some(top + fy * (bottom - top))
}

fn halve(raster: &Raster) -> Raster {
    let mut half = Raster::new((raster.width / 2).max(1), (raster.height / 2).max(1));
    if raster.width < 2 || raster.height < 2 {
        return half;
    }
    for y in 0..half.height {
        let (upper, lower) = (raster.row(2 * y), raster.row(2 * y + 1));
        let out = &mut half.samples[y * half.width..(y + 1) * half.width];
        for ((pixel, up), low) in out.iter_mut().zip(upper.chunks_exact(2)).zip(lower.chunks_exact(2)) {
            let sum = u16::from(up[0]) + u16::from(up[1]) + u16::from(low[0]) + u16::from(low[1]);
            *pixel = ((sum + 2) >> 2) as u8;
        }
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_shows_the_same_ramp() {
        let mut ramp = Raster::new(64, 48);
        for y in 0..48 {
            for x in 0..64 {
                ramp.samples[y * 64 + x] = (2 * x + y) as u8;
            }
        }
        let pyramid = Pyramid::new(&ramp, 16);
        for pitch in [1.0, 2.0, 4.0] {
            let value = pyramid.level_for(pitch).sample((30.0, 20.0)).unwrap();
            assert!((value - 80.0).abs() <= 1.0, "{value} at {pitch}");
        }
    }

    #[test]
    fn there_is_nothing_outside_the_picture() {
        let raster = Raster::new(4, 4);
        for (x, y) in [(-0.1, 1.0), (1.0, -0.1), (3.0, 1.0), (1.0, 3.0), (f32::NAN, 1.0)] {
            assert!(sample(&raster, x, y).is_none());
        }
    }
}
