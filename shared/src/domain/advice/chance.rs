//! How well chance alone explains a figure: probabilities under a normal dispersion that is the same on both axes.
//!
//! Twice the squared length of a mean over its σ² is distributed as F with 2 and ν degrees of freedom, whose upper tail
//! has a closed form, (1 + 2f/ν)^(−ν/2); so no table is needed and few shots are judged as mildly as they should be.

use crate::domain::{
    position::Position,
    shot::Shot,
    statistics::{Dispersion, real},
};

/// What chance explains more seldom than this is called real: one finding in twenty is false.
pub(super) const SIGNIFICANCE: f64 = 0.05;

/// Probability that a group whose true centre is the target's lies as far off as this one.
pub(super) fn of_offset(group: &Dispersion) -> f64 {
    let n = real(group.shots);
    tail(n * squared(group.centre, Position::CENTRE), group.squares(), n - 1.0)
}

/// Probability that the centres of two series lie as far apart as these where nothing has moved, judged by the
/// dispersion within all `series`.
pub(super) fn of_drift(first: &Dispersion, last: &Dispersion, series: &[Dispersion]) -> f64 {
    let weight = 1.0 / (1.0 / real(first.shots) + 1.0 / real(last.shots));
    let pairs_of_freedom: f64 = series.iter().map(|one| real(one.shots) - 1.0).sum();
    let within = series.iter().map(Dispersion::squares).sum();
    tail(weight * squared(first.centre, last.centre), within, pairs_of_freedom)
}

/// Probability that the wildest of as many shots lies as far from the others as this one (Bonferroni: it had that
/// many chances to be the wildest).
pub(super) fn of_flier(shot: &Shot, others: &Dispersion) -> f64 {
    let n = real(others.shots);
    let step = n / (n + 1.0) * squared(shot.position, others.centre);
    (n + 1.0) * tail(step, others.squares(), n - 1.0)
}

/// Whether a group is taller than wide, or wider than tall, by more than chance explains.
///
/// Half the logarithm of the variances' ratio is Fisher's z of a correlation, with a standard error of 1/√(n − 2).
pub(super) fn is_stretched(group: &Dispersion) -> bool {
    const NORMAL_95: f64 = 1.96;
    let z = 0.5 * (group.squares_y / group.squares_x).ln();
    group.shots > 2 && z.abs() * (real(group.shots) - 2.0).sqrt() > NORMAL_95
}

fn tail(explained: f64, unexplained: f64, pairs_of_freedom: f64) -> f64 {
    if explained <= 0.0 {
        return 1.0;
    }
    (1.0 + explained / unexplained).powf(-pairs_of_freedom)
}

fn squared(a: Position, b: Position) -> f64 {
    a.distance_mm(b).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(shots: usize, offset_mm: f64, sigma_mm: f64) -> Dispersion {
        let squares = (real(shots) - 1.0) * sigma_mm * sigma_mm;
        Dispersion { shots, centre: Position::new(offset_mm, 0.0), squares_x: squares, squares_y: squares }
    }

    #[test]
    fn the_tail_is_that_of_the_f_tables() {
        // F(2, 8) at 5 % is 4.459, F(2, 18) is 3.555: f = n d² / 2σ², n = 5 and 10.
        for (shots, f) in [(5, 4.459), (10, 3.555)] {
            let offset = (2.0 * f / real(shots)).sqrt();
            assert!((of_offset(&group(shots, offset, 1.0)) - 0.05).abs() < 1e-4, "{shots}");
        }
    }

    #[test]
    fn an_offset_that_the_standard_error_explains_is_chance() {
        assert!(of_offset(&group(10, 5.4, 17.1)) > SIGNIFICANCE);
        assert!(of_offset(&group(40, 11.5, 17.1)) < SIGNIFICANCE);
        assert!(of_offset(&group(3, 11.5, 17.1)) > SIGNIFICANCE);
    }

    #[test]
    fn the_same_offset_says_more_with_more_shots() {
        let of = |shots| of_offset(&group(shots, 8.0, 17.1));
        assert!(of(5) > of(10) && of(10) > of(40));
    }

    #[test]
    fn shots_without_dispersion_prove_an_offset_and_none_at_all_proves_nothing() {
        assert!(of_offset(&group(3, 1.0, 0.0)) < SIGNIFICANCE);
        assert!(of_offset(&group(3, 0.0, 0.0)) > SIGNIFICANCE);
    }

    #[test]
    fn a_group_is_stretched_where_its_axes_differ_by_more_than_chance() {
        let stretched = |shots, x: f64, y: f64| {
            is_stretched(&Dispersion { shots, centre: Position::CENTRE, squares_x: x * x, squares_y: y * y })
        };
        assert!(!stretched(5, 1.0, 2.0));
        assert!(stretched(20, 1.0, 2.0));
        assert!(stretched(20, 2.0, 1.0));
        assert!(!stretched(20, 1.0, 1.2));
    }
}
