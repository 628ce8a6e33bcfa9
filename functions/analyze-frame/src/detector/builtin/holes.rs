//! Finds the holes: what on the sheet is neither paper nor print, as large and as round as a bullet leaves it.

use shared::domain::{position::Position, target::TargetType};

use super::{
    Hole,
    deviation::Residual,
    discs::{Disc, cover},
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
/// What is less sure is not reported.
const LEAST_CONFIDENCE: f64 = 0.3;

pub fn holes(sheet: &Sheet, residual: &Residual, plane: &Plane, target: TargetType) -> Vec<Hole> {
    let mut deviation = residual.deviation(sheet);
    numerals::clear(&mut deviation, residual, sheet, target);
    let mut holes: Vec<Hole> = spots(&deviation, sheet)
        .iter()
        .filter(|spot| !spot.is_cut)
        .flat_map(|spot| in_spot(spot, sheet, &deviation))
        .map(|(disc, confidence)| report(&disc, confidence, sheet, plane))
        .collect();
    let reach = reach_mm(target);
    holes.retain(|hole| hole.confidence >= LEAST_CONFIDENCE && hole.position.distance_mm(Position::CENTRE) < reach);
    holes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    holes
}

/// The holes in one spot, in sheet pixels, each with its confidence.
fn in_spot(spot: &Spot, sheet: &Sheet, deviation: &Grid) -> Vec<(Disc, f64)> {
    let calibre_area = std::f64::consts::FRAC_PI_4 * sheet.calibre_px.powi(2);
    if spot.mask.area() as f64 > LARGEST_SPOT * calibre_area {
        return Vec::new();
    }
    let solid = solid(&outlined(spot, sheet.calibre_px), sheet.calibre_px);
    let discs = cover(&solid, sheet.calibre_px, MOST_IN_SPOT);
    discs
        .iter()
        .filter_map(|disc| {
            let confidence = judge(disc, &discs, &solid, spot, deviation)?;
            Some((Disc { x: disc.x + spot.left as f64, y: disc.y + spot.top as f64, radius: disc.radius }, confidence))
        })
        .collect()
}

/// A spot without the skirt that blur puts about it: its core, and whatever lies deeper within it than a skirt is wide.
fn outlined(spot: &Spot, calibre_px: f64) -> Mask {
    let deep = spot.mask.grown(true).filled(enclosed_by_a_hole(calibre_px)).shrunk(true);
    deep.shrunk(true).shrunk(false).shrunk(true).or(&spot.core)
}

/// Pixels that a hole's rim may enclose.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred pixels")]
fn enclosed_by_a_hole(calibre_px: f64) -> usize {
    (1.2 * std::f64::consts::FRAC_PI_4 * calibre_px * calibre_px).round() as usize
}

/// Closes a spot's outline, fills it, and takes off what is thinner than a hole: strokes, lines, cracks.
fn solid(mask: &Mask, calibre_px: f64) -> Mask {
    let closed = mask.grown(true).filled(enclosed_by_a_hole(calibre_px)).shrunk(true);
    let opened = closed.shrunk(true).shrunk(false).grown(false).grown(true);
    opened.and(&closed)
}

/// How sure it is that a disc is a hole. `None`: it is none.
fn judge(disc: &Disc, all: &[Disc], solid: &Mask, spot: &Spot, deviation: &Grid) -> Option<f64> {
    let (mut inside, mut filled, mut strength) = (0.0, 0.0, 0.0_f64);
    let (mut about, mut clear) = (0.0, 0.0);
    let outer = 1.3 * disc.radius + 1.5;
    let inner = 1.1 * disc.radius + 1.0;
    for (x, y) in pixels_about(disc, outer, spot, deviation) {
        {
            let (u, v) = (x as f64 - spot.left as f64, y as f64 - spot.top as f64);
            let distance = (u - disc.x).hypot(v - disc.y);
            if distance > outer {
                continue;
            }
            let is_set = is_set(solid, u, v);
            if distance <= disc.radius {
                inside += 1.0;
                filled += f64::from(u8::from(is_set));
                strength += f64::from(deviation.row(y)[x].min(20.0));
            } else if distance >= inner {
                about += 1.0;
                let other = all.iter().any(|d| d != disc && d.contains(u, v));
                clear += f64::from(u8::from(!is_set || other));
            }
        }
    }
    let (fill, clearance) = (filled / f64::max(inside, 1.0), clear / f64::max(about, 1.0));
    let strength = strength / f64::max(inside, 1.0);
    if fill < LEAST_FILL || clearance < LEAST_CLEARANCE {
        return None;
    }
    let ramp = |value: f64, low: f64, high: f64| ((value - low) / (high - low)).clamp(0.0, 1.0);
    Some(ramp(fill, 0.5, 0.9) * ramp(clearance, 0.3, 0.8) * (0.3 + 0.7 * ramp(strength, 3.0, 10.0)))
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
