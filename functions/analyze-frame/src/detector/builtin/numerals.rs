#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixel indices of small patches")]
//! Ring numbers are print, not holes.
//!
//! No font is known, but every number is printed up to four times, at the same distance on each axis. A place that looks
//! like its counterparts on the other axes is print; a hole has no counterpart. Numbers stand upright on all axes or are
//! turned with them: whichever makes the four look more alike.

use shared::domain::target::TargetType;

use super::{
    deviation::Residual,
    linear::median,
    roll::number_bands,
    sheet::{Grid, Sheet},
    spots::Mask,
};

/// Furthest that two prints of a number may stand off their place, in sheet pixels.
const SHIFT: i32 = 3;
/// Likeness (normalised correlation) from which on two patches show the same number; one counterpart alone must be
/// more alike.
const ALIKE: f32 = 0.5;
const ALIKE_ALONE: f32 = 0.8;
/// Patches more alike than this have no hole beside their number.
const SURELY_ALIKE: f32 = 0.93;
/// The same where one of two has a hole beside its number, and how alike what both show must be to the other one.
const ALIKE_IN_PART: f32 = 0.2;
const ALIKE_TO_COMMON: f32 = 0.85;
/// Fewer pixels with ink are no number.
const LEAST_INK: usize = 6;
/// Largest size of a number, in calibres.
const LARGEST_CALIBRES: f64 = 3.0;
/// Bands narrower than that have no numbers worth clearing.
const SMALLEST_CALIBRES: f64 = 1.0;
/// Ink is what deviates by more than this share of the contrast.
const INK_SHARE: f32 = 0.08;
/// A pixel is explained if it is this close to what is expected, as a share of the strongest ink beside it.
const SLACK: f32 = 0.45;
/// The same for tint, as a share of the contrast.
const TINT_SLACK: f32 = 0.12;

/// Clears from the deviation map what ring numbers explain.
pub fn clear(deviation: &mut Grid, residual: &Residual, sheet: &Sheet, target: TargetType) {
    // On the air rifle's target a number is too small to be taken for a hole, and a hole hides it altogether.
    if number_bands(target).any(|(_, half_mm)| half_mm < SMALLEST_CALIBRES / 2.0 * target.rings().calibre_mm()) {
        return;
    }
    let layouts = [false, true].map(|turned| {
        let bands: Vec<Band> =
            number_bands(target).map(|band| Band::new(band, turned, &[0, 1, 2, 3], residual, sheet)).collect();
        let likeness: f32 = bands.iter().map(Band::likeness).sum();
        (likeness, bands)
    });
    let [(upright_likeness, upright), (turned_likeness, turned)] = layouts;
    let bands = if turned_likeness > 1.1 * upright_likeness { turned } else { upright };
    let lines = sighting_lines(target).map(|piece| Band::new(piece, true, &[0, 2], residual, sheet));
    for band in bands.into_iter().chain(lines) {
        for side in 0..4 {
            if let Some(expected) = band.expected(side, residual) {
                band.explain(side, &expected, residual, sheet, deviation);
            }
        }
    }
}

/// The white sighting lines of the rapid-fire target, 125 mm long and 5 mm wide, from its left and right edge inwards:
/// between which distances from the centre, and half the width, in mm.
pub fn sighting_lines_mm(target: TargetType) -> Option<(f64, f64, f64)> {
    (target == TargetType::RapidFire25m).then_some((125.0, 250.0, 2.5))
}

/// The same in pieces: distance from the centre and half the size, in mm.
fn sighting_lines(target: TargetType) -> impl Iterator<Item = (f64, f64)> {
    const PIECE_MM: f64 = 12.0;
    let pieces = |(from, to, _): (f64, f64, f64)| {
        (0..=11_u8).map(move |piece| from - 7.0 + PIECE_MM * f64::from(piece)).filter(move |middle| *middle <= to)
    };
    sighting_lines_mm(target).into_iter().flat_map(pieces).map(|middle| (middle, 8.0))
}

/// The four patches at one distance from the centre.
struct Band {
    is_number: bool,
    half: i32,
    frames: [Frame; 4],
    patches: [Patch; 4],
    /// Likeness of two patches, and by how much the second stands off the first.
    pairs: [[(f32, i32, i32); 4]; 4],
}

/// Where a patch lies on the sheet: its middle, and the directions of its columns.
#[derive(Clone, Copy)]
struct Frame {
    x: f32,
    y: f32,
    cos: f32,
    sin: f32,
}

impl Frame {
    fn place(&self, u: i32, v: i32) -> (f32, f32) {
        let (u, v) = (u as f32, v as f32);
        (self.x + u * self.cos - v * self.sin, self.y + u * self.sin + v * self.cos)
    }
}

struct Patch {
    side: usize,
    values: Vec<f32>,
    tints: [Vec<f32>; 2],
    /// Nothing but the bare ground, or not in the picture.
    is_blank: bool,
    /// There is ink along its border.
    runs_out: bool,
}

impl Patch {
    fn index(&self, u: i32, v: i32) -> Option<usize> {
        let half = (self.side / 2) as i32;
        let (x, y) = (u + half, v + half);
        let side = self.side as i32;
        ((0..side).contains(&x) && (0..side).contains(&y)).then_some((y * side + x) as usize)
    }
}

impl Band {
    /// Reads a band on some of its sides: 0 is right, 1 up, 2 left, 3 down.
    fn new(
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
    fn likeness(&self) -> f32 {
        [self.pairs[0][2], self.pairs[1][3]].iter().map(|pair| (pair.0 - 0.3).max(0.0)).sum()
    }

    /// What is printed on one side, by what is printed on the others.
    fn expected(&self, side: usize, residual: &Residual) -> Option<Patch> {
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
    fn explain(&self, side: usize, expected: &Patch, residual: &Residual, sheet: &Sheet, deviation: &mut Grid) {
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

/// What two patches both show if the second stands off the first by a shift.
struct Common {
    shift: (i32, i32),
    values: Vec<f32>,
    /// Its normalised correlation with the patch that shows less else.
    likeness: f32,
}

impl Common {
    fn new(first: &Patch, second: &Patch, half: i32, shift: (i32, i32)) -> Self {
        let mut values = Vec::with_capacity(first.values.len());
        let (mut with_first, mut with_second, mut own) = ([0.0, 1e-3_f32], [0.0, 1e-3_f32], 1e-3_f32);
        for (a, b) in pairs_of(first, second, half, shift, |patch| &patch.values) {
            let both = if a * b > 0.0 { nearest_to_bare([a, b].into_iter()) } else { 0.0 };
            with_first = [with_first[0] + both * a, with_first[1] + a * a];
            with_second = [with_second[0] + both * b, with_second[1] + b * b];
            own += both * both;
            values.push(both);
        }
        let likeness = [with_first, with_second].map(|[product, squares]| product / (squares * own).sqrt());
        Self { shift, values, likeness: likeness[0].max(likeness[1]) }
    }
}

/// What two patches show at every place, the second shifted; nought beyond their borders.
fn pairs_of<'a>(
    first: &'a Patch,
    second: &'a Patch,
    half: i32,
    (du, dv): (i32, i32),
    pick: impl Fn(&Patch) -> &[f32] + 'a,
) -> impl Iterator<Item = (f32, f32)> + 'a {
    let places = (-half..=half).flat_map(move |v| (-half..=half).map(move |u| (u, v)));
    let at = move |patch: &Patch, u, v| patch.index(u, v).map_or(0.0, |at| pick(patch)[at]);
    places.map(move |(u, v)| (at(first, u, v), at(second, u + du, v + dv)))
}

/// What several prints of one place agree on: of two, the one nearer to bare ground, since the other may show a hole; the
/// middle of more.
fn nearest_to_bare(values: impl Iterator<Item = f32>) -> f32 {
    let (mut read, mut count) = ([0.0_f32; 4], 0);
    for value in values.take(4) {
        read[count] = value;
        count += 1;
    }
    read[..count].sort_by(f32::total_cmp);
    match read[..count] {
        [] => 0.0,
        [low, high] => {
            if low.abs() < high.abs() {
                low
            } else {
                high
            }
        }
        ref several => several[several.len() / 2],
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

fn pixel((x, y): (f32, f32), sheet: &Sheet) -> Option<(usize, usize)> {
    let (x, y) = (x.round(), y.round());
    (x >= 0.0 && y >= 0.0 && (x as usize) < sheet.width() && (y as usize) < sheet.height())
        .then_some((x as usize, y as usize))
}

fn patch(frame: &Frame, half: i32, residual: &Residual, sheet: &Sheet) -> Patch {
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
fn runs_out(values: &[f32], side: usize, residual: &Residual) -> bool {
    let inked_at = |at: usize| values[at].abs() > 1.5 * INK_SHARE * residual.contrast;
    let along = (0..side).filter(|&i| inked_at(i) || inked_at(side * (side - 1) + i)).count()
        + (0..side).filter(|&i| inked_at(side * i) || inked_at(side * i + side - 1)).count();
    along > 3
}

/// The greatest normalised correlation of two patches over small shifts, and the shift.
fn likeness(first: &Patch, second: &Patch, half: i32) -> (f32, i32, i32) {
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
fn strongest_near(expected: &Patch, u: i32, v: i32) -> f32 {
    let mut strongest = 0.0_f32;
    for dv in -2..=2 {
        for du in -2..=2 {
            strongest = strongest.max(expected.index(u + du, v + dv).map_or(0.0, |at| expected.values[at].abs()));
        }
    }
    strongest
}
