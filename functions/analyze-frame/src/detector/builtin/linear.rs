//! Small dense linear algebra; too little of it to be worth a crate.

pub type Matrix3 = [[f64; 3]; 3];

/// Solves `a · x = b` by Gaussian elimination with partial pivoting. `None`: singular.
pub fn solve<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> Option<[f64; N]> {
    for column in 0..N {
        let pivot = (column..N).max_by(|&i, &j| a[i][column].abs().total_cmp(&a[j][column].abs()))?;
        if a[pivot][column].abs() < 1e-14 {
            return None;
        }
        a.swap(column, pivot);
        b.swap(column, pivot);
        for row in column + 1..N {
            let pivot_row = a[column];
            let factor = a[row][column] / pivot_row[column];
            a[row].iter_mut().zip(pivot_row).skip(column).for_each(|(value, above)| *value -= factor * above);
            b[row] -= factor * b[column];
        }
    }
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|k| a[row][k] * b[k]).sum();
        b[row] = (b[row] - known) / a[row][row];
    }
    b.iter().all(|x| x.is_finite()).then_some(b)
}

/// Normal equations of a weighted least-squares problem, gathered row by row.
pub struct NormalEquations<const N: usize> {
    a: [[f64; N]; N],
    b: [f64; N],
}

impl<const N: usize> NormalEquations<N> {
    /// Starts with a little of each unknown's square (`ridge`), which keeps what is not seen at nought.
    pub fn new(ridge: [f64; N]) -> Self {
        let mut a = [[0.0; N]; N];
        for (i, value) in ridge.into_iter().enumerate() {
            a[i][i] = value;
        }
        Self { a, b: [0.0; N] }
    }

    pub fn add(&mut self, row: &[f64; N], value: f64, weight: f64) {
        for i in 0..N {
            for j in 0..N {
                self.a[i][j] += weight * row[i] * row[j];
            }
            self.b[i] += weight * row[i] * value;
        }
    }

    pub fn solve(self) -> Option<[f64; N]> {
        solve(self.a, self.b)
    }
}

pub fn multiply(a: &Matrix3, b: &Matrix3) -> Matrix3 {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

/// Inverse by cofactors. `None`: singular.
pub fn inverse(m: &Matrix3) -> Option<Matrix3> {
    let cofactor = |i: usize, j: usize| {
        let (r0, r1, c0, c1) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[r0][c0] * m[r1][c1] - m[r0][c1] * m[r1][c0]
    };
    let determinant: f64 = (0..3).map(|j| m[0][j] * cofactor(0, j)).sum();
    if determinant.abs() < 1e-18 || !determinant.is_finite() {
        return None;
    }
    Some(std::array::from_fn(|i| std::array::from_fn(|j| cofactor(j, i) / determinant)))
}

/// The median; the order of the values is lost. `None`: no values.
pub fn median(values: &mut [f32]) -> Option<f32> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    let (_, value, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    Some(*value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_needs_pivoting_is_solved() {
        let x = solve([[0.0, 2.0, 1.0], [1.0, 1.0, 0.0], [3.0, 0.0, 1.0]], [7.0, 3.0, 6.0]).unwrap();
        for (found, expected) in x.into_iter().zip([1.0, 2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_singular_system_has_no_solution() {
        assert!(solve([[1.0, 2.0], [2.0, 4.0]], [1.0, 2.0]).is_none());
        assert!(inverse(&[[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 0.0, 1.0]]).is_none());
    }

    #[test]
    fn a_matrix_times_its_inverse_is_the_identity() {
        let m = [[2.0, 0.3, 5.0], [-0.1, 1.7, 3.0], [0.01, -0.02, 1.0]];
        let product = multiply(&m, &inverse(&m).unwrap());
        for (i, row) in product.iter().enumerate() {
            for (j, value) in row.iter().enumerate() {
                assert!((value - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
    }
}
