//! What a frame shows, against what is said to be true of it.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places in the frame become pixels")]

use crate::{Backing, Position, RenderedFrame, Scene, SceneSpec, Subject, TargetType, View};

const TARGETS: [TargetType; 3] = [TargetType::AirPistol10m, TargetType::Standard, TargetType::RapidFire25m];

fn scene(target: TargetType, seed: u64, backing: Backing) -> Scene {
    Scene::random(target, seed, &SceneSpec { shots: 4, backing: Some(backing), ..SceneSpec::default() })
}

fn luma(frame: &RenderedFrame, at: usize) -> f64 {
    let pixel = &frame.pixels[at * 3..at * 3 + 3];
    0.299 * f64::from(pixel[0]) + 0.587 * f64::from(pixel[1]) + 0.114 * f64::from(pixel[2])
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let jpeg = |seed, nudge| scene(TargetType::AirPistol10m, seed, Backing::Dark).frame(3, nudge).jpeg().unwrap();
    assert!(jpeg(3, 1) == jpeg(3, 1));
    assert!(jpeg(3, 1) != jpeg(3, 2), "another nudge is another frame");
    assert!(jpeg(3, 1) != jpeg(4, 1), "another seed is another scene");
}

#[test]
fn the_truth_is_where_a_holes_pixels_are() {
    for target in TARGETS {
        for backing in Backing::ALL {
            let scene = scene(target, 21, backing);
            let (without, with) = (scene.frame(3, 0), scene.frame(4, 0));
            let hole = with.truth[3];
            let radius_px = hole.diameter_mm / 2.0 * scene.view.pixels_per_mm;
            let (mut sum_x, mut sum_y, mut sum) = (0.0, 0.0, 0.0);
            for at in 0..1920 * 1080 {
                let change: f64 =
                    (0..3).map(|c| f64::from(with.pixels[at * 3 + c].abs_diff(without.pixels[at * 3 + c]))).sum();
                sum_x += change * ((at % 1920) as f64 + 0.5);
                sum_y += change * ((at / 1920) as f64 + 0.5);
                sum += change;
            }
            assert!(sum > 0.0, "{target:?} {backing:?}: the hole is seen");
            let off = (sum_x / sum - hole.x_px).hypot(sum_y / sum - hole.y_px);
            assert!(off < 0.3 * radius_px, "{target:?} {backing:?}: {off} px off, radius {radius_px}");
        }
    }
}

#[test]
fn the_black_ends_where_the_table_says() {
    for target in TARGETS {
        let mut scene = scene(target, 5, Backing::Dark);
        scene.shots.clear();
        let frame = scene.frame(0, 3);
        let projection = frame.view.projection();
        let radius = target.rings().black_mm() / 2.0;
        let mean = |factor: f64| {
            let place = |step: i32| {
                let (sin, cos) = (f64::from(step) * 0.05).sin_cos();
                let (x, y) = projection.to_px(Position::new(factor * radius * cos, factor * radius * sin));
                luma(&frame, y as usize * 1920 + x as usize)
            };
            (0..126).map(place).sum::<f64>() / 126.0
        };
        let (inside, edge, outside) = (mean(0.97), mean(1.0), mean(1.03));
        assert!(outside > inside + 40.0, "{target:?}: {inside} {outside}");
        assert!(edge > inside + 10.0 && edge < outside - 10.0, "{target:?}: {inside} {edge} {outside}");
    }
}

#[test]
fn holes_of_a_session_stay_where_they_are() {
    let scene = scene(TargetType::AirPistol10m, 8, Backing::Light);
    let (early, late) = (scene.frame(2, 3), scene.frame(4, 5));
    for (before, after) in early.truth.iter().zip(&late.truth) {
        assert_eq!((before.position, before.diameter_mm), (after.position, after.diameter_mm));
        assert!((before.x_px - after.x_px).hypot(before.y_px - after.y_px) < 40.0);
    }
    assert_ne!(early.view, late.view);
}

#[test]
fn a_hidden_hole_is_not_drawn() {
    let mut scene = scene(TargetType::AirPistol10m, 8, Backing::Dark);
    scene.shots[3].hidden = true;
    assert!(scene.frame(4, 2).pixels == scene.frame(3, 2).pixels);
    let drawn: Vec<usize> = scene.frame(4, 2).truth.iter().map(|hole| hole.index).collect();
    assert_eq!(drawn, [0, 1, 2]);
}

#[test]
fn frames_without_a_target_have_no_truth() {
    for subject in [Subject::BarePaper, Subject::Wall, Subject::Noise] {
        let spec = SceneSpec { subject, width: 320, height: 240, ..SceneSpec::default() };
        assert!(Scene::random(TargetType::Standard, 1, &spec).frame(10, 0).truth.is_empty());
    }
}

#[test]
fn a_frame_has_the_size_that_was_asked_for() {
    for (width, height) in [(64, 64), (641, 481), (1080, 1920)] {
        let spec = SceneSpec { width, height, ..SceneSpec::default() };
        let frame = Scene::random(TargetType::Standard, 1, &spec).frame(10, 1);
        let View { width: seen_width, height: seen_height, .. } = frame.view;
        assert_eq!((seen_width, seen_height), (width, height));
        assert_eq!(frame.pixels.len(), (width * height * 3) as usize);
        assert!(frame.png().unwrap().starts_with(b"\x89PNG"));
    }
}
