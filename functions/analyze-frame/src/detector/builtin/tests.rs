//! The detector as a whole, on small targets that are drawn here.

use shared::domain::frame::{FrameFormat, FrameInfo, Raster};

use super::*;

const WIDTH: usize = 900;
const HEIGHT: usize = 800;
const PIXELS_PER_MM: f64 = 4.5;
/// Off the middle, so that nothing is right by accident.
const CENTRE: (f64, f64) = (461.3, 392.6);

/// Brightness of an air-pistol target at a position: paper, black, rings, and dark holes of a calibre.
fn brightness(position: Position, holes: &[Position]) -> f64 {
    let table = TargetType::AirPistol10m.rings();
    if holes.iter().any(|hole| hole.distance_mm(position) < table.calibre_mm() / 2.0) {
        return 95.0;
    }
    let radius = position.distance_mm(Position::CENTRE);
    let in_black = radius < table.black_mm() / 2.0;
    let on_line = (1..=10).any(|ring| (radius - table.diameter_um(ring) as f64 / 2000.0).abs() < 0.15);
    match (in_black, on_line) {
        (true, false) => 40.0,
        (true, true) => 200.0,
        (false, true) => 60.0,
        (false, false) => 215.0,
    }
}

/// A frame in which every pixel is the mean of nine places, plus a little noise that is always the same.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn frame(value: impl Fn(f64, f64) -> f64) -> DecodedFrame {
    let mut luma = Raster::new(WIDTH, HEIGHT);
    let mut state = 1_u32;
    for (at, sample) in luma.samples.iter_mut().enumerate() {
        let (x, y) = ((at % WIDTH) as f64, (at / WIDTH) as f64);
        let shifts = [-1.0 / 3.0, 0.0, 1.0 / 3.0];
        let sum: f64 = shifts.iter().flat_map(|dy| shifts.map(|dx| value(x + dx, y + dy))).sum();
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = (sum / 9.0 + f64::from(state >> 24) / 64.0 - 2.0).clamp(0.0, 255.0) as u8;
    }
    let mut grey = Raster::new(WIDTH / 2, HEIGHT / 2);
    grey.samples.fill(128);
    let info = FrameInfo {
        format: FrameFormat::Png,
        width: u32::try_from(WIDTH).unwrap(),
        height: u32::try_from(HEIGHT).unwrap(),
    };
    DecodedFrame { info, luma, cb: grey.clone(), cr: grey }
}

fn target(holes: &[Position]) -> DecodedFrame {
    let position = |x, y| Position::new((x - CENTRE.0) / PIXELS_PER_MM, (CENTRE.1 - y) / PIXELS_PER_MM);
    frame(|x, y| brightness(position(x, y), holes))
}

#[test]
fn holes_in_white_in_black_and_on_the_edge_are_found_where_they_are() {
    let truth =
        [(-12.0, 8.0), (29.75, 0.0), (45.0, 41.0), (-20.0, -55.0), (3.0, -15.0)].map(|(x, y)| Position::new(x, y));
    let detection = detect(&target(&truth), TargetType::AirPistol10m);
    let found = detection.target.unwrap();
    assert!((found.centre_px.0 - CENTRE.0).hypot(found.centre_px.1 - CENTRE.1) < 0.3, "{found:?}");
    assert!((found.pixels_per_mm - PIXELS_PER_MM).abs() < 0.02, "{found:?}");
    assert_eq!(detection.holes.len(), truth.len(), "{:?}", detection.holes);
    for hole in truth {
        let nearest = detection.holes.iter().map(|found| found.position.distance_mm(hole)).fold(f64::MAX, f64::min);
        assert!(nearest < 0.4, "{hole:?} is off by {nearest} mm");
    }
}

#[test]
fn two_holes_that_overlap_are_two() {
    let truth = [Position::new(35.0, 20.0), Position::new(38.2, 21.0)];
    assert_eq!(detect(&target(&truth), TargetType::AirPistol10m).holes.len(), 2);
}

/// The rim of a hole is torn paper; what is behind may be as dark as the print.
#[test]
fn dark_holes_in_the_black_are_found() {
    let truth = [(-12.0, 8.0), (14.0, -4.0), (3.0, -17.0), (9.5, 15.5)].map(|(x, y)| Position::new(x, y));
    let position = |x, y| Position::new((x - CENTRE.0) / PIXELS_PER_MM, (CENTRE.1 - y) / PIXELS_PER_MM);
    let dark = frame(|x, y| {
        let nearest = truth.iter().map(|hole| hole.distance_mm(position(x, y))).fold(f64::MAX, f64::min);
        match nearest {
            ..1.8 => 22.0,
            1.8..2.2 => 75.0,
            _ => brightness(position(x, y), &[]),
        }
    });
    let holes = detect(&dark, TargetType::AirPistol10m).holes;
    assert_eq!(holes.len(), truth.len(), "{holes:?}");
    assert!(truth.iter().all(|hole| holes.iter().any(|found| found.position.distance_mm(*hole) < 0.5)), "{holes:?}");
}

#[test]
fn a_clean_target_has_no_holes() {
    let detection = detect(&target(&[]), TargetType::AirPistol10m);
    assert!(detection.target.is_some());
    assert_eq!(detection.holes, []);
}

#[test]
fn a_target_of_another_type_is_not_taken_for_this_one() {
    assert_eq!(locate(&target(&[]), TargetType::Rifle50m), None);
}

#[test]
fn a_dark_disc_without_rings_is_no_target() {
    let disc = frame(|x, y| if (x - 400.0).hypot(y - 400.0) < 150.0 { 40.0 } else { 210.0 });
    assert_eq!(detect(&disc, TargetType::AirPistol10m), Detection { target: None, holes: Vec::new() });
}

#[test]
fn a_wall_is_no_target() {
    assert_eq!(locate(&frame(|_, _| 180.0), TargetType::AirPistol10m), None);
}
