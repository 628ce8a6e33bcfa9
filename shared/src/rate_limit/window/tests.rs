use proptest::prelude::*;

use super::*;

fn moment(elapsed: u64) -> Moment {
    Moment { window: 100, elapsed }
}

#[test]
fn the_weight_is_the_rest_of_the_window_before_and_all_of_this_one() {
    for (previous, current, elapsed, passes, remaining) in [
        (0, 1, 0, true, 99),
        (0, 100, 59_999, true, 0),
        (0, 101, 59_999, false, 0),
        (100, 1, 0, false, 0),
        (100, 1, 600, true, 0),
        (100, 50, 30_000, true, 0),
        (100, 51, 30_000, false, 0),
        (200, 1, 30_000, false, 0),
        (200, 1, 30_300, true, 0),
        (10, 20, 30_000, true, 75),
    ] {
        let counts = Counts { previous, current };
        assert_eq!(counts.passes(100, moment(elapsed)), passes, "{counts:?} at {elapsed}");
        assert_eq!(counts.remaining(100, moment(elapsed)), remaining, "{counts:?} at {elapsed}");
    }
}

#[test]
fn the_wait_is_until_the_weight_or_the_window_makes_room() {
    for (previous, current, elapsed, wait) in [
        (0, 0, 0, 0),
        (0, 99, 0, 0),
        (0, 100, 0, 60_000),
        (0, 100, 59_999, 1),
        (100, 0, 0, 600),
        (100, 49, 0, 30_000),
        (100, 99, 10_000, 50_000),
        (100, 300, 10_000, 50_000),
        (200, 0, 0, 30_300),
        (200, 0, 30_300, 0),
    ] {
        let counts = Counts { previous, current };
        assert_eq!(counts.wait(100, moment(elapsed)), Duration::from_millis(wait), "{counts:?} at {elapsed}");
    }
}

#[test]
fn a_window_is_of_use_until_the_next_one_ends() {
    let at = Moment::at("2026-03-04T05:06:07.250Z".parse().unwrap());
    assert_eq!(at.rest(), Duration::from_millis(52_750));
    assert_eq!(at.expires(), "2026-03-04T05:08:00Z".parse::<DateTime<Utc>>().unwrap());
}

prop_compose! {
    fn counts()(previous in 0u64..1500, current in 0u64..1500) -> Counts {
        Counts { previous, current }
    }
}

fn next(counts: Counts) -> Counts {
    Counts { current: counts.current + 1, ..counts }
}

proptest! {
    /// The wait is exact: a call that comes then passes unless the window has turned, and none before it does.
    #[test]
    fn after_the_wait_the_next_call_passes_and_not_before(counts in counts(), limit in 1u64..1001, elapsed in 0u64..60_000) {
        let wait = u64::try_from(counts.wait(limit, moment(elapsed)).as_millis()).unwrap();
        prop_assert!(elapsed + wait <= WINDOW_MS);
        if elapsed + wait < WINDOW_MS {
            prop_assert!(next(counts).passes(limit, moment(elapsed + wait)));
        }
        if wait > 0 {
            prop_assert!(!next(counts).passes(limit, moment(elapsed)));
            prop_assert!(!next(counts).passes(limit, moment(elapsed + wait - 1)));
        }
    }

    /// The same as said in real numbers, where those are not within a rounding error of the limit.
    #[test]
    fn the_weight_is_the_one_of_the_formula(counts in counts(), limit in 1u64..1001, elapsed in 0u64..60_000) {
        let share = elapsed as f64 / 60_000.0;
        let weight = counts.previous as f64 * (1.0 - share) + counts.current as f64;
        prop_assume!((weight - limit as f64).abs() > 1e-6);
        prop_assert_eq!(counts.passes(limit, moment(elapsed)), weight < limit as f64);
    }

    /// More calls never make room, later never takes it away.
    #[test]
    fn room_grows_with_time_and_shrinks_with_calls(counts in counts(), limit in 1u64..1001, elapsed in 0u64..59_999) {
        let (now, later) = (moment(elapsed), moment(elapsed + 1));
        prop_assert!(counts.remaining(limit, now) <= counts.remaining(limit, later));
        prop_assert!(next(counts).remaining(limit, now) <= counts.remaining(limit, now));
        prop_assert!(!counts.passes(limit, now) || counts.passes(limit, later));
        prop_assert!(!next(counts).passes(limit, now) || counts.passes(limit, now));
        let more_before = Counts { previous: counts.previous + 1, ..counts };
        prop_assert!(!more_before.passes(limit, now) || counts.passes(limit, now));
    }

    /// `remaining` is what it says: so many pass, and the one after them does not.
    #[test]
    fn as_many_more_pass_as_remain(counts in counts(), limit in 1u64..1001, elapsed in 0u64..60_000) {
        let left = counts.remaining(limit, moment(elapsed));
        let used_up = Counts { current: counts.current + left, ..counts };
        prop_assert!(left == 0 || used_up.passes(limit, moment(elapsed)));
        prop_assert!(!next(used_up).passes(limit, moment(elapsed)));
    }

    /// Whenever calls come, no fixed window lets more than the limit through.
    #[test]
    fn no_window_lets_more_than_the_limit_through(limit in 1u64..40, gaps in prop::collection::vec(0u64..5_000, 1..400)) {
        let (mut now, mut window, mut counts) = (0, 0, Counts::default());
        let mut passed: Vec<u64> = Vec::new();
        for gap in gaps {
            now += gap;
            if now / WINDOW_MS != window {
                let previous = if now / WINDOW_MS == window + 1 { counts.current } else { 0 };
                (window, counts) = (now / WINDOW_MS, Counts { previous, current: 0 });
            }
            counts.current += 1;
            if counts.passes(limit, moment(now % WINDOW_MS)) {
                passed.push(now);
            }
        }
        for window in 0..=now / WINDOW_MS {
            let of_window = passed.iter().filter(|time| *time / WINDOW_MS == window).count() as u64;
            prop_assert!(of_window <= limit);
        }
    }
}
