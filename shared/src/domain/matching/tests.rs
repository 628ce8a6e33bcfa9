//! Sessions of many frames, in any order, against what is true.

use proptest::prelude::*;

use super::*;
use crate::domain::target::TargetType;

const CALIBRE_MM: f64 = 4.5;

fn frame(number: u32) -> FrameNumber {
    FrameNumber::try_from(number).unwrap()
}

fn known(shots: &[(f64, f64, u32)]) -> Vec<Known> {
    shots.iter().map(|(x, y, first)| Known { position: Position::new(*x, *y), first_frame: frame(*first) }).collect()
}

fn points(xy: &[(f64, f64)]) -> Vec<Position> {
    xy.iter().map(|(x, y)| Position::new(*x, *y)).collect()
}

fn holes(shots: &[(f64, f64, u32)], found: &[(f64, f64)], number: u32) -> Matching {
    match_holes(&known(shots), &points(found), frame(number), CALIBRE_MM)
}

fn count_new(matching: &Matching) -> usize {
    matching.holes.iter().filter(|hole| matches!(hole, Hole::New(_))).count()
}

#[test]
fn every_hole_of_the_first_frame_is_new_and_where_it_was_found() {
    let matching = holes(&[], &[(1.0, 2.0), (1.5, 2.0)], 3);
    let expected = points(&[(1.0, 2.0), (1.5, 2.0)]).into_iter().map(Hole::New).collect::<Vec<_>>();
    assert_eq!(matching, Matching { holes: expected, earlier: vec![], other_view: false });
}

#[test]
fn a_frame_without_holes_says_nothing_before_the_shots_and_is_another_view_after_them() {
    let two = |frame| [(0.0, 0.0, frame), (20.0, 0.0, frame)];
    assert!(!holes(&[], &[], 1).other_view);
    assert!(holes(&two(1), &[], 2).other_view);
    assert!(!holes(&two(2), &[], 1).other_view);
}

#[test]
fn one_wrong_shot_does_not_keep_a_young_session_from_counting() {
    let (wrong, first, second) = ((60.0, 40.0), (0.0, 0.0), (10.0, -5.0));
    let known = [(wrong.0, wrong.1, 1)];
    let matching = holes(&known, &[first], 2);
    assert_eq!((matching.other_view, count_new(&matching)), (false, 1));
    let known = [(wrong.0, wrong.1, 1), (first.0, first.1, 2)];
    let matching = holes(&known, &[first, second], 3);
    assert_eq!((matching.other_view, count_new(&matching)), (false, 1));
}

#[test]
fn a_second_hole_half_a_calibre_from_a_shot_is_new() {
    let matching = holes(&[(0.0, 0.0, 1)], &[(2.25, 0.1), (0.1, -0.2)], 2);
    assert_eq!(matching.holes[1], Hole::Known(0));
    assert!(matches!(matching.holes[0], Hole::New(at) if at.distance_mm(Position::new(2.25, 0.1)) < 0.3));
}

#[test]
fn an_earlier_frame_moves_the_first_frame_of_what_it_shows() {
    let matching = holes(&[(0.0, 0.0, 5), (20.0, 0.0, 5), (0.0, 20.0, 2)], &[(20.1, 0.1), (0.2, 20.1)], 3);
    assert_eq!(matching.holes, [Hole::Known(1), Hole::Known(2)]);
    assert_eq!(matching.earlier, [1]);
}

#[test]
fn a_shot_that_the_frame_should_show_is_preferred_to_one_that_it_need_not_show() {
    let others = [(30.0, 0.0, 1), (-30.0, 0.0, 1), (0.0, 30.0, 1)];
    let shots: Vec<_> = [(0.0, 0.0, 1), (2.2, 0.0, 5)].into_iter().chain(others).collect();
    let found = [(1.2, 0.0), (30.0, 0.0), (-30.0, 0.0), (0.0, 30.0)];
    assert_eq!(holes(&shots, &found, 3).holes[0], Hole::Known(0));
    assert!(holes(&shots, &found, 3).earlier.is_empty());
}

#[test]
fn a_fifth_of_the_shots_may_be_missed_and_no_more() {
    let ten: Vec<_> = (0..10).map(|i| (f64::from(i) * 7.0 - 30.0, f64::from(i * i % 7) * 6.0, 1)).collect();
    let found: Vec<_> = ten.iter().map(|(x, y, _)| (*x, *y)).collect();
    let cases = [(10, false), (8, false), (7, true)];
    for (shown, other_view) in cases {
        let with_a_new_one: Vec<_> = found[..shown].iter().copied().chain([(0.0, -40.0)]).collect();
        let matching = holes(&ten, &with_a_new_one, 2);
        assert_eq!((matching.other_view, count_new(&matching)), (other_view, usize::from(!other_view)), "{shown}");
    }
}

#[test]
fn only_shots_of_earlier_frames_are_missed() {
    let shots: Vec<_> = (0..10).map(|i| (f64::from(i) * 7.0 - 30.0, 0.0, i + 1)).collect();
    let found: Vec<_> = shots[..3].iter().map(|(x, y, _)| (*x, *y)).collect();
    assert!(!holes(&shots, &found, 3).other_view);
    assert!(holes(&shots, &found, 10).other_view);
}

#[test]
fn a_late_frame_of_holes_that_no_later_frame_shows_is_another_target() {
    let shots = [(0.0, 0.0, 5), (20.0, 5.0, 5), (-9.0, 14.0, 5)];
    let matching = holes(&shots, &[(50.0, -30.0), (-40.0, -38.0)], 2);
    assert!(matching.other_view);
    assert_eq!(matching.holes, [Hole::Uncounted, Hole::Uncounted]);
}

#[test]
fn a_shot_whose_hole_lies_off_by_more_than_the_gate_is_not_counted_again() {
    let shots = [(0.0, 0.0, 1), (25.0, 5.0, 1), (-20.0, 14.0, 1), (4.0, -30.0, 1), (-22.0, -22.0, 1)];
    let found = [(0.0, 0.0), (25.0, 5.0), (-20.0, 14.0), (4.0, -30.0), (-22.0, -19.2)];
    assert_eq!(holes(&shots, &found, 2).holes[4], Hole::Known(4));
}

/// What is true: where the shots are, which frame shows each first, and how the camera stood at each frame.
#[derive(Debug, Clone)]
struct Scenario {
    shots: Vec<(Position, u32)>,
    cameras: Vec<Camera>,
    /// Frame numbers in the order in which they come; each at least once.
    arrivals: Vec<u32>,
}

#[derive(Debug, Clone)]
struct Camera {
    degrees: f64,
    scale: f64,
    shift_mm: (f64, f64),
    noise_mm: Vec<(f64, f64)>,
}

impl Camera {
    fn sees(&self, shot: Position, index: usize) -> Position {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let (x, y) = (shot.x_mm, shot.y_mm);
        let noise = self.noise_mm.get(index).copied().unwrap_or_default();
        Position::new(
            self.scale * (cos * x - sin * y) + self.shift_mm.0 + noise.0,
            self.scale * (sin * x + cos * y) + self.shift_mm.1 + noise.1,
        )
    }
}

impl Scenario {
    /// The holes of a frame; the younger shots first, so that no order is there to rely on.
    fn holes(&self, number: u32) -> Vec<Position> {
        let camera = &self.cameras[number as usize - 1];
        let shown = self.shots.iter().enumerate().rev().filter(|(_, (_, first))| *first <= number);
        shown.map(|(index, (shot, _))| camera.sees(*shot, index)).collect()
    }

    /// Counts all frames as they arrive.
    fn count(&self) -> Vec<Known> {
        let mut known = Vec::new();
        for number in &self.arrivals {
            count(&mut known, &self.holes(*number), *number);
        }
        known
    }
}

/// What a store does with a frame.
fn count(known: &mut Vec<Known>, found: &[Position], number: u32) -> Matching {
    let matching = match_holes(known, found, frame(number), CALIBRE_MM);
    for shot in &matching.earlier {
        known[*shot].first_frame = frame(number);
    }
    for hole in &matching.holes {
        if let Hole::New(position) = hole {
            known.push(Known { position: *position, first_frame: frame(number) });
        }
    }
    matching
}

const FRAMES: u32 = 6;

/// Shots that lie at least half a calibre apart, some of them in overlapping pairs; four that lie apart are there from
/// the start, so that no frame is ambiguous.
fn shots() -> impl Strategy<Value = Vec<(Position, u32)>> {
    let quadrants = [(18.0, 22.0), (-25.0, 17.0), (-15.0, -24.0), (21.0, -19.0)];
    let first =
        (0.0..9.0_f64, 0.0..9.0_f64).prop_map(move |(dx, dy)| points(&quadrants.map(|(x, y)| (x + dx, y - dy))));
    let more = prop::collection::vec(((-40.0..40.0_f64, -40.0..40.0_f64), 1..=FRAMES), 0..20);
    let twins = prop::collection::vec((0..64_usize, 0.0..std::f64::consts::TAU, 1..=FRAMES), 0..5);
    (first, more, twins).prop_map(|(first, more, twins)| {
        let mut shots: Vec<(Position, u32)> = first.into_iter().map(|shot| (shot, 1)).collect();
        let add = |shots: &mut Vec<(Position, u32)>, shot: Position, number| {
            if shots.iter().all(|(other, _)| other.distance_mm(shot) >= 0.4999 * CALIBRE_MM) {
                shots.push((shot, number));
            }
        };
        for ((x, y), number) in more {
            add(&mut shots, Position::new(x, y), number);
        }
        for (of, angle, number) in twins {
            let (sin, cos) = angle.sin_cos();
            let shot = shots[of % shots.len()].0;
            let reach = 0.5 * CALIBRE_MM;
            add(&mut shots, Position::new(shot.x_mm + reach * cos, shot.y_mm + reach * sin), number);
        }
        shots
    })
}

fn arrivals() -> impl Strategy<Value = Vec<u32>> {
    let all = Just((1..=FRAMES).collect::<Vec<_>>()).prop_shuffle();
    (all, prop::collection::vec(1..=FRAMES, 0..4)).prop_map(|(all, again)| all.into_iter().chain(again).collect())
}

fn nudged_camera(noise_mm: f64) -> impl Strategy<Value = Camera> {
    let noise_mm = prop::collection::vec((-noise_mm..noise_mm, -noise_mm..noise_mm), 32);
    (-3.0..3.0, 0.99..1.01, (-0.7..0.7, -0.7..0.7), noise_mm).prop_map(|(degrees, scale, shift_mm, noise_mm)| Camera {
        degrees,
        scale,
        shift_mm,
        noise_mm,
    })
}

fn scenario(camera: impl Strategy<Value = Camera>) -> impl Strategy<Value = Scenario> {
    (shots(), prop::collection::vec(camera, FRAMES as usize), arrivals())
        .prop_map(|(shots, cameras, arrivals)| Scenario { shots, cameras, arrivals })
}

/// A camera that stands still and sees without noise.
fn perfect_camera() -> impl Strategy<Value = Camera> {
    Just(Camera { degrees: 0.0, scale: 1.0, shift_mm: (0.0, 0.0), noise_mm: vec![] })
}

fn sorted<T: Ord>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort();
    values
}

proptest! {
    #[test]
    fn however_the_frames_come_every_shot_counts_once(scenario in scenario(nudged_camera(0.4))) {
        prop_assert_eq!(scenario.count().len(), scenario.shots.len());
    }

    /// With less noise than tells two overlapping holes apart.
    #[test]
    fn however_the_frames_come_every_shot_has_its_first_frame(scenario in scenario(nudged_camera(0.2))) {
        let counted = sorted(scenario.count().iter().map(|shot| shot.first_frame.get()));
        prop_assert_eq!(counted, sorted(scenario.shots.iter().map(|(_, first)| *first)));
    }

    #[test]
    fn the_total_does_not_depend_on_the_order_of_the_frames(scenario in scenario(perfect_camera())) {
        let rings = TargetType::AirPistol10m.rings();
        let score = |position: Position| rings.score(position.radius_um()).tenths();
        let counted = sorted(scenario.count().iter().map(|shot| (score(shot.position), shot.first_frame.get())));
        prop_assert_eq!(counted, sorted(scenario.shots.iter().map(|(shot, first)| (score(*shot), *first))));
    }

    #[test]
    fn a_frame_of_another_target_adds_nothing(
        scenario in scenario(nudged_camera(0.4)),
        other in prop::collection::vec((-60.0..60.0, -60.0..60.0), 0..30),
        number in 1..=FRAMES + 3,
    ) {
        let mut known = scenario.count();
        let before = known.clone();
        // The four shots that are there from the start have no hole near them.
        let far = |hole: &&(f64, f64)| hole.0.hypot(hole.1) > 48.0 || hole.0.hypot(hole.1) < 6.0;
        let other: Vec<(f64, f64)> = other.iter().filter(far).copied().collect();
        count(&mut known, &points(&other), number);
        prop_assert_eq!(known.len(), before.len());
    }

    #[test]
    fn no_shot_takes_two_holes_and_no_hole_is_lost(
        shots in prop::collection::vec((-20.0..20.0, -20.0..20.0, 1..9_u32), 0..30),
        found in prop::collection::vec((-20.0..20.0, -20.0..20.0), 0..30),
        number in 1..9_u32,
    ) {
        let matching = holes(&shots, &found, number);
        prop_assert_eq!(matching.holes.len(), found.len());
        let taken = sorted(matching.holes.iter().filter_map(|hole| match hole {
            Hole::Known(shot) => Some(*shot),
            Hole::New(_) | Hole::Uncounted => None,
        }));
        prop_assert!(taken.windows(2).all(|two| two[0] < two[1]));
        prop_assert!(matching.earlier.iter().all(|shot| taken.contains(shot) && shots[*shot].2 > number));
        let uncounted = matching.holes.iter().filter(|hole| **hole == Hole::Uncounted).count();
        prop_assert_eq!(uncounted, if matching.other_view { found.len() } else { 0 });
    }
}
