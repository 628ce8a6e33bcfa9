//! Ring numbers are print, not holes.
//!
//! No font is known, but every number is printed up to four times, at the same distance on each axis. A place that looks
//! like its counterparts on the other axes is print; a hole has no counterpart. Numbers stand upright on all axes or are
//! turned with them: whichever makes the four look more alike.

mod band;
mod common;
mod patch;

use shared::domain::target::TargetType;

use self::band::Band;
use super::{
    deviation::Residual,
    roll::number_bands,
    sheet::{Grid, Sheet},
};

/// Bands narrower than that have no numbers worth clearing.
const SMALLEST_CALIBRES: f64 = 1.0;

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
