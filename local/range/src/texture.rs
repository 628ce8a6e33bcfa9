#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "texture coordinates are cut to whole texels on purpose"
)]
//! Fractal noise that repeats: paper, wood, plaster and sand are made of it.

use crate::dice::hash;

const SIDE: usize = 256;
const MASK: usize = SIDE - 1;

/// A square of noise, mean 0, most of it within ±1, which tiles without seams.
pub struct Texture(Vec<f32>);

impl Texture {
    /// Sum of `octaves` value noises, the coarsest with `cells` cells a side (a power of two), each at `gain` times the
    /// strength of the coarser one.
    pub fn fractal(seed: u64, cells: usize, octaves: u32, gain: f32) -> Self {
        let mut texels = vec![0.0_f32; SIDE * SIDE];
        let (mut cells, mut strength, mut power) = (cells, 1.0_f32, 0.0_f32);
        for octave in 0..octaves {
            add_octave(&mut texels, hash(seed ^ u64::from(octave)), cells.min(SIDE), strength);
            power += strength * strength;
            cells *= 2;
            strength *= gain;
        }
        let scale = 1.0 / power.sqrt();
        texels.iter_mut().for_each(|texel| *texel *= scale);
        Self(texels)
    }

    /// The noise at a place, one unit a texel, interpolated.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let (fx, fy) = (floor(x), floor(y));
        let (dx, dy) = (x - fx as f32, y - fy as f32);
        let (x0, y0) = (fx as usize & MASK, fy as usize & MASK);
        let (x1, y1) = ((x0 + 1) & MASK, (y0 + 1) & MASK);
        let row0 = self.0[y0 * SIDE + x0] * (1.0 - dx) + self.0[y0 * SIDE + x1] * dx;
        let row1 = self.0[y1 * SIDE + x0] * (1.0 - dx) + self.0[y1 * SIDE + x1] * dx;
        row0 * (1.0 - dy) + row1 * dy
    }
}

fn add_octave(texels: &mut [f32], seed: u64, cells: usize, strength: f32) {
    let values: Vec<f32> = (0..cells * cells)
        .map(|at| ((hash(seed ^ at as u64) >> 40) as f32 / (1_u64 << 24) as f32 - 0.5) * 3.4 * strength)
        .collect();
    let lattice = |x: usize, y: usize| values[(y & (cells - 1)) * cells + (x & (cells - 1))];
    let texels_a_cell = SIDE / cells;
    for (index, texel) in texels.iter_mut().enumerate() {
        let (x, y) = (index & MASK, index / SIDE);
        let (cx, cy) = (x / texels_a_cell, y / texels_a_cell);
        let dx = smooth((x % texels_a_cell) as f32 / texels_a_cell as f32);
        let dy = smooth((y % texels_a_cell) as f32 / texels_a_cell as f32);
        let row0 = lattice(cx, cy) * (1.0 - dx) + lattice(cx + 1, cy) * dx;
        let row1 = lattice(cx, cy + 1) * (1.0 - dx) + lattice(cx + 1, cy + 1) * dx;
        *texel += row0 * (1.0 - dy) + row1 * dy;
    }
}

/// `f32::floor` is a call into the C library on processors of the oldest kind, and this runs for each pixel.
fn floor(value: f32) -> i32 {
    let cut = value as i32;
    cut - i32::from(cut as f32 > value)
}

fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

/// 0 below `low`, 1 above `high`, smooth between.
pub fn smoothstep(low: f32, high: f32, value: f32) -> f32 {
    smooth(((value - low) / (high - low)).clamp(0.0, 1.0))
}
