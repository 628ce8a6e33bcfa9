//! Quantiles of the χ² distribution for an even number of degrees of freedom: two coordinates a shot make it even, and
//! then the distribution has a closed form.

/// Steps of bisection: the interval shrinks below the precision of an `f64`.
const STEPS: usize = 200;

/// The value that a χ² variable with `degrees` (even) degrees of freedom falls below with `probability`.
pub(super) fn quantile(probability: f64, degrees: usize) -> f64 {
    let mut low = 0.0;
    let mut high = 1.0;
    while cdf(high, degrees) < probability && high < f64::MAX / 2.0 {
        high *= 2.0;
    }
    for _ in 0..STEPS {
        let middle = f64::midpoint(low, high);
        if cdf(middle, degrees) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// P(χ² ≤ x) = 1 − Σ e^(−x/2) (x/2)^i / i!, i from 0 to degrees/2 − 1. Summed in logarithms: (x/2)^i alone overflows
/// with a few hundred shots.
fn cdf(x: f64, degrees: usize) -> f64 {
    let half = x / 2.0;
    let mut log_term = -half;
    let mut above = 0.0;
    let mut i = 0.0;
    for _ in 0..degrees / 2 {
        above += log_term.exp();
        i += 1.0;
        log_term += (half / i).ln();
    }
    1.0 - above
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the usual tables (NIST/SEMATECH e-Handbook, 1.3.6.7.4).
    #[test]
    fn quantiles_are_those_of_the_tables() {
        let cases = [
            (2, 0.103, 5.991),
            (4, 0.711, 9.488),
            (10, 3.940, 18.307),
            (18, 9.390, 28.869),
            (38, 24.884, 53.384),
            (60, 43.188, 79.082),
            (100, 77.929, 124.342),
        ];
        for (degrees, lower, upper) in cases {
            for (probability, expected) in [(0.05, lower), (0.95, upper)] {
                let value = quantile(probability, degrees);
                assert!((value - expected).abs() < 6e-4, "{degrees}: {value} is not {expected}");
            }
        }
    }

    #[test]
    fn many_shots_make_no_overflow() {
        // Wilson and Hilferty's approximation is exact to four digits here.
        let degrees: f64 = 3998.0;
        let z = 1.644_854;
        let expected = degrees * (1.0 - 2.0 / (9.0 * degrees) + z * (2.0 / (9.0 * degrees)).sqrt()).powi(3);
        assert!((quantile(0.95, 3998) / expected - 1.0).abs() < 1e-5);
    }
}
