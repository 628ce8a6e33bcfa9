#![expect(clippy::cast_possible_truncation, reason = "distances on a sheet")]
//! Finds the holes: what on the sheet is neither paper nor print, as large and as round as a bullet leaves it.

use std::f64::consts::PI;

use shared::domain::{position::Position, target::TargetType};

use super::{
    Hole,
    candidates::{Candidate, distinct, without_doubled},
    colour::HoleColour,
    deviation::Residual,
    discs::{Disc, Usual},
    judge::Ground,
    noise::Noise,
    numerals,
    plane::Plane,
    sheet::{Grid, Sheet, reach_mm},
    solid::{Solid, is_plain, usual},
    spots::{DARKER, EITHER_SIGN, OF_COLOUR, Sense, spots},
    weights::logit_among,
};

/// A spot much larger than that is no cluster: a shadow, a clip, the edge of the paper.
const LARGEST_SPOT: f64 = 14.0;
const LEAST_CONFIDENCE: f64 = 0.68;
/// What it costs in log-odds if the holes' colour is not known: what is printed is then taken for a hole more easily.
const UNKNOWN_COLOUR: f64 = 0.8;
/// What it costs in log-odds if a dark place's tint is further off the holes' than theirs ever is, by the spread.
const TINTED: f64 = 3.0;
const USUAL_TINT: f64 = 2.5;
/// Log-odds from which on a hole's colour counts as a hole's colour.
const SURE: f64 = 1.5;

pub fn holes(sheet: &Sheet, residual: &Residual, plane: &Plane, target: TargetType) -> Vec<Hole> {
    let mut holes: Vec<Hole> = discs(sheet, residual, target)
        .into_iter()
        .map(|found| report(&found.disc, 1.0 / (1.0 + (-found.logit).exp()), sheet, plane))
        .collect();
    let reach = reach_mm(target);
    holes.retain(|hole| hole.confidence >= LEAST_CONFIDENCE && hole.position.distance_mm(Position::CENTRE) < reach);
    holes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    holes
}

fn discs(sheet: &Sheet, residual: &Residual, target: TargetType) -> Vec<Candidate> {
    let noise = residual.noise(sheet);
    let table = target.rings();
    let (outermost_mm, calibre_mm) = (table.outermost_mm() / 2.0, table.calibre_mm());
    let deviation = without_numerals(residual, &noise, sheet, target);
    let ground = Ground { sheet, residual, noise: &noise, deviation: &deviation, outermost_mm, calibre_mm };
    let black_px = (table.black_mm() / 2.0 + calibre_mm) * sheet.pixels_per_mm;
    let (mut candidates, mut darker, mut solids) = (Vec::new(), Vec::new(), Vec::new());
    // Each way of looking is about half of the work.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let darkness = residual.darkness(sheet, black_px as f32);
            propose(&Ground { deviation: &darkness, ..ground }, DARKER, target, &mut darker);
        });
        solids = propose(&ground, EITHER_SIGN, target, &mut candidates);
    });
    candidates.append(&mut darker);
    if let Some(colour) = colour_of_the_surest(&candidates, sheet) {
        for solid in solids.iter().filter(|solid| solid.on_target) {
            let by_colour = solid.of_colour(&colour, &ground).holes(&ground, solid.usual, OF_COLOUR);
            // A second look that merges what the first told apart has seen less.
            let near = |one: &&Candidate| one.by == EITHER_SIGN.by && solid.spot.contains(one.disc.x, one.disc.y);
            let sure = |one: &Candidate| logit_among(one.by, &one.features, colour.off(&one.colour)) > 0.0;
            if by_colour.iter().filter(|one| sure(one)).count()
                > candidates.iter().filter(near).filter(|one| sure(one)).count()
            {
                candidates.extend(by_colour);
            }
        }
        for candidate in &mut candidates {
            candidate.logit = logit_among(candidate.by, &candidate.features, colour.off(&candidate.colour));
            // What is darker than the black has next to no tint, unless it is ink of a pen, which crosses rings.
            if candidate.by == DARKER.by {
                candidate.logit -= TINTED * (colour.off_tint(&candidate.colour) - USUAL_TINT).max(0.0);
            }
        }
    } else {
        candidates.iter_mut().for_each(|candidate| candidate.logit -= UNKNOWN_COLOUR);
    }
    without_doubled(distinct(candidates, sheet), sheet)
}

fn without_numerals(residual: &Residual, noise: &Noise, sheet: &Sheet, target: TargetType) -> Grid {
    let mut deviation = residual.deviation(sheet, noise);
    numerals::clear(&mut deviation, residual, sheet, target);
    deviation
}

/// Adds what one way of looking shows, and returns the spots that it saw.
fn propose(ground: &Ground<'_>, sense: Sense, target: TargetType, candidates: &mut Vec<Candidate>) -> Vec<Solid> {
    let sheet = ground.sheet;
    let largest = LARGEST_SPOT * PI / 4.0 * sheet.calibre_px.powi(2);
    let mut solids: Vec<Solid> = spots(ground.deviation, sheet, sense)
        .into_iter()
        .filter(|spot| !spot.is_cut && (spot.mask.area() as f64) < largest)
        .map(|spot| Solid::new(spot, sheet, sense, target))
        .filter(|solid| sense.gap > 0 || solid.in_black)
        .collect();
    let guess = if sense.gap > 0 { Usual::GUESS } else { Usual::WITHIN_RIM };
    let usual = [true, false].map(|in_black| usual(&solids, sheet, in_black, guess));
    solids.iter_mut().for_each(|solid| solid.usual = usual[usize::from(!solid.in_black)]);
    for solid in solids.iter().filter(|solid| solid.on_target || is_plain(solid, &solids, sheet, usual[1])) {
        candidates.extend(solid.holes(ground, solid.usual, sense));
    }
    solids
}

fn colour_of_the_surest(candidates: &[Candidate], sheet: &Sheet) -> Option<HoleColour> {
    let sure: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.logit > SURE).collect();
    let colours: Vec<[f64; 3]> = distinct(sure, sheet).iter().map(|candidate| candidate.colour).collect();
    HoleColour::of(&colours)
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
