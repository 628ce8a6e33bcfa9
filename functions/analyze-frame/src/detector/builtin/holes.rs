#![expect(clippy::cast_possible_truncation, reason = "radii in calibres")]
//! Finds the holes: what on the sheet is neither paper nor print, as large and as round as a bullet leaves it.

use std::f64::consts::PI;

use shared::domain::{position::Position, target::TargetType};

use super::{
    Hole,
    deviation::Residual,
    discs::{Disc, Usual, cover, only_disc},
    linear::median,
    numerals,
    plane::Plane,
    sheet::{Grid, Sheet, reach_mm},
    spots::{Mask, Spot, spots},
};

/// Most holes in one spot: a ragged cluster of more cannot be told apart in one frame.
const MOST_IN_SPOT: usize = 6;
/// A spot much larger than that is no cluster: a shadow, a clip, the edge of the paper.
const LARGEST_SPOT: f64 = 9.0;
/// Share of a disc that must be hole.
const LEAST_FILL: f64 = 0.72;
/// Share of the ring about a disc that must be paper or print, or another hole.
const LEAST_CLEARANCE: f64 = 0.5;
/// A hole deviates this many times as much as what is about it; glare and dirt fade away.
const LEAST_SHARPNESS: f64 = 3.0;
/// Deviations beyond this say no more.
const STRONG: f64 = 25.0;
/// What is less sure is not reported.
const LEAST_CONFIDENCE: f64 = 0.6;

pub fn holes(sheet: &Sheet, residual: &Residual, plane: &Plane, target: TargetType) -> Vec<Hole> {
    let mut deviation = residual.deviation(sheet);
    numerals::clear(&mut deviation, residual, sheet, target);
    let largest = LARGEST_SPOT * PI / 4.0 * sheet.calibre_px.powi(2);
    let solids: Vec<Solid> = spots(&deviation, sheet)
        .into_iter()
        .filter(|spot| !spot.is_cut && (spot.mask.area() as f64) < largest)
        .map(|spot| Solid::new(spot, sheet, target))
        .collect();
    let usual = [true, false].map(|in_black| usual(&solids, sheet, in_black));
    let mut holes: Vec<Hole> = solids
        .iter()
        .filter(|solid| solid.on_target || is_plain(solid, &solids, sheet, usual[1]))
        .flat_map(|solid| solid.holes(sheet, &deviation, usual[usize::from(!solid.in_black)]))
        .map(|(disc, confidence)| report(&disc, confidence, sheet, plane))
        .collect();
    let reach = reach_mm(target);
    holes.retain(|hole| hole.confidence >= LEAST_CONFIDENCE && hole.position.distance_mm(Position::CENTRE) < reach);
    holes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    holes
}

/// A spot without skirts, strokes and gaps.
struct Solid {
    spot: Spot,
    mask: Mask,
    /// Its middle on the sheet.
    middle: (f64, f64),
    in_black: bool,
    /// Within the outermost ring or on it.
    on_target: bool,
}

impl Solid {
    fn new(spot: Spot, sheet: &Sheet, target: TargetType) -> Self {
        let mask = solid(&outlined(&spot, sheet.calibre_px), sheet.calibre_px);
        let middle = (spot.left as f64 + mask.width as f64 / 2.0, spot.top as f64 + mask.height as f64 / 2.0);
        let distance = sheet.position(middle.0, middle.1).distance_mm(Position::CENTRE);
        let table = target.rings();
        let in_black = distance < table.black_mm() / 2.0;
        let on_target = distance < (table.outermost_mm() + table.calibre_mm()) / 2.0;
        Self { spot, mask, middle, in_black, on_target }
    }

    /// The holes in this spot, in sheet pixels, each with its confidence.
    fn holes(&self, sheet: &Sheet, deviation: &Grid, usual: Usual) -> Vec<(Disc, f64)> {
        let discs = cover(&self.mask, sheet.calibre_px, usual, MOST_IN_SPOT);
        let (left, top) = (self.spot.left as f64, self.spot.top as f64);
        discs
            .iter()
            .filter_map(|disc| {
                let confidence = judge(disc, &discs, &self.mask, &self.spot, deviation)?;
                Some((Disc { x: disc.x + left, y: disc.y + top, radius: disc.radius }, confidence))
            })
            .collect()
    }
}

/// Whether a spot outside the rings is beyond doubt: one disc of the usual size and nothing else about it. Cards carry
/// serial numbers, names and clips there, which come in rows.
fn is_plain(solid: &Solid, all: &[Solid], sheet: &Sheet, usual: Usual) -> bool {
    let lonely = all.iter().all(|other| {
        std::ptr::eq(solid, other)
            || (other.middle.0 - solid.middle.0).hypot(other.middle.1 - solid.middle.1) > 3.0 * sheet.calibre_px
    });
    lonely
        && only_disc(&solid.mask, sheet.calibre_px)
            .is_some_and(|disc| (0.8..1.25).contains(&(disc.radius / sheet.calibre_px / usual.radius)))
}

/// What size holes have on this target, by those that lie alone and are round: paper, bullet and what counts as a hole's
/// edge are the same for all of them, on white and on black for themselves.
fn usual(solids: &[Solid], sheet: &Sheet, in_black: bool) -> Usual {
    const LEAST: usize = 3;
    let mut radii: Vec<f32> = solids
        .iter()
        .filter(|solid| solid.in_black == in_black)
        .filter_map(|solid| only_disc(&solid.mask, sheet.calibre_px))
        .map(|disc| (disc.radius / sheet.calibre_px) as f32)
        .collect();
    if radii.len() < LEAST {
        return Usual::GUESS;
    }
    median(&mut radii).map_or(Usual::GUESS, |radius| Usual { radius: f64::from(radius), spread: 0.08 })
}

/// A spot without the skirt that blur puts about it: its core, and whatever lies deeper within it than a skirt is wide.
fn outlined(spot: &Spot, calibre_px: f64) -> Mask {
    let deep = spot.mask.grown(true).filled(enclosed_by_a_hole(calibre_px)).shrunk(true);
    deep.shrunk(true).shrunk(false).shrunk(true).or(&spot.core)
}

/// Pixels that a hole's rim may enclose.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred pixels")]
fn enclosed_by_a_hole(calibre_px: f64) -> usize {
    (1.2 * PI / 4.0 * calibre_px * calibre_px).round() as usize
}

/// Closes a spot's outline, fills it, and takes off what is thinner than a hole: strokes, lines, cracks.
fn solid(mask: &Mask, calibre_px: f64) -> Mask {
    let closed = mask.grown(true).filled(enclosed_by_a_hole(calibre_px)).shrunk(true);
    let opened = closed.shrunk(true).shrunk(false).grown(false).grown(true);
    opened.and(&closed)
}

/// How sure it is that a disc is a hole. `None`: it is none.
fn judge(disc: &Disc, all: &[Disc], solid: &Mask, spot: &Spot, deviation: &Grid) -> Option<f64> {
    let (mut filled, mut strength) = (Mean::default(), Mean::default());
    let (mut clear, mut unrest) = (Mean::default(), Mean::default());
    let (inner, outer, beyond) = (1.1 * disc.radius + 1.0, 1.3 * disc.radius + 1.5, 1.5 * disc.radius + 3.0);
    for (x, y) in pixels_about(disc, beyond, spot, deviation) {
        let (u, v) = (x as f64 - spot.left as f64, y as f64 - spot.top as f64);
        let distance = (u - disc.x).hypot(v - disc.y);
        let value = f64::from(deviation.row(y)[x]);
        if distance <= disc.radius {
            filled.add(f64::from(u8::from(is_set(solid, u, v))));
            strength.add(value.min(STRONG));
        } else if distance >= inner && distance <= beyond {
            let other = all.iter().any(|d| d != disc && (u - d.x).hypot(v - d.y) < 1.2 * d.radius + 1.5);
            if distance <= outer {
                clear.add(f64::from(u8::from(!is_set(solid, u, v) || other)));
            } else if !other {
                unrest.add(value.min(STRONG));
            }
        }
    }
    let sharpness = strength.value() / unrest.value().max(1.0);
    if filled.value() < LEAST_FILL || clear.value() < LEAST_CLEARANCE || sharpness < LEAST_SHARPNESS {
        return None;
    }
    let ramp = |value: f64, low: f64, high: f64| ((value - low) / (high - low)).clamp(0.0, 1.0);
    let shape = ramp(filled.value(), 0.5, 0.9) * ramp(clear.value(), 0.3, 0.8);
    Some(shape * (0.3 + 0.7 * ramp(strength.value(), 3.0, 10.0)) * (0.4 + 0.6 * ramp(sharpness, 2.0, 5.0)))
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    /// Nought where there was nothing.
    fn value(&self) -> f64 {
        self.sum / self.count.max(1.0)
    }
}

/// The pixels of the sheet in the square about a disc.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the sheet")]
fn pixels_about(disc: &Disc, reach: f64, spot: &Spot, sheet: &Grid) -> impl Iterator<Item = (usize, usize)> {
    let (x, y) = (disc.x + spot.left as f64, disc.y + spot.top as f64);
    let range = |at: f64, size: usize| ((at - reach).max(0.0) as usize)..((at + reach).max(0.0) as usize + 1).min(size);
    let columns = range(x, sheet.width);
    range(y, sheet.height).flat_map(move |row| columns.clone().map(move |column| (column, row)))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers within the mask")]
fn is_set(mask: &Mask, u: f64, v: f64) -> bool {
    u >= 0.0
        && v >= 0.0
        && u < mask.width as f64
        && v < mask.height as f64
        && mask.cells[v as usize * mask.width + u as usize]
}

/// A disc on the sheet as a hole in the picture.
fn report(disc: &Disc, confidence: f64, sheet: &Sheet, plane: &Plane) -> Hole {
    let position = sheet.position(disc.x, disc.y);
    let (x_px, y_px) = plane.px(position);
    let diameter_mm = 2.0 * disc.radius / sheet.pixels_per_mm;
    // The box about the picture of a small circle: its half sides are the lengths of the Jacobian's rows.
    let [x_row, y_row] = plane.jacobian(position).map(|[a, b]| a.hypot(b));
    Hole { position, x_px, y_px, width_px: diameter_mm * x_row, height_px: diameter_mm * y_row, confidence }
}
