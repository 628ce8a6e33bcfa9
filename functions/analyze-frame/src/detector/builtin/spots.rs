#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixel indices of a sheet, far below 2^32"
)]
//! Connected places on the sheet that are not as printed.

use super::sheet::{Grid, Sheet};

/// What makes a spot.
#[derive(Debug, Clone, Copy)]
pub struct Sense {
    /// A pixel belongs to a spot from this many standard deviations on, and a spot needs pixels of the second kind.
    pub low: f32,
    pub high: f32,
    /// Half the width of gaps that are closed.
    pub gap: usize,
    /// Number of this way of looking, for the weights that go with it.
    pub by: usize,
    /// Half the width of strokes that are no part of a hole.
    pub stroke: usize,
}

/// For deviations of either sign: a dark hole with a light rim passes through the print's own brightness on its way from
/// one to the other.
pub const EITHER_SIGN: Sense = Sense { low: 4.0, high: 7.0, gap: 2, stroke: 2, by: 0 };
/// For places that are darker than the print: the rim and what is printed beside it are not part of them.
pub const DARKER: Sense = Sense { low: 2.3, high: 3.6, gap: 0, stroke: 1, by: 1 };
/// Smallest spot, as a share of a calibre's area.
const SMALLEST: f64 = 0.10;
/// A hole's outline is where the deviation has fallen to this share of what it is nearby, in calibres: where a blurred
/// edge really is, and not where it sinks in the noise.
const EDGE_SHARE: f32 = 0.42;
const EDGE_REACH: f64 = 0.28;
/// Room left about a spot in its patch.
pub const BORDER: usize = 4;

/// For places that have the colour of the surest holes; these are cut out of spots of the first kind.
pub const OF_COLOUR: Sense = Sense { low: 0.0, high: 0.0, gap: 0, stroke: 1, by: 2 };

/// A spot cut out of the sheet: a small mask with a border about it.
#[derive(Clone)]
pub struct Spot {
    /// Sheet pixel of the mask's first pixel.
    pub left: isize,
    pub top: isize,
    /// All of it.
    pub mask: Mask,
    /// Where it is about as strong as anywhere near: a blurred edge's outer half is not part of it.
    pub core: Mask,
    /// It reaches the edge of what the picture shows, so that nobody knows its shape.
    pub is_cut: bool,
}

impl Spot {
    /// Whether a place on the sheet is of the spot.
    pub fn contains(&self, x: f64, y: f64) -> bool {
        let (u, v) = (x - self.left as f64, y - self.top as f64);
        u >= 0.0
            && v >= 0.0
            && (u as usize) < self.mask.width
            && (v as usize) < self.mask.height
            && self.mask.cells[v as usize * self.mask.width + u as usize]
    }
}

/// A small binary picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    pub width: usize,
    pub height: usize,
    pub cells: Vec<bool>,
}

impl Mask {
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, cells: vec![false; width * height] }
    }

    /// Cells that are set here and there.
    pub fn and(mut self, other: &Self) -> Self {
        self.cells.iter_mut().zip(&other.cells).for_each(|(cell, other)| *cell &= other);
        self
    }

    /// Cells that are set here or there.
    pub fn or(mut self, other: &Self) -> Self {
        self.cells.iter_mut().zip(&other.cells).for_each(|(cell, other)| *cell |= other);
        self
    }

    pub fn area(&self) -> usize {
        self.cells.iter().filter(|&&cell| cell).count()
    }

    /// Every cell that is set itself or beside one that is; with `corners`, diagonally too.
    pub fn grown(&self, corners: bool) -> Self {
        self.combined(corners, true)
    }

    /// Every cell that is set and has no neighbour that is not.
    pub fn shrunk(&self, corners: bool) -> Self {
        self.combined(corners, false)
    }

    fn combined(&self, corners: bool, wanted: bool) -> Self {
        let mut out = self.clone();
        for y in 0..self.height {
            for x in 0..self.width {
                let (from_x, to_x) = (x.saturating_sub(1), (x + 1).min(self.width - 1));
                let (from_y, to_y) = (y.saturating_sub(1), (y + 1).min(self.height - 1));
                let near = (from_y..=to_y).any(|v| {
                    (from_x..=to_x).any(|u| (corners || u == x || v == y) && self.cells[v * self.width + u] == wanted)
                });
                if near {
                    out.cells[y * self.width + x] = wanted;
                }
            }
        }
        out
    }

    /// Sets every cell that is enclosed, unless what is enclosed is larger than `most` cells.
    pub fn filled(&self, most: usize) -> Self {
        let mut out = self.clone();
        let mut seen = self.cells.clone();
        for start in 0..self.cells.len() {
            if seen[start] {
                continue;
            }
            let enclosed = flood(&mut seen, self.width, start);
            let open = enclosed.iter().any(|&at| {
                let (x, y) = (at as usize % self.width, at as usize / self.width);
                x == 0 || y == 0 || x + 1 == self.width || y + 1 == self.height
            });
            if !open && enclosed.len() <= most {
                enclosed.iter().for_each(|&at| out.cells[at as usize] = true);
            }
        }
        out
    }
}

/// All spots of a deviation map that are large and strong enough to be part of a hole.
pub fn spots(deviation: &Grid, sheet: &Sheet, sense: Sense) -> Vec<Spot> {
    let width = deviation.width;
    let mut seen = closed(deviation, sense);
    seen.iter_mut().for_each(|cell| *cell = !*cell);
    let least = (SMALLEST * std::f64::consts::FRAC_PI_4 * sheet.calibre_px.powi(2)) as usize;
    let mut spots = Vec::new();
    let mut from = 0;
    while let Some(start) = seen[from..].iter().position(|&done| !done).map(|at| from + at) {
        from = start + 1;
        let pixels = flood(&mut seen, width, start);
        if pixels.len() >= least && pixels.iter().any(|&at| deviation.values[at as usize] >= sense.high) {
            spots.push(cut_out(&pixels, sheet, deviation));
        }
    }
    spots
}

/// Which pixels deviate, with gaps closed.
fn closed(deviation: &Grid, Sense { low, gap, .. }: Sense) -> Vec<bool> {
    if gap == 0 {
        return deviation.values.iter().map(|&value| value >= low).collect();
    }
    let (width, height) = (deviation.width, deviation.height);
    let mut cells: Vec<u8> = deviation.values.iter().map(|&value| u8::from(value >= low)).collect();
    let mut other = vec![0_u8; cells.len()];
    spread(&mut cells, &mut other, [width, height, gap], u8::max);
    spread(&mut cells, &mut other, [width, height, gap], u8::min);
    cells.into_iter().map(|cell| cell > 0).collect()
}

/// Replaces every cell by the greatest or the least of the square about it, first along rows, then along columns.
fn spread(cells: &mut [u8], other: &mut [u8], [width, height, gap]: [usize; 3], meet: impl Fn(u8, u8) -> u8) {
    for (source, target) in cells.chunks_exact(width).zip(other.chunks_exact_mut(width)) {
        target.copy_from_slice(source);
        for shift in 0..=2 * gap {
            let inner = target[gap..width - gap].iter_mut().zip(&source[shift..]);
            inner.for_each(|(value, &near)| *value = meet(*value, near));
        }
    }
    cells.copy_from_slice(other);
    for y in gap..height - gap {
        for row in y - gap..=y + gap {
            let near = &other[row * width..(row + 1) * width];
            let here = cells[y * width..(y + 1) * width].iter_mut().zip(near);
            here.for_each(|(value, &near)| *value = meet(*value, near));
        }
    }
}

/// The greatest deviation within `reach` pixels of every pixel of a box.
fn strongest_about(deviation: &Grid, [left, top, right, bottom]: [usize; 4], reach: usize) -> Vec<f32> {
    let (width, height) = (right - left + 1, bottom - top + 1);
    let rows = top.saturating_sub(reach)..(bottom + reach + 1).min(deviation.height);
    let across: Vec<Vec<f32>> = rows
        .clone()
        .map(|y| {
            let row = deviation.row(y);
            let near = |x: usize| &row[x.saturating_sub(reach)..(x + reach + 1).min(row.len())];
            (left..=right).map(|x| near(x).iter().copied().fold(0.0, f32::max)).collect()
        })
        .collect();
    let mut strongest = Vec::with_capacity(width * height);
    for y in top..=bottom {
        let (from, to) = (y.saturating_sub(reach) - rows.start, (y + reach + 1).min(rows.end) - rows.start);
        strongest.extend((0..width).map(|x| across[from..to].iter().map(|row| row[x]).fold(0.0, f32::max)));
    }
    strongest
}

fn cut_out(pixels: &[u32], sheet: &Sheet, deviation: &Grid) -> Spot {
    let (width, height) = (deviation.width, deviation.height);
    let place = |at: u32| (at as usize % width, at as usize / width);
    let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
    let mut is_cut = false;
    for (x, y) in pixels.iter().map(|&at| place(at)) {
        (left, right, top, bottom) = (left.min(x), right.max(x), top.min(y), bottom.max(y));
        let inner = (2..width - 2).contains(&x) && (2..height - 2).contains(&y);
        is_cut |= !inner || !sheet.visible[(y - 2) * width + x] || !sheet.visible[(y + 2) * width + x];
        is_cut |= !inner || !sheet.visible[y * width + x - 2] || !sheet.visible[y * width + x + 2];
    }
    let mut mask = Mask::new(right - left + 1 + 2 * BORDER, bottom - top + 1 + 2 * BORDER);
    let reach = (EDGE_REACH * sheet.calibre_px).round() as usize;
    let strongest = strongest_about(deviation, [left, top, right, bottom], reach);
    let mut core = mask.clone();
    for (x, y) in pixels.iter().map(|&at| place(at)) {
        let at = (y - top + BORDER) * mask.width + x - left + BORDER;
        mask.cells[at] = true;
        core.cells[at] = deviation.row(y)[x] >= EDGE_SHARE * strongest[(y - top) * (right - left + 1) + x - left];
    }
    let border = BORDER.cast_signed();
    Spot { left: left.cast_signed() - border, top: top.cast_signed() - border, mask, core, is_cut }
}

/// The cells that are connected to `start` and not yet seen; they count as seen from now on.
fn flood(seen: &mut [bool], width: usize, start: usize) -> Vec<u32> {
    let mut found = vec![start as u32];
    seen[start] = true;
    let mut next = 0;
    while let Some(&pixel) = found.get(next) {
        next += 1;
        let at = pixel as usize;
        let column = at % width;
        let neighbours = [
            (column > 0).then(|| at - 1),
            (column + 1 < width).then_some(at + 1),
            at.checked_sub(width),
            (at + width < seen.len()).then_some(at + width),
        ];
        for neighbour in neighbours.into_iter().flatten() {
            if !seen[neighbour] {
                seen[neighbour] = true;
                found.push(neighbour as u32);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(rows: &[&str]) -> Mask {
        let mut mask = Mask::new(rows[0].len(), rows.len());
        for (y, row) in rows.iter().enumerate() {
            for (x, cell) in row.bytes().enumerate() {
                mask.cells[y * mask.width + x] = cell == b'#';
            }
        }
        mask
    }

    #[test]
    fn a_ring_is_filled_and_a_bay_is_not() {
        let open = mask(&["......", ".####.", ".#..#.", ".#..#.", ".#..#.", "......"]);
        assert_eq!(open.filled(100), open);
        let ring = mask(&["......", ".####.", ".#..#.", ".#..#.", ".####.", "......"]);
        assert_eq!(ring.filled(100).area(), 16);
        assert_eq!(ring.filled(3), ring);
    }

    #[test]
    fn opening_takes_a_thin_stroke_away() {
        let stroke = mask(&["........", ".######.", ".######.", "........"]);
        assert_eq!(stroke.shrunk(true).area(), 0);
    }
}
