#![expect(clippy::cast_possible_truncation, reason = "radii are single precision")]
//! Spots as solid shapes, and the discs that cover them.

use std::f64::consts::PI;

use shared::domain::{position::Position, target::TargetType};

use super::{
    candidates::Candidate,
    colour::HoleColour,
    discs::{Disc, Usual, covers, only_disc},
    judge::{Case, Ground},
    linear::median,
    sheet::Sheet,
    spots::{Mask, OF_COLOUR, Sense, Spot},
    weights::{logit, split_logit},
};

/// Most holes in one spot: a ragged cluster of more cannot be told apart in one frame.
const MOST_IN_SPOT: usize = 10;
/// What is less sure is not reported.
/// A calibre with fewer pixels leaves too little of a hole if strokes up to four pixels wide are taken off.
const FEW_PX: f64 = 14.0;

/// A spot without skirts, strokes and gaps.
pub struct Solid {
    pub spot: Spot,
    mask: Mask,
    /// What size holes have about here.
    pub usual: Usual,
    /// Its middle on the sheet.
    middle: (f64, f64),
    pub in_black: bool,
    /// Within the outermost ring or on it.
    pub on_target: bool,
}

impl Solid {
    pub fn new(spot: Spot, sheet: &Sheet, sense: Sense, target: TargetType) -> Self {
        let mask = solid(&outlined(&spot, sheet.calibre_px), sense.stroke, sheet.calibre_px);
        let middle = (spot.left as f64 + mask.width as f64 / 2.0, spot.top as f64 + mask.height as f64 / 2.0);
        let distance = sheet.position(middle.0, middle.1).distance_mm(Position::CENTRE);
        let table = target.rings();
        let in_black = distance < table.black_mm() / 2.0 - if sense.gap > 0 { 0.0 } else { 0.3 * table.calibre_mm() };
        let on_target = distance < (table.outermost_mm() + table.calibre_mm()) / 2.0;
        Self { spot, mask, usual: Usual::GUESS, middle, in_black, on_target }
    }

    /// What of a spot has the colour of holes.
    pub fn of_colour(&self, colour: &HoleColour, ground: &Ground<'_>) -> Self {
        let mut mask = Mask::new(self.spot.mask.width, self.spot.mask.height);
        for (at, cell) in mask.cells.iter_mut().enumerate() {
            let (u, v) = ((at % self.spot.mask.width).cast_signed(), (at / self.spot.mask.width).cast_signed());
            let place = (self.spot.left + u, self.spot.top + v);
            *cell = ground.colour(place).is_some_and(|seen| colour.is_nearest(&seen, ground.ink(place)));
        }
        let mask = solid(&mask, OF_COLOUR.stroke, ground.sheet.calibre_px);
        Self { spot: self.spot.clone(), mask, ..*self }
    }

    /// The holes in this spot, in sheet pixels, each with the logarithm of its odds.
    pub fn holes(&self, ground: &Ground<'_>, usual: Usual, sense: Sense) -> Vec<Candidate> {
        let steps = covers(&self.mask, ground.sheet.calibre_px, usual, MOST_IN_SPOT, |step| {
            split_logit(sense.by, &step.features) > 0.0
        });
        let Some(last) = steps.last() else { return Vec::new() };
        let (left, top) = (self.spot.left as f64, self.spot.top as f64);
        last.discs
            .iter()
            .map(|disc| {
                let case = Case { disc, all: &last.discs, solid: &self.mask, spot: &self.spot, usual };
                let (features, colour) = case.features(ground);
                let disc = Disc { x: disc.x + left, y: disc.y + top, radius: disc.radius };
                Candidate { disc, by: sense.by, logit: logit(sense.by, &features), features, colour }
            })
            .collect()
    }
}

/// Whether a spot outside the rings is beyond doubt: one disc of the usual size and nothing else about it. Cards carry
/// serial numbers, names and clips there, which come in rows.
pub fn is_plain(solid: &Solid, all: &[Solid], sheet: &Sheet, usual: Usual) -> bool {
    let guess = Usual::GUESS;
    let lonely = all.iter().all(|other| {
        std::ptr::eq(solid, other)
            || (other.middle.0 - solid.middle.0).hypot(other.middle.1 - solid.middle.1) > 3.0 * sheet.calibre_px
    });
    lonely
        && only_disc(&solid.mask, sheet.calibre_px, guess)
            .is_some_and(|disc| (0.8..1.25).contains(&(disc.radius / sheet.calibre_px / usual.radius)))
}

/// What size holes have on this target, by those that lie alone and are round: paper, bullet and what counts as a hole's
/// edge are the same for all of them, on white and on black for themselves.
pub fn usual(solids: &[Solid], sheet: &Sheet, in_black: bool, guess: Usual) -> Usual {
    const LEAST: usize = 3;
    let mut radii: Vec<f32> = solids
        .iter()
        .filter(|solid| solid.in_black == in_black)
        .filter_map(|solid| only_disc(&solid.mask, sheet.calibre_px, guess))
        .map(|disc| (disc.radius / sheet.calibre_px) as f32)
        .collect();
    if radii.len() < LEAST {
        return guess;
    }
    median(&mut radii).map_or(guess, |radius| Usual { radius: f64::from(radius), spread: 0.08 })
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
fn solid(mask: &Mask, stroke: usize, calibre_px: f64) -> Mask {
    let closed = mask.grown(true).filled(enclosed_by_a_hole(calibre_px)).shrunk(true);
    let opened = match stroke {
        1 => closed.shrunk(false).grown(false),
        _ if calibre_px < FEW_PX => closed.shrunk(true).grown(true),
        _ => closed.shrunk(true).shrunk(false).grown(false).grown(true),
    };
    opened.and(&closed)
}
