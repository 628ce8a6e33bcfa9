#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixel indices of small patches")]
//! The four places at one distance from the centre, and what they say of each other.

use super::{
    super::{
        deviation::Residual,
        linear::median,
        sheet::{Grid, Sheet},
        spots::Mask,
    },
    common::{Common, nearest_to_bare, pairs_of},
    patch::{Frame, INK_SHARE, LEAST_INK, Patch, SHIFT, likeness, patch, pixel, runs_out, strongest_near},
};

/// Likeness (normalised correlation) from which on two patches show the same number; one counterpart alone must be
/// more alike.
const ALIKE: f32 = 0.5;
const ALIKE_ALONE: f32 = 0.8;
/// Patches more alike than this have no hole beside their number.
const SURELY_ALIKE: f32 = 0.93;
/// The same where one of two has a hole beside its number, and how alike what both show must be to the other one.
const ALIKE_IN_PART: f32 = 0.2;
const ALIKE_TO_COMMON: f32 = 0.85;
/// Largest size of a number, in calibres.
const LARGEST_CALIBRES: f64 = 3.0;
/// A pixel is explained if it is this close to what is expected, as a share of the strongest ink beside it.
const SLACK: f32 = 0.45;
/// The same for tint, as a share of the contrast.
const TINT_SLACK: f32 = 0.12;

/// The four patches at one distance from the centre.
pub struct Band {
    is_number: bool,
    half: i32,
    frames: [Frame; 4],
    patches: [Patch; 4],
    /// Likeness of two patches, and by how much the second stands off the first.
    pairs: [[(f32, i32, i32); 4]; 4],
}

impl Band {
    /// Reads a band on some of its sides: 0 is right, 1 up, 2 left, 3 down.
    pub fn new(
        (radius_mm, half_mm): (f64, f64),
        turned: bool,
        sides: &[usize],
        residual: &Residual,
        sheet: &Sheet,
    ) -> Self {
        // Numbers keep clear of the rings, and are not much larger than a hole.
        let is_number = sides.len() == 4;
        let share = if is_number { 0.8 } else { 0.95 };
        let half = (share * half_mm * sheet.pixels_per_mm).min(LARGEST_CALIBRES / 2.0 * sheet.calibre_px);
        let half = (half as i32).max(2);
        let radius = (radius_mm * sheet.pixels_per_mm) as f32;
        let (cx, cy) = sheet.centre();
        // Right, up, left, down; rows of the sheet run downwards.
        let frames = [(1.0, 0.0), (0.0, -1.0), (-1.0, 0.0), (0.0, 1.0)].map(|(x, y)| {
            let (cos, sin) = if turned { (-y, x) } else { (1.0, 0.0) };
            Frame { x: cx + radius * x, y: cy + radius * y, cos, sin }
        });
        let mut patches = frames.map(|frame| patch(&frame, half, residual, sheet));
        for (side, patch) in patches.iter_mut().enumerate() {
            patch.is_blank |= !sides.contains(&side);
        }
        let mut pairs = [[(0.0, 0, 0); 4]; 4];
        for first in 0..4 {
            for second in first + 1..4 {
                if !patches[first].is_blank && !patches[second].is_blank {
                    let (alike, du, dv) = likeness(&patches[first], &patches[second], half);
                    pairs[first][second] = (alike, du, dv);
                    pairs[second][first] = (alike, -du, -dv);
                }
            }
        }
        Self { is_number, half, frames, patches, pairs }
    }

    /// How much the opposite sides look alike: the rapid-fire target has numbers above and below and lines to the left
    /// and right.
    pub fn likeness(&self) -> f32 {
        [self.pairs[0][2], self.pairs[1][3]].iter().map(|pair| (pair.0 - 0.3).max(0.0)).sum()
    }

    /// What is printed on one side, by what is printed on the others.
    pub fn expected(&self, side: usize, residual: &Residual) -> Option<Patch> {
        // What is much less alike than the best is something else.
        let best = self.pairs[side].iter().map(|pair| pair.0).fold(0.0, f32::max);
        let enough = ALIKE.max(best - 0.2);
        let alike: Vec<(usize, (f32, i32, i32))> =
            (0..4).map(|other| (other, self.pairs[side][other])).filter(|(_, pair)| pair.0 >= enough).collect();
        // Two prints alone may be two holes that lie alike, or one of them may have a hole beside it.
        if let [] | [_] = alike.as_slice() {
            let (other, pair) = (0..4)
                .map(|other| (other, self.pairs[side][other]))
                .max_by(|(_, a), (_, b)| a.0.total_cmp(&b.0))
                .filter(|(_, pair)| pair.0 >= ALIKE_IN_PART)?;
            // A number stands clear of the rings.
            let run_out = self.is_number && self.patches[side].runs_out && self.patches[other].runs_out;
            if pair.0 < SURELY_ALIKE || run_out {
                let common = self.in_common(side, other, residual);
                if common.is_some() || pair.0 < ALIKE_ALONE || run_out {
                    return common;
                }
            }
        }
        // A hole beside a number is what the two are laid over each other by, unless only what both show counts.
        let alike: Vec<(usize, (f32, i32, i32))> = alike
            .into_iter()
            .map(|(other, pair)| match pair.0 < SURELY_ALIKE {
                true => {
                    (other, self.best_common(side, other).map_or(pair, |best| (pair.0, best.shift.0, best.shift.1)))
                }
                false => (other, pair),
            })
            .collect();
        let usual = |pick: &dyn Fn(&Patch) -> &[f32]| -> Vec<f32> {
            let places = (-self.half..=self.half).flat_map(|v| (-self.half..=self.half).map(move |u| (u, v)));
            places
                .map(|(u, v)| {
                    let others = alike.iter().map(|(other, (_, du, dv))| (&self.patches[*other], u + du, v + dv));
                    nearest_to_bare(others.filter_map(|(patch, u, v)| Some(pick(patch)[patch.index(u, v)?])))
                })
                .collect()
        };
        let mut values = usual(&|patch| &patch.values);
        let tints = [usual(&|patch| &patch.tints[0]), usual(&|patch| &patch.tints[1])];
        // The light may differ from side to side.
        let gain = gain(&self.patches[side].values, &values);
        values.iter_mut().for_each(|value| *value *= gain);
        Some(Patch { side: self.patches[side].side, values, tints, is_blank: false, runs_out: false })
    }

    fn best_common(&self, side: usize, other: usize) -> Option<Common> {
        let shifts = (-SHIFT..=SHIFT).flat_map(|dv| (-SHIFT..=SHIFT).map(move |du| (du, dv)));
        shifts
            .map(|shift| Common::new(&self.patches[side], &self.patches[other], self.half, shift))
            .max_by(|a, b| a.likeness.total_cmp(&b.likeness))
    }

    /// What two sides both show, if one of them shows hardly more: then the other has a hole beside its number.
    fn in_common(&self, side: usize, other: usize, residual: &Residual) -> Option<Patch> {
        let best = self.best_common(side, other)?;
        let (own, other) = (&self.patches[side], &self.patches[other]);
        let least = INK_SHARE * residual.contrast;
        let inked = best.values.iter().filter(|value| value.abs() > least).count();
        let alike = best.likeness >= ALIKE_TO_COMMON && inked >= LEAST_INK;
        if !alike || (self.is_number && runs_out(&best.values, own.side, residual)) {
            return None;
        }
        let tints = [0, 1].map(|which| {
            let tints = pairs_of(own, other, self.half, best.shift, |patch| &patch.tints[which]);
            tints.map(|(a, b)| nearest_to_bare([a, b].into_iter())).collect()
        });
        Some(Patch { side: own.side, values: best.values, tints, is_blank: false, runs_out: false })
    }

    /// Clears what is as expected, except where it lies within something larger that is not.
    pub fn explain(&self, side: usize, expected: &Patch, residual: &Residual, sheet: &Sheet, deviation: &mut Grid) {
        const LOW: f32 = 4.0;
        let (count, own) = (expected.side, &self.patches[side]);
        let ink = INK_SHARE * residual.contrast;
        let (mut explained, mut odd) = (Mask::new(count, count), Mask::new(count, count));
        for v in -self.half..=self.half {
            for u in -self.half..=self.half {
                let at = ((v + self.half) * count as i32 + u + self.half) as usize;
                let strongest = strongest_near(expected, u, v);
                let Some(pixel) = pixel(self.frames[side].place(u, v), sheet) else { continue };
                let off = (own.values[at] - expected.values[at]).abs();
                let tint = |which: usize| (own.tints[which][at] - expected.tints[which][at]).abs();
                let tinted = tint(0).max(tint(1)) > TINT_SLACK * residual.contrast;
                explained.cells[at] = strongest > ink && off < SLACK * strongest + 0.5 * ink && !tinted;
                odd.cells[at] = !explained.cells[at] && deviation.row(pixel.1)[pixel.0] >= LOW;
            }
        }
        let mut kept = odd.shrunk(true).grown(true);
        for _ in 0..(0.2 * sheet.calibre_px).round() as usize {
            kept = kept.grown(false);
        }
        for v in -self.half..=self.half {
            for u in -self.half..=self.half {
                let at = ((v + self.half) * count as i32 + u + self.half) as usize;
                let clear = explained.cells[at] && !kept.cells[at];
                if let Some((x, y)) = pixel(self.frames[side].place(u, v), sheet).filter(|_| clear) {
                    deviation.row_mut(y)[x] = 0.0;
                }
            }
        }
    }
}

/// By how much what is seen is stronger than what is expected, by the middle of the pixels with much ink.
fn gain(seen: &[f32], expected: &[f32]) -> f32 {
    let strongest = expected.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let mut ratios: Vec<f32> = seen
        .iter()
        .zip(expected)
        .filter(|(_, expected)| expected.abs() > 0.5 * strongest)
        .map(|(seen, expected)| seen / expected)
        .collect();
    median(&mut ratios).unwrap_or(1.0).clamp(0.5, 2.0)
}
