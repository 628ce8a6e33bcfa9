#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sheet coordinates are small and positive"
)]
//! The target laid flat: the part of the picture that shows it, resampled to millimetres.

use shared::domain::{
    frame::{DecodedFrame, Raster},
    position::Position,
    target::TargetType,
};

use super::{
    plane::Plane,
    pyramid::{Pyramid, sample},
};

/// How far beyond the outermost ring paper is looked at: a share of that ring's radius, and calibres at least. The
/// official cards end there.
const MARGIN: f64 = 0.12;
const MARGIN_CALIBRES: f64 = 4.0;
/// Pixels of the sheet across a calibre: no more than a hole's outline needs, no fewer than it takes to tell two holes.
const CALIBRE_PX: std::ops::RangeInclusive<f64> = 10.5..=22.0;
/// Pixels across the sheet that are enough where a calibre has more than the least.
const SHEET_PX: f64 = 640.0;

/// Values on a regular grid.
#[derive(Debug, Clone)]
pub struct Grid {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Grid {
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, values: vec![0.0; width * height] }
    }

    pub fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..(y + 1) * self.width]
    }

    pub fn row_mut(&mut self, y: usize) -> &mut [f32] {
        &mut self.values[y * self.width..(y + 1) * self.width]
    }
}

/// The rectified target. Row 0 is its upper end; pixel (0, 0) lies at (`left_mm`, `top_mm`).
pub struct Sheet {
    pub pixels_per_mm: f64,
    pub left_mm: f64,
    pub top_mm: f64,
    /// A calibre in pixels of the sheet.
    pub calibre_px: f64,
    pub luma: Grid,
    /// Chroma at half the resolution: blue and red difference.
    pub chroma: [Grid; 2],
    /// What lies within the picture.
    pub visible: Vec<bool>,
}

impl Sheet {
    pub fn new(frame: &DecodedFrame, pyramid: &Pyramid<'_>, plane: &Plane, target: TargetType) -> Self {
        let table = target.rings();
        let native = plane.pixels_per_mm(Position::CENTRE);
        let enough = native.min(SHEET_PX / (2.0 * reach_mm(target)));
        let least = CALIBRE_PX.start().max((native * table.calibre_mm()).min(12.0));
        let calibre_px = (enough * table.calibre_mm()).clamp(least, *CALIBRE_PX.end());
        let pixels_per_mm = calibre_px / table.calibre_mm();
        let [left_mm, right_mm, bottom_mm, top_mm] = visible_extent(frame, plane, reach_mm(target));
        let even = |mm: f64| ((mm * pixels_per_mm).ceil().max(2.0) as usize).next_multiple_of(2);
        let (width, height) = (even(right_mm - left_mm), even(top_mm - bottom_mm));
        let mut sheet = Self {
            pixels_per_mm,
            left_mm,
            top_mm,
            calibre_px,
            luma: Grid::new(width, height),
            chroma: [Grid::new(width / 2, height / 2), Grid::new(width / 2, height / 2)],
            visible: vec![false; width * height],
        };
        let reach_px = (reach_mm(target) * pixels_per_mm) as f32;
        sheet.fill(frame, pyramid, plane, native / pixels_per_mm, reach_px);
        sheet
    }

    fn fill(&mut self, frame: &DecodedFrame, pyramid: &Pyramid<'_>, plane: &Plane, shrink: f64, reach_px: f32) {
        // The nearer level: a finer one would alias lines and keep noise.
        let level = pyramid.level_for(std::f64::consts::SQRT_2 * shrink);
        let (luma_map, chroma_map) = (self.map(plane, 1.0, level.factor), self.map(plane, 2.0, 2.0));
        let (cx, cy) = self.centre();
        let width = self.luma.width;
        let (luma, visible, chroma) = (&mut self.luma.values, &mut self.visible, &mut self.chroma);
        // Chroma is half as much work as luma: a second core takes it where there is one.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for (grid, raster) in chroma.iter_mut().zip([&frame.cb, &frame.cr]) {
                    grid.values.fill(128.0);
                    for y in 0..grid.height {
                        let columns = chord(y as f32 - cy / 2.0, reach_px / 2.0, cx / 2.0, grid.width);
                        resample_row(raster, &chroma_map, y, columns.start, &mut grid.row_mut(y)[columns], |_| {});
                    }
                }
            });
            for (y, (row, visible)) in luma.chunks_exact_mut(width).zip(visible.chunks_exact_mut(width)).enumerate() {
                let columns = chord(y as f32 - cy, reach_px, cx, width);
                let seen = |x: usize| visible[x] = true;
                resample_row(level.raster, &luma_map, y, columns.start, &mut row[columns], seen);
            }
        });
    }

    /// From pixels of a grid that is `coarser` than the sheet to pixels of a raster that is `factor` times smaller
    /// than the picture.
    fn map(&self, plane: &Plane, coarser: f64, factor: f64) -> [[f32; 3]; 3] {
        let step = coarser / self.pixels_per_mm;
        let offset = (coarser - 1.0) / 2.0 / self.pixels_per_mm;
        let (x0, y0) = (self.left_mm + offset, self.top_mm - offset);
        let shift = 0.5 / factor - 0.5;
        let rows: [[f64; 3]; 3] = plane.matrix().map(|[a, b, c]| [a * step, -b * step, a * x0 + b * y0 + c]);
        let place = |i: usize| std::array::from_fn(|k| (rows[i][k] / factor + shift * rows[2][k]) as f32);
        [place(0), place(1), rows[2].map(|v| v as f32)]
    }

    pub fn width(&self) -> usize {
        self.luma.width
    }

    pub fn height(&self) -> usize {
        self.luma.height
    }

    /// The position on the target of a place on the sheet.
    pub fn position(&self, x: f64, y: f64) -> Position {
        Position::new(self.left_mm + x / self.pixels_per_mm, self.top_mm - y / self.pixels_per_mm)
    }

    /// The target's centre in pixels of the sheet.
    pub fn centre(&self) -> (f32, f32) {
        ((-self.left_mm * self.pixels_per_mm) as f32, (self.top_mm * self.pixels_per_mm) as f32)
    }
}

/// The columns of a row `dy` below the centre that lie within `reach` of it.
fn chord(dy: f32, reach: f32, centre: f32, width: usize) -> std::ops::Range<usize> {
    let half = (reach * reach - dy * dy).max(0.0).sqrt();
    let edge = |x: f32| (x.max(0.0) as usize).min(width);
    edge(centre - half)..edge(centre + half)
}

/// Fills the columns of row `y` from column `left` on, and tells which of them are in the picture.
fn resample_row(
    raster: &Raster,
    map: &[[f32; 3]; 3],
    y: usize,
    left: usize,
    row: &mut [f32],
    mut seen: impl FnMut(usize),
) {
    let y = y as f32;
    let [u0, v0, w0] = map.map(|m| m[1] * y + m[2]);
    for (x, value) in (left..).zip(row) {
        let column = x as i32 as f32;
        let depth = 1.0 / (map[2][0] * column + w0);
        if let Some(found) = sample(raster, (map[0][0] * column + u0) * depth, (map[1][0] * column + v0) * depth) {
            *value = found;
            seen(x);
        }
    }
}

/// How far from the target's centre holes are looked for.
pub fn reach_mm(target: TargetType) -> f64 {
    let table = target.rings();
    let radius = table.outermost_mm() / 2.0;
    radius + (MARGIN * radius).max(MARGIN_CALIBRES * table.calibre_mm())
}

/// Left, right, bottom and top of what the picture shows of the square about the target, in millimetres.
fn visible_extent(frame: &DecodedFrame, plane: &Plane, half: f64) -> [f64; 4] {
    let (right, bottom) = (f64::from(frame.info.width) - 1.0, f64::from(frame.info.height) - 1.0);
    let corners = [(0.0, 0.0), (right, 0.0), (0.0, bottom), (right, bottom)].map(|(x, y)| plane.mm(x, y));
    let bound = |start: f64, pick: fn(&Position) -> f64, meet: fn(f64, f64) -> f64| {
        corners.iter().map(pick).fold(start, meet).clamp(-half, half)
    };
    [
        bound(f64::INFINITY, |p| p.x_mm, f64::min),
        bound(f64::NEG_INFINITY, |p| p.x_mm, f64::max),
        bound(f64::INFINITY, |p| p.y_mm, f64::min),
        bound(f64::NEG_INFINITY, |p| p.y_mm, f64::max),
    ]
}
