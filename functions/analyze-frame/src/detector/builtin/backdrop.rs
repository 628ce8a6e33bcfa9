#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cell indices are small and positive")]
//! How bright and of what tint bare paper and bare print are everywhere on the sheet.
//!
//! Light, glare and vignetting are unknown, so both levels are read off the sheet: the median over cells a little larger
//! than a hole, and the median of nine such cells, which a few holes do not move. Where a cell shows only the other of
//! the two, its neighbours' value is carried on.

use super::{
    linear::median,
    sheet::{Grid, Sheet},
};

/// Side of a cell in calibres.
const CELL_CALIBRES: f64 = 1.5;
/// Fewest samples that make a median.
const LEAST_SAMPLES: usize = 14;
/// Neighbouring cells of paper differ by less than this share of their brightness, and this much tint.
const PAPER_STEP: f32 = 0.08;
const PAPER_TINT: f32 = 5.0;

/// What is printed at a place, as far as the level is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    Paper,
    Black,
    /// A line, or the edge between the two: no place to read a level off.
    Line,
}

/// Luma, blue and red difference.
pub type Tone = [f32; 3];

/// The levels of one ground over the whole sheet.
pub struct Field {
    cell: f32,
    columns: usize,
    rows: usize,
    tones: Vec<Tone>,
}

/// Reads the levels of paper and black. `ground` tells what is printed at an offset and a distance from the centre, in
/// sheet pixels; paper is believed to be paper within `sure` pixels of the centre, and beyond as far as it goes on without a break.
pub fn levels(sheet: &Sheet, ground: impl Fn((f32, f32), f32) -> Ground, sure: f32) -> [Field; 2] {
    let cell = (CELL_CALIBRES * sheet.calibre_px).round().max(6.0) as usize;
    let (columns, rows) = (sheet.width().div_ceil(cell), sheet.height().div_ceil(cell));
    let mut read = [vec![None; columns * rows], vec![None; columns * rows]];
    let mut samples = [Samples::default(), Samples::default()];
    for row in 0..rows {
        for column in 0..columns {
            samples.iter_mut().for_each(Samples::clear);
            gather(sheet, &ground, [column, row, cell], &mut samples);
            for (tones, samples) in read.iter_mut().zip(&mut samples) {
                tones[row * columns + column] = samples.tone();
            }
        }
    }
    let (cx, cy) = sheet.centre();
    let near = |at: usize, reach: f32| {
        let (x, y) = ((at % columns * cell + cell / 2) as f32, (at / columns * cell + cell / 2) as f32);
        (x - cx).hypot(y - cy) < reach
    };
    let [paper, black] = read;
    let paper = smooth(&connected_paper(&paper, columns, |at| near(at, sure)), columns);
    let black = smooth(&black, columns);
    [paper, black].map(|tones| Field { cell: cell as f32, columns, rows, tones: carry_on(tones, columns) })
}

impl Field {
    /// One channel along a row of `out.len()` places that are `step` sheet pixels apart, the first at `offset`.
    pub fn row(&self, y: f32, step: f32, offset: f32, channel: usize, out: &mut [f32]) {
        let (top, fy) = self.split(y, self.rows);
        let bottom = (top + 1).min(self.rows - 1);
        let tone = |column: usize| {
            let (upper, lower) = (self.tones[top * self.columns + column], self.tones[bottom * self.columns + column]);
            upper[channel] + fy * (lower[channel] - upper[channel])
        };
        // Linear between the middles of two cells, so one span at a time.
        let mut from = 0;
        for column in 0..=self.columns {
            let start = (column as f32 - 0.5) * self.cell;
            let to = (((start + self.cell - offset) / step).ceil().max(0.0) as usize).min(out.len());
            let (left, right) = (tone(column.max(1) - 1), tone(column.min(self.columns - 1)));
            let slope = (right - left) / self.cell;
            // By way of i32, which the processor converts several at a time.
            let (first, increment) = (left + slope * (from as f32 * step + offset - start), slope * step);
            for (i, value) in out[from.min(to)..to].iter_mut().enumerate() {
                *value = first + increment * i as i32 as f32;
            }
            from = from.max(to);
        }
    }

    /// The level of the cell about a place.
    pub fn at(&self, x: f32, y: f32) -> Tone {
        let cell = |at: f32, count: usize| ((at / self.cell).max(0.0) as usize).min(count - 1);
        self.tones[cell(y, self.rows) * self.columns + cell(x, self.columns)]
    }

    fn split(&self, at: f32, count: usize) -> (usize, f32) {
        let cells = (at / self.cell - 0.5).clamp(0.0, (count - 1) as f32);
        let whole = cells as usize;
        (whole, cells - whole as f32)
    }
}

#[derive(Default)]
struct Samples {
    channels: [Vec<f32>; 3],
}

impl Samples {
    fn clear(&mut self) {
        self.channels.iter_mut().for_each(Vec::clear);
    }

    fn tone(&mut self) -> Option<Tone> {
        if self.channels[0].len() < LEAST_SAMPLES {
            return None;
        }
        let [y, cb, cr] = &mut self.channels;
        Some([median(y)?, median(cb)?, median(cr)?])
    }
}

/// Takes every other pixel of every other row of a cell.
fn gather(
    sheet: &Sheet,
    ground: &impl Fn((f32, f32), f32) -> Ground,
    [column, row, cell]: [usize; 3],
    out: &mut [Samples; 2],
) {
    let (cx, cy) = sheet.centre();
    let (left, top) = (column * cell, row * cell);
    for y in (top..(top + cell).min(sheet.height())).step_by(2) {
        let dy = y as f32 - cy;
        for x in (left..(left + cell).min(sheet.width())).step_by(2) {
            if !sheet.visible[y * sheet.width() + x] {
                continue;
            }
            let dx = x as i32 as f32 - cx;
            let which = match ground((dx, dy), (dx * dx + dy * dy).sqrt()) {
                Ground::Paper => 0,
                Ground::Black => 1,
                Ground::Line => continue,
            };
            let [luma, cb, cr] = &mut out[which].channels;
            luma.push(sheet.luma.row(y)[x]);
            cb.push(sheet.chroma[0].row(y / 2)[x / 2]);
            cr.push(sheet.chroma[1].row(y / 2)[x / 2]);
        }
    }
}

/// Keeps the cells that are paper for sure and those that join them without a break in brightness or tint: the wall
/// behind the target is no paper.
fn connected_paper(cells: &[Option<Tone>], columns: usize, sure: impl Fn(usize) -> bool) -> Vec<Option<Tone>> {
    let mut kept: Vec<Option<Tone>> = (0..cells.len()).map(|at| cells[at].filter(|_| sure(at))).collect();
    let mut open: Vec<usize> = (0..cells.len()).filter(|&at| kept[at].is_some()).collect();
    while let Some(at) = open.pop() {
        let Some(here) = kept[at] else { continue };
        for neighbour in neighbours(at, columns, cells.len()) {
            let Some(there) = cells[neighbour] else { continue };
            let step = (there[0] - here[0]).abs() < PAPER_STEP * here[0] + 2.0;
            let tint = (there[1] - here[1]).abs().max((there[2] - here[2]).abs()) < PAPER_TINT;
            if kept[neighbour].is_none() && step && tint {
                kept[neighbour] = Some(there);
                open.push(neighbour);
            }
        }
    }
    kept
}

/// The cells about a cell, itself not among them.
fn neighbours(at: usize, columns: usize, total: usize) -> impl Iterator<Item = usize> {
    let (column, row) = ((at % columns).cast_signed(), (at / columns).cast_signed());
    let rows = (total / columns).cast_signed();
    (-1..=1_isize).flat_map(move |dy| (-1..=1_isize).map(move |dx| (column + dx, row + dy))).filter_map(
        move |(x, y)| {
            let inside = (0..columns.cast_signed()).contains(&x) && (0..rows).contains(&y) && (x, y) != (column, row);
            inside.then(|| (y * columns.cast_signed() + x).cast_unsigned())
        },
    )
}

/// The median of each cell and its neighbours, channel by channel.
fn smooth(cells: &[Option<Tone>], columns: usize) -> Vec<Option<Tone>> {
    (0..cells.len())
        .map(|at| {
            let own = cells[at]?;
            let mut about = [own; 9];
            let mut count = 1;
            for tone in neighbours(at, columns, cells.len()).filter_map(|n| cells[n]) {
                about[count] = tone;
                count += 1;
            }
            Some(std::array::from_fn(|channel| {
                let mut values = about.map(|tone| tone[channel]);
                median(&mut values[..count]).unwrap_or(own[channel])
            }))
        })
        .collect()
}

/// Gives cells without a value the mean of their neighbours' values, ring by ring.
fn carry_on(mut cells: Vec<Option<Tone>>, columns: usize) -> Vec<Tone> {
    let total = cells.len();
    let mut front: Vec<usize> = (0..total).filter(|&at| cells[at].is_some()).collect();
    while !front.is_empty() {
        let mut next: Vec<usize> =
            front.iter().flat_map(|&at| neighbours(at, columns, total)).filter(|&n| cells[n].is_none()).collect();
        next.sort_unstable();
        next.dedup();
        let found: Vec<Option<Tone>> = next
            .iter()
            .map(|&at| {
                let (mut sum, mut count) = ([0.0; 3], 0.0);
                for tone in neighbours(at, columns, total).filter_map(|n| cells[n]) {
                    sum.iter_mut().zip(tone).for_each(|(sum, value)| *sum += value);
                    count += 1.0;
                }
                (count > 0.0).then(|| sum.map(|sum| sum / count))
            })
            .collect();
        next.iter().zip(found).for_each(|(&at, tone)| cells[at] = tone);
        front = next;
    }
    cells.into_iter().map(|cell| cell.unwrap_or([128.0; 3])).collect()
}

/// A grid's values smoothed by the binomial kernel 1 4 6 4 1 in both directions.
pub fn blur(grid: &Grid) -> Grid {
    const KERNEL: [f32; 5] = [0.0625, 0.25, 0.375, 0.25, 0.0625];
    let (width, height) = (grid.width, grid.height);
    let mut across = grid.clone();
    for y in 0..height {
        let source = grid.row(y);
        for (value, w) in across.row_mut(y)[2.min(width)..].iter_mut().zip(source.windows(5)) {
            *value = (w[0] + w[4]) * KERNEL[0] + (w[1] + w[3]) * KERNEL[1] + w[2] * KERNEL[2];
        }
    }
    let mut down = across.clone();
    for y in 2..height.saturating_sub(2) {
        let rows: [&[f32]; 5] = std::array::from_fn(|i| across.row(y + i - 2));
        for (x, value) in down.values[y * width..(y + 1) * width].iter_mut().enumerate() {
            *value =
                (rows[0][x] + rows[4][x]) * KERNEL[0] + (rows[1][x] + rows[3][x]) * KERNEL[1] + rows[2][x] * KERNEL[2];
        }
    }
    down
}

/// The mean over the square that reaches `half` places to each side; what lies outside counts as nought.
pub fn box_mean(grid: &Grid, half: usize) -> Grid {
    let (width, height) = (grid.width, grid.height);
    let side = 2 * half + 1;
    let mut across = grid.clone();
    for y in 0..height {
        let source = grid.row(y);
        let mut sum: f32 = source[..half.min(width)].iter().sum();
        for (x, value) in across.row_mut(y).iter_mut().enumerate() {
            sum += source.get(x + half).copied().unwrap_or(0.0);
            *value = sum / side as f32;
            sum -= x.checked_sub(half).map_or(0.0, |gone| source[gone]);
        }
    }
    let mut down = Grid::new(width, height);
    let mut sums = vec![0.0_f32; width];
    let add = |sums: &mut [f32], y: usize, sign: f32| {
        sums.iter_mut().zip(across.row(y)).for_each(|(sum, value)| *sum += sign * value);
    };
    (0..half.min(height)).for_each(|y| add(&mut sums, y, 1.0));
    for y in 0..height {
        if y + half < height {
            add(&mut sums, y + half, 1.0);
        }
        down.row_mut(y).iter_mut().zip(&sums).for_each(|(value, sum)| *value = sum / side as f32);
        if let Some(gone) = y.checked_sub(half) {
            add(&mut sums, gone, -1.0);
        }
    }
    down
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_mean_is_the_mean_of_the_box() {
        let mut grid = Grid::new(9, 7);
        grid.row_mut(3)[4] = 25.0;
        let mean = box_mean(&grid, 2);
        for y in 0..7_usize {
            for x in 0..9_usize {
                let expected = if x.abs_diff(4) <= 2 && y.abs_diff(3) <= 2 { 1.0 } else { 0.0 };
                assert!((mean.row(y)[x] - expected).abs() < 1e-4, "({x}, {y})");
            }
        }
    }
}
