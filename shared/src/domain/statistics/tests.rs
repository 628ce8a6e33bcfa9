use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::domain::{session::FrameNumber, target::TargetType};

fn shots(target: TargetType, xy: &[(f64, f64)]) -> Vec<Shot> {
    let shot = |(i, (x, y)): (usize, &(f64, f64))| {
        let id = Uuid::from_u128(i as u128);
        Shot::scored(id, Position::new(*x, *y), target.rings(), FrameNumber::MIN, 0.9, 4.5)
    };
    xy.iter().enumerate().map(shot).collect()
}

fn statistics(xy: &[(f64, f64)]) -> Statistics {
    let target = TargetType::AirPistol10m;
    Statistics::of(&shots(target, xy), target.rings(), TimeDelta::minutes(30))
}

#[test]
fn without_shots_there_are_no_averages() {
    assert_eq!(
        serde_json::to_value(statistics(&[])).unwrap(),
        json!({
            "total_shots": 0, "accuracy_percentage": null, "average_score": null, "session_duration_minutes": 30.0,
            "best_score": null, "worst_score": null, "total_score": 0.0, "group": null, "series": [],
        })
    );
}

#[test]
fn one_shot_has_a_place_but_no_dispersion() {
    let group = statistics(&[(3.04, -0.04)]).group;
    assert_eq!(
        serde_json::to_value(group).unwrap(),
        json!({
            "mean_radius_mm": 0.0, "sigma_mm": null, "r50_mm": null, "r95_mm": null, "sigma_interval_mm": null,
            "extreme_spread_mm": 0.0, "offset_mm": { "x": 3.0, "y": 0.0 },
        })
    );
}

#[test]
fn the_figures_of_four_shots_are_those_of_a_pocket_calculator() {
    // A square of 8 mm about (2, 1): Σr² = 4 · 32, σ² = 128 / 6.
    let statistics = statistics(&[(6.0, 5.0), (-2.0, 5.0), (-2.0, -3.0), (6.0, -3.0)]);
    assert_eq!(
        serde_json::to_value(statistics).unwrap(),
        json!({
            "total_shots": 4, "accuracy_percentage": 100.0, "average_score": 10.2, "session_duration_minutes": 30.0,
            "best_score": 10.5, "worst_score": 10.0, "total_score": 40.9,
            "group": {
                "mean_radius_mm": 5.7, "sigma_mm": 4.6, "r50_mm": 5.4, "r95_mm": 11.3,
                "sigma_interval_mm": [3.2, 8.8], "extreme_spread_mm": 11.3, "offset_mm": { "x": 2.0, "y": 1.0 },
            },
            "series": [{ "shots": 4, "average_score": 10.2 }],
        })
    );
}

#[test]
fn ten_shots_with_a_sigma_of_17_1_have_the_interval_of_the_api_document() {
    let dispersion =
        Dispersion { shots: 10, centre: Position::CENTRE, squares_x: 9.0 * 17.1 * 17.1, squares_y: 9.0 * 17.1 * 17.1 };
    let sigma = dispersion.sigma_mm().unwrap();
    assert_eq!([sigma, R50_SIGMAS * sigma, R95_SIGMAS * sigma].map(to_tenth), [17.1, 20.1, 41.9]);
    assert_eq!(dispersion.sigma_interval_mm().unwrap().map(to_tenth), [13.5, 23.7]);
}

#[test]
fn the_radii_are_those_of_a_normal_dispersion() {
    assert!((R50_SIGMAS - (2.0 * 2.0_f64.ln()).sqrt()).abs() < 5e-5);
    assert!((R95_SIGMAS - (2.0 * 20.0_f64.ln()).sqrt()).abs() < 5e-5);
}

#[test]
fn the_black_is_gauged_with_the_edge_of_the_hole() {
    // The black of the air pistol reaches to 29.75 mm, the pellet's edge 2.25 mm farther in.
    let on_the_line = statistics(&[(32.0, 0.0), (32.001, 0.0), (0.0, 0.0)]);
    assert_eq!(on_the_line.accuracy_percentage, Some(66.7));
}

#[test]
fn series_are_of_five_and_the_last_may_be_shorter() {
    let xy: Vec<_> = (0..12).map(|i| (f64::from(i), 0.0)).collect();
    let lengths: Vec<_> = statistics(&xy).series.iter().map(|series| series.shots).collect();
    assert_eq!(lengths, [5, 5, 2]);
}

#[test]
fn averages_are_rounded_and_totals_are_exact() {
    assert_eq!(tenths_of(209, 2), Some(10.5));
    assert_eq!(tenths_of(313, 3), Some(10.4));
    assert_eq!(tenths_of(0, 0), None);
    let centre = vec![(0.0, 0.0); 300];
    assert_eq!(statistics(&centre).total_score, 3270.0);
}

fn xy() -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((-70.0..70.0, -70.0..70.0), 2..60)
}

proptest! {
    #[test]
    fn sigma_lies_in_its_interval_and_the_radii_grow(xy in xy()) {
        let group = statistics(&xy).group.unwrap();
        let [low, high] = group.sigma_interval_mm.unwrap();
        let sigma = group.sigma_mm.unwrap();
        prop_assert!(low <= sigma && sigma <= high);
        prop_assert!(sigma <= group.r50_mm.unwrap() && group.r50_mm <= group.r95_mm);
        prop_assert!(group.mean_radius_mm <= group.extreme_spread_mm + 0.1);
    }

    #[test]
    fn a_shift_of_all_shots_moves_the_offset_and_nothing_else(
        xy in xy(),
        dx in -20.0..20.0_f64,
        dy in -20.0..20.0_f64,
    ) {
        let target = TargetType::AirPistol10m;
        let moved: Vec<_> = xy.iter().map(|(x, y)| (x + dx, y + dy)).collect();
        let before = Dispersion::of(&shots(target, &xy)).unwrap();
        let after = Dispersion::of(&shots(target, &moved)).unwrap();
        prop_assert!((after.sigma_mm().unwrap() - before.sigma_mm().unwrap()).abs() < 1e-9);
        prop_assert!((after.centre.x_mm - before.centre.x_mm - dx).abs() < 1e-9);
        prop_assert!((after.centre.y_mm - before.centre.y_mm - dy).abs() < 1e-9);
    }

    #[test]
    fn the_figures_of_the_whole_do_not_depend_on_the_order(xy in xy()) {
        let reversed: Vec<_> = xy.iter().rev().copied().collect();
        let (forth, back) = (statistics(&xy), statistics(&reversed));
        prop_assert_eq!(forth.total_score, back.total_score);
        prop_assert_eq!(forth.average_score, back.average_score);
        prop_assert_eq!(forth.accuracy_percentage, back.accuracy_percentage);
        prop_assert_eq!(forth.group.unwrap().extreme_spread_mm, back.group.unwrap().extreme_spread_mm);
    }

    #[test]
    fn the_series_make_up_the_whole(xy in xy()) {
        let statistics = statistics(&xy);
        prop_assert_eq!(statistics.series.iter().map(|series| series.shots).sum::<usize>(), xy.len());
        let (best, worst) = (statistics.best_score.unwrap(), statistics.worst_score.unwrap());
        prop_assert!(statistics.series.iter().all(|s| worst <= s.average_score && s.average_score <= best));
    }
}
