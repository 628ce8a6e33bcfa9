//! Products of matrices, in an order of additions that no compiler and no thread changes.

/// Rows and columns that a step computes at once: their sums stay in registers.
const ROWS: usize = 4;
const COLUMNS: usize = 8;

/// A matrix in a slice: the element at (row, column) lies at `row * down + column * along`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub numbers: &'a [f32],
    pub down: usize,
    pub along: usize,
}

/// `out = left × right`: `left` has `out.len() / width` rows, `right` is row-major and `width` wide, a multiple of 8.
pub fn multiply(out: &mut [f32], left: View<'_>, right: &[f32], width: usize) {
    for (block, lines) in out.chunks_mut(width * ROWS).enumerate() {
        let row = block * ROWS;
        let whole = lines.len() == width * ROWS;
        for column in (0..width).step_by(COLUMNS) {
            if whole {
                step::<ROWS>(lines, left, right, width, (row, column));
            } else {
                for (number, line) in lines.chunks_mut(width).enumerate() {
                    step::<1>(line, left, right, width, (row + number, column));
                }
            }
        }
    }
}

#[inline]
fn step<const R: usize>(lines: &mut [f32], left: View<'_>, right: &[f32], width: usize, (row, column): (usize, usize)) {
    let mut sums = [[0.0_f32; COLUMNS]; R];
    let starts: [usize; R] = std::array::from_fn(|r| (row + r) * left.down);
    let mut along = 0;
    for line in right.chunks_exact(width) {
        let Some(line) = line[column..].first_chunk::<COLUMNS>() else { return };
        for r in 0..R {
            let factor = left.numbers[starts[r] + along];
            for c in 0..COLUMNS {
                sums[r][c] += factor * line[c];
            }
        }
        along += left.along;
    }
    for r in 0..R {
        lines[r * width + column..r * width + column + COLUMNS].copy_from_slice(&sums[r]);
    }
}
