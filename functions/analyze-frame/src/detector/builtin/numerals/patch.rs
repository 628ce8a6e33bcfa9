#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixel indices of small patches")]
//! A piece of the sheet where a number may be.

use super::super::{deviation::Residual, sheet::Sheet};

/// Furthest that two prints of a number may stand off their place, in sheet pixels.
pub const SHIFT: i32 = 3;
/// Fewer pixels with ink are no number.
pub const LEAST_INK: usize = 6;
/// Ink is what deviates by more than this share of the contrast.
pub const INK_SHARE: f32 = 0.08;

/// Where a patch lies on the sheet: its middle, and the directions of its columns.
#[derive(Clone, Copy)]
pub struct Frame {
    pub x: f32,
    pub y: f32,
    pub cos: f32,
    pub sin: f32,
}

impl Frame {
    pub fn place(&self, u: i32, v: i32) -> (f32, f32) {
        let (u, v) = (u as f32, v as f32);
        (self.x + u * self.cos - v * self.sin, self.y + u * self.sin + v * self.cos)
    }
}

pub struct Patch {
    pub side: usize,
    pub values: Vec<f32>,
    pub tints: [Vec<f32>; 2],
    /// Nothing but the bare ground, or not in the picture.
    pub is_blank: bool,
    /// There is ink along its border.
    pub runs_out: bool,
}

impl Patch {
    pub fn index(&self, u: i32, v: i32) -> Option<usize> {
        let half = (self.side / 2) as i32;
        let (x, y) = (u + half, v + half);
        let side = self.side as i32;
        ((0..side).contains(&x) && (0..side).contains(&y)).then_some((y * side + x) as usize)
    }
}

pub fn pixel((x, y): (f32, f32), sheet: &Sheet) -> Option<(usize, usize)> {
    let (x, y) = (x.round(), y.round());
    (x >= 0.0 && y >= 0.0 && (x as usize) < sheet.width() && (y as usize) < sheet.height())
        .then_some((x as usize, y as usize))
}

pub fn patch(frame: &Frame, half: i32, residual: &Residual, sheet: &Sheet) -> Patch {
    let side = (2 * half + 1) as usize;
    let mut values = Vec::with_capacity(side * side);
    let mut tints = [Vec::with_capacity(side * side), Vec::with_capacity(side * side)];
    let (mut seen, mut inked) = (0_usize, 0_usize);
    for v in -half..=half {
        for u in -half..=half {
            let visible = pixel(frame.place(u, v), sheet).filter(|(x, y)| sheet.visible[y * sheet.width() + x]);
            let value = visible.map_or(0.0, |(x, y)| residual.luma.row(y)[x]);
            seen += usize::from(visible.is_some());
            inked += usize::from(value.abs() > INK_SHARE * residual.contrast);
            values.push(value);
            for (tints, plane) in tints.iter_mut().zip(&residual.chroma) {
                tints.push(visible.map_or(0.0, |(x, y)| plane.row(y / 2)[x / 2]));
            }
        }
    }
    let runs_out = runs_out(&values, side, residual);
    Patch { side, values, tints, is_blank: 2 * seen < side * side || inked < LEAST_INK, runs_out }
}

/// Whether there is ink along a patch's border.
pub fn runs_out(values: &[f32], side: usize, residual: &Residual) -> bool {
    let inked_at = |at: usize| values[at].abs() > 1.5 * INK_SHARE * residual.contrast;
    let along = (0..side).filter(|&i| inked_at(i) || inked_at(side * (side - 1) + i)).count()
        + (0..side).filter(|&i| inked_at(side * i) || inked_at(side * i + side - 1)).count();
    along > 3
}

/// The greatest normalised correlation of two patches over small shifts, and the shift.
pub fn likeness(first: &Patch, second: &Patch, half: i32) -> (f32, i32, i32) {
    // Large numbers have thick strokes: every other pixel will do.
    let step = if half > 12 { 2 } else { 1 };
    let side = 2 * half + 1;
    let mut best = (0.0, 0, 0);
    for dv in -SHIFT..=SHIFT {
        for du in -SHIFT..=SHIFT {
            let (mut product, mut a2, mut b2) = (0.0, 1e-3, 1e-3);
            let columns = side - du.abs();
            for y in ((-dv).max(0)..side - dv.max(0)).step_by(step) {
                let a = (y * side + (-du).max(0)) as usize;
                let b = ((y + dv) * side + du.max(0)) as usize;
                let (a, b) = (&first.values[a..a + columns as usize], &second.values[b..b + columns as usize]);
                for (a, b) in a.iter().zip(b).step_by(step) {
                    product += a * b;
                    a2 += a * a;
                    b2 += b * b;
                }
            }
            let correlation = product / f32::sqrt(a2 * b2);
            if correlation > best.0 {
                best = (correlation, du, dv);
            }
        }
    }
    best
}

/// The strongest ink expected within two pixels.
pub fn strongest_near(expected: &Patch, u: i32, v: i32) -> f32 {
    let mut strongest = 0.0_f32;
    for dv in -2..=2 {
        for du in -2..=2 {
            strongest = strongest.max(expected.index(u + du, v + dv).map_or(0.0, |at| expected.values[at].abs()));
        }
    }
    strongest
}
