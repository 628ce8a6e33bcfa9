//! How far a value is like the user's own usual ones.

/// From so many values on they say what is usual: two weeks, so that weekends are among them twice.
const ENOUGH: usize = 14;
/// Before that nothing speaks against a value, and nothing for it.
const NOT_KNOWN: f64 = 0.97;
/// Spreads from the median up to which a value is as usual as any: of normal values, 95 % are.
const USUAL_SPREADS: f64 = 2.0;
/// Spreads beyond these that halve the plausibility. Far from steep: bodies fall ill and run marathons.
const HALVING_SPREADS: f64 = 3.0;
/// What is left of a value however unusual it is; what can't be lies outside the metric's plausible range.
const UNHEARD_OF: f64 = 0.25;
/// The median of the deviations as a standard deviation of normal values: 1 / Φ⁻¹(3/4).
const MAD_TO_SIGMA: f64 = 1.4826;

/// A user's own usual values of a metric, at most one a day.
pub struct History<'a>(pub &'a [f64]);

impl History<'_> {
    /// 0 to 1, by the robust z-score: median and median deviation, which a few wrong values do not move.
    pub(super) fn plausibility(&self, value: f64, least_spread: f64) -> f64 {
        if self.0.len() < ENOUGH {
            return NOT_KNOWN;
        }
        let usual = median(self.0.to_vec());
        let deviation = median(self.0.iter().map(|other| (other - usual).abs()).collect());
        let z = (value - usual).abs() / (MAD_TO_SIGMA * deviation).max(least_spread);
        let beyond = (z - USUAL_SPREADS).max(0.0) / HALVING_SPREADS;
        (1.0 / (1.0 + beyond * beyond)).max(UNHEARD_OF)
    }
}

/// The middle one, or the mean of the two in the middle; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle).copied().unwrap_or_default();
    match values.len() % 2 {
        0 => f64::midpoint(values.get(middle.wrapping_sub(1)).copied().unwrap_or_default(), upper),
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, expected) in [(vec![], 0.0), (vec![3.0], 3.0), (vec![4.0, 1.0], 2.5), (vec![9.0, 1.0, 2.0], 2.0)] {
            assert!((median(values) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_value_is_held_against_the_usual_ones_once_there_are_enough() {
        let values: Vec<f64> = [50.0, 52.0, 54.0].into_iter().cycle().take(ENOUGH).collect();
        let of = |values: &[f64], value| History(values).plausibility(value, 1.0);
        assert!((of(&values[1..], 90.0) - NOT_KNOWN).abs() < 1e-12);
        assert!((of(&values, 53.0) - 1.0).abs() < 1e-12);
        // Median 52, median deviation 2, so one spread is 2.9652: five of them are three beyond the usual.
        assert!((of(&values, 52.0 + 5.0 * 2.9652) - 0.5).abs() < 1e-9);
        assert!((of(&values, 110.0) - UNHEARD_OF).abs() < 1e-12);
    }

    #[test]
    fn a_few_wrong_values_do_not_move_what_is_usual() {
        let mut values = vec![50.0; 12];
        values.extend([51.0, 49.0, 200.0, 1.0]);
        assert!((History(&values).plausibility(51.0, 1.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_same_value_every_day_leaves_room_for_an_ordinary_change() {
        let of = |value| History(&[50.0; 20]).plausibility(value, 2.0);
        assert!((of(53.0) - 1.0).abs() < 1e-12);
        assert!(of(65.0) < 0.6);
    }
}
