//! Level, drift and curve of several values over the last readings: moments, summed once.

/// A line fitted over some readings must rest on this many to count by half: a slope over few is noise.
const READINGS_TO_TRUST: f64 = 10.0;

/// What holds a parabola's slope and bend back, so that they stay calm over few readings. A tenth of it predicts
/// held-out engines no better.
const RIDGE: f64 = 1.0;

/// What a stretch of readings says of each of `N` values.
#[derive(Debug, Clone, Copy)]
pub struct Trend<const N: usize> {
    /// Means.
    pub level: [f64; N],
    /// Change over the stretch by a fitted line, shrunk where it rests on few readings.
    pub drift: [f64; N],
    /// Standard deviations.
    pub scatter: [f64; N],
    /// Slopes per cycle, as fitted.
    pub slope: [f64; N],
    /// From the stretch's middle to its last cycle.
    pub half_span: f64,
}

impl<const N: usize> Trend<N> {
    /// Fits a line to each value over `cycles`.
    pub fn over(cycles: &[f64], rows: &[[f32; N]]) -> Self {
        let count = to_f64(rows.len()).max(1.0);
        let first = cycles.first().copied().unwrap_or(0.0);
        let last = cycles.last().copied().unwrap_or(0.0);
        let middle = cycles.iter().map(|cycle| cycle - last).sum::<f64>() / count;
        let (mut sums, mut squares, mut products) = ([0.0; N], [0.0; N], [0.0; N]);
        let mut spread = 0.0;
        for (cycle, row) in cycles.iter().zip(rows) {
            let x = cycle - last - middle;
            spread += x * x;
            for n in 0..N {
                let value = f64::from(row[n]);
                sums[n] += value;
                squares[n] += value * value;
                products[n] += value * x;
            }
        }
        let span = last - first + 1.0;
        let trust = span / (1.0 + READINGS_TO_TRUST / count);
        let level = sums.map(|sum| sum / count);
        let slope = products.map(|product| if spread > 0.0 { product / spread } else { 0.0 });
        let mut scatter = squares.map(|square| square / count);
        for n in 0..N {
            scatter[n] = (scatter[n] - level[n] * level[n]).max(0.0).sqrt();
        }
        Self { level, drift: slope.map(|slope| slope * trust), scatter, slope, half_span: -middle }
    }
}

/// Value, slope and bend at the last reading of a parabola fitted over the last readings, in units of `window` cycles;
/// slope and bend are held back by [`RIDGE`].
pub fn parabola<const N: usize>(cycles: &[f64], rows: &[[f32; N]], window: f64) -> [[f64; 3]; N] {
    let last = cycles.last().copied().unwrap_or(0.0);
    let mut powers = [0.0; 5];
    let mut products = [[0.0; 3]; N];
    for (cycle, row) in cycles.iter().zip(rows) {
        let x = (cycle - last) / window;
        let raised = [1.0, x, x * x, x * x * x, x * x * x * x];
        for (power, raised) in powers.iter_mut().zip(raised) {
            *power += raised;
        }
        for (product, value) in products.iter_mut().zip(row) {
            for (product, raised) in product.iter_mut().zip(raised) {
                *product += raised * f64::from(*value);
            }
        }
    }
    let matrix = [
        [powers[0], powers[1], powers[2]],
        [powers[1], powers[2] + RIDGE, powers[3]],
        [powers[2], powers[3], powers[4] + RIDGE],
    ];
    products.map(|product| solve(matrix, product))
}

/// Solves a symmetric, positive definite system of three equations.
fn solve(mut matrix: [[f64; 3]; 3], mut right: [f64; 3]) -> [f64; 3] {
    for pivot in 0..3 {
        for row in pivot + 1..3 {
            let share = matrix[row][pivot] / matrix[pivot][pivot];
            let above = matrix[pivot];
            for (number, above) in matrix[row].iter_mut().zip(above).skip(pivot) {
                *number -= share * above;
            }
            right[row] -= share * right[pivot];
        }
    }
    let third = right[2] / matrix[2][2];
    let second = (right[1] - matrix[1][2] * third) / matrix[1][1];
    let first = (right[0] - matrix[0][1] * second - matrix[0][2] * third) / matrix[0][0];
    [first, second, third]
}

/// A count as a number: histories are short.
pub fn to_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CYCLES: [f64; 6] = [3.0, 4.0, 5.0, 8.0, 9.0, 11.0];

    #[test]
    fn a_line_is_found_across_gaps() {
        let rows = [[2.5, 7.0], [3.0, 7.0], [3.5, 7.0], [5.0, 7.0], [5.5, 7.0], [6.5, 7.0]];
        let trend = Trend::over(&CYCLES, &rows);
        assert!((trend.slope[0] - 0.5).abs() < 1e-6);
        assert!(trend.slope[1].abs() < 1e-12 && trend.scatter[1].abs() < 1e-6);
        assert!((trend.level[0] + trend.slope[0] * trend.half_span - 6.5).abs() < 1e-6);
    }

    #[test]
    fn one_reading_has_a_level_and_no_drift() {
        let trend = Trend::over(&[9.0], &[[2.0]]);
        assert_eq!((trend.level, trend.drift, trend.scatter), ([2.0], [0.0], [0.0]));
    }

    #[test]
    fn a_parabola_rises_with_the_values_and_is_held_back() {
        let cycles: Vec<f64> = (0..100).map(f64::from).collect();
        let rows: Vec<[f32; 2]> = (0..100_u8).map(f32::from).map(|x| [x * x / 1e4, 0.5]).collect();
        let [rising, flat] = parabola(&cycles, &rows, 100.0);
        assert!((0.6..1.0).contains(&rising[0]) && rising[1] > 0.5, "{rising:?}");
        assert!((flat[0] - 0.5).abs() < 0.01 && flat[1].abs() < 0.01 && flat[2].abs() < 0.01, "{flat:?}");
    }
}
