use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::{position::Position, session::FrameNumber};

/// Ten points of a round normal dispersion with its centre at nought and σ = 1.
const ROUND: [(f64, f64); 10] = [
    (0.62, -0.31),
    (-1.10, 0.84),
    (0.25, 1.52),
    (-0.48, -1.21),
    (1.43, 0.37),
    (-0.71, 0.12),
    (0.09, -0.66),
    (1.02, -1.05),
    (-1.55, -0.48),
    (0.43, 0.86),
];

/// One shot a frame, in their order.
fn shots(target: TargetType, xy: impl IntoIterator<Item = (f64, f64)>) -> Vec<Shot> {
    let shot = |(number, (x, y))| {
        let (id, frame) = (Uuid::from_u128(u128::from(number)), FrameNumber::try_from(number).unwrap());
        Shot::scored(id, Position::new(x, y), target.rings(), frame, 0.9, 4.5)
    };
    (1_u32..).zip(xy).map(shot).collect()
}

/// The round group, stretched and moved.
fn group(sigma: (f64, f64), centre: (f64, f64)) -> Vec<(f64, f64)> {
    ROUND.iter().map(|(x, y)| (centre.0 + sigma.0 * x, centre.1 + sigma.1 * y)).collect()
}

fn advice(xy: Vec<(f64, f64)>) -> Advice {
    advise(&shots(TargetType::AirPistol10m, xy), TargetType::AirPistol10m)
}

#[test]
fn fewer_than_three_shots_are_too_few() {
    for (count, said) in [(0, "No shots are"), (1, "1 shot is"), (2, "2 shots are")] {
        let Advice { strengths, improvements, next_steps } = advice(vec![(1.0, 1.0); count]);
        assert!(strengths.is_empty() && improvements.is_empty());
        assert_eq!(next_steps.len(), 1);
        assert!(next_steps[0].starts_with(&format!("{said} too few for advice")), "{next_steps:?}");
    }
}

#[test]
fn an_offset_is_named_with_its_direction_and_what_it_costs() {
    insta::assert_json_snapshot!(advice(group((5.0, 5.0), (-6.1, -9.8))));
}

#[test]
fn a_centred_tight_group_is_praised_with_its_figures_and_nothing_else_is_made_up() {
    insta::assert_json_snapshot!(advice(group((4.0, 4.0), (0.3, -0.2))));
}

#[test]
fn a_wide_group_is_told_what_its_width_costs() {
    insta::assert_json_snapshot!(advice(group((26.0, 26.0), (4.0, 4.0))));
}

#[test]
fn a_tall_group_names_both_axes() {
    insta::assert_json_snapshot!(advice(group((3.0, 12.0), (0.0, 0.0))));
}

#[test]
fn a_flier_is_named_by_its_number_and_kept_out_of_the_group() {
    let mut xy = group((4.0, 4.0), (0.0, 0.0));
    xy[6] = (38.0, -21.0);
    insta::assert_json_snapshot!(advice(xy));
}

#[test]
fn a_drift_between_series_and_falling_scores_are_named() {
    let mut xy = group((4.0, 4.0), (0.0, 0.0));
    xy.extend(group((4.0, 4.0), (14.0, 9.0)));
    insta::assert_json_snapshot!(advice(xy));
}

#[test]
fn shots_of_one_frame_have_no_series_that_could_drift() {
    let mut xy = group((4.0, 4.0), (0.0, 9.0));
    xy.extend(group((4.0, 4.0), (0.0, -9.0)));
    let target = TargetType::AirPistol10m;
    let at_once =
        shots(target, xy).into_iter().map(|shot| Shot { first_frame: FrameNumber::MIN, ..shot }).collect::<Vec<_>>();
    let Advice { strengths, improvements, .. } = advise(&at_once, target);
    assert!(
        !strengths.iter().chain(&improvements).any(|text| text.contains("series")),
        "{strengths:?} {improvements:?}"
    );
}

#[test]
fn a_miss_is_named_and_no_shot_on_an_all_black_target_is_praised_for_it() {
    let target = TargetType::RapidFire25m;
    let xy = [(0.0, 0.0), (30.0, -40.0), (-60.0, 20.0), (255.0, 0.0)];
    let advice = advise(&shots(target, xy), target);
    assert_eq!(advice.improvements[0], "Shot 4 lies outside the scoring rings and counted 0.0");
    assert!(!advice.strengths.iter().any(|strength| strength.contains("black")));
}

#[test]
fn an_offset_that_chance_explains_is_no_fault() {
    let said = advice(group((14.0, 14.0), (3.0, -3.0)));
    assert!(!said.improvements.iter().any(|fault| fault.contains("centre is")), "{said:?}");
}

#[test]
fn identical_shots_are_no_puzzle() {
    let said = advice(vec![(0.0, 0.0); 10]);
    assert!(said.improvements.is_empty());
    assert!(!said.strengths.is_empty() && !said.next_steps.is_empty());
}

fn dispersed() -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((-90.0..90.0, -90.0..90.0), 0..40)
}

proptest! {
    #[test]
    fn there_is_always_a_next_step_and_every_figure_is_a_number(xy in dispersed()) {
        let Advice { strengths, improvements, next_steps } = advice(xy);
        prop_assert!(!next_steps.is_empty());
        for text in strengths.iter().chain(&improvements).chain(&next_steps) {
            prop_assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
            prop_assert!(!text.contains("-0.0"), "{text}");
            prop_assert!(!text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
        }
    }

    #[test]
    fn a_mirrored_target_gets_mirrored_advice(xy in dispersed()) {
        let mirrored: Vec<_> = xy.iter().map(|(x, y)| (-x, *y)).collect();
        let swap = |text: &String| text.replace("left", "\u{1}").replace("right", "left").replace('\u{1}', "right");
        let swapped = |texts: &[String]| texts.iter().map(swap).collect::<Vec<_>>();
        let (plain, mirror) = (advice(xy), advice(mirrored));
        prop_assert_eq!(swapped(&plain.improvements), mirror.improvements);
        prop_assert_eq!(swapped(&plain.next_steps), mirror.next_steps);
    }
}
