//! The weights of an index of health, by least squares.

use predict::model::history::SENSOR_COUNT;

use crate::prepare::single;

/// Normal equations of a ridge regression.
pub struct System {
    matrix: [[f64; SENSOR_COUNT + 1]; SENSOR_COUNT + 1],
    right: [f64; SENSOR_COUNT + 1],
}

impl System {
    /// A ridge that only keeps the matrix regular: there are thousands of rows.
    const RIDGE: f64 = 10.0;

    pub const fn new() -> Self {
        Self { matrix: [[0.0; SENSOR_COUNT + 1]; SENSOR_COUNT + 1], right: [0.0; SENSOR_COUNT + 1] }
    }

    pub fn add(&mut self, sensors: &[f32; SENSOR_COUNT], goal: f64) {
        let mut row = [1.0; SENSOR_COUNT + 1];
        for (place, sensor) in row.iter_mut().zip(sensors) {
            *place = f64::from(*sensor);
        }
        for (line, left) in self.matrix.iter_mut().zip(row) {
            for (sum, right) in line.iter_mut().zip(row) {
                *sum += left * right;
            }
        }
        for (sum, left) in self.right.iter_mut().zip(row) {
            *sum += left * goal;
        }
    }

    /// Gauss's elimination; the ridge makes every pivot positive.
    pub fn solve(mut self) -> [f32; SENSOR_COUNT + 1] {
        const N: usize = SENSOR_COUNT + 1;
        for n in 0..N {
            self.matrix[n][n] += Self::RIDGE;
        }
        for pivot in 0..N {
            for row in pivot + 1..N {
                let share = self.matrix[row][pivot] / self.matrix[pivot][pivot];
                let above = self.matrix[pivot];
                for (number, above) in self.matrix[row].iter_mut().zip(above).skip(pivot) {
                    *number -= share * above;
                }
                self.right[row] -= share * self.right[pivot];
            }
        }
        for row in (0..N).rev() {
            for column in row + 1..N {
                self.right[row] -= self.matrix[row][column] * self.right[column];
            }
            self.right[row] /= self.matrix[row][row];
        }
        self.right.map(single)
    }
}
