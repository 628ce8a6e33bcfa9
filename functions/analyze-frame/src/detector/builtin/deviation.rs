#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cell indices are small and positive")]
//! How far every place on the sheet is from what is printed there, in standard deviations of the sheet's own noise.

use shared::domain::target::TargetType;

use super::{
    backdrop::{Field, Ground, blur, levels},
    linear::median,
    lines::Lines,
    rings::{PrintedCircle, printed_circles},
    sheet::{Grid, Sheet},
};

/// Deviations smaller than this share of the contrast between paper and black are no evidence, whatever the noise:
/// paper has texture, and print has shades.
const LEAST_SHARE: f32 = 0.008;
/// Least noise that is believed, in levels: JPEG's own rounding.
const LEAST_LUMA_NOISE: f32 = 0.5;
const LEAST_CHROMA_NOISE: f32 = 0.7;

/// The sheet minus what is expected on it.
pub struct Residual {
    /// Smoothed, in grey levels; attenuated where print is uncertain.
    pub luma: Grid,
    pub chroma: [Grid; 2],
    /// Paper's level minus the black's, typical of the sheet.
    pub contrast: f32,
    /// Radius of the black in sheet pixels.
    black: f32,
}

impl Residual {
    pub fn new(sheet: &Sheet, target: TargetType) -> Self {
        let circles = printed_circles(target);
        let mut lines = Lines::new(&circles, sheet.pixels_per_mm, sheet.calibre_px);
        let black = (target.rings().black_mm() / 2.0 * sheet.pixels_per_mm) as f32;
        let sure = (target.rings().outermost_mm() / 2.0 * sheet.pixels_per_mm) as f32;
        let margins = margins(&circles, sheet.pixels_per_mm);
        let [paper, dark] = levels(sheet, |radius| ground(&margins, black, radius), sure.max(1.1 * black));
        let mut luma = Grid::new(sheet.width(), sheet.height());
        let contrast = bare_luma(sheet, [&paper, &dark], black, &mut lines, &mut luma);
        lines.learn();
        remove_lines(sheet, &lines, contrast, &mut luma);
        let chroma = [0, 1].map(|which| blur(&bare_chroma(sheet, [&paper, &dark], black, which)));
        Self { luma: blur(&luma), chroma, contrast, black }
    }

    /// The deviation of every pixel in standard deviations, over luma and both chroma planes together.
    pub fn deviation(&self, sheet: &Sheet) -> Grid {
        let noise = NoiseField::new(&self.luma, sheet);
        let floor = LEAST_LUMA_NOISE + LEAST_SHARE * self.contrast;
        let tint = [0, 1].map(|which| self.chroma_noise(which, sheet));
        let mut deviation = Grid::new(self.luma.width, self.luma.height);
        let mut noises = vec![0.0; self.luma.width];
        for y in 0..self.luma.height {
            noise.row(y, &mut noises);
            let [cb, cr] = [self.chroma[0].row(y / 2), self.chroma[1].row(y / 2)];
            let visible = &sheet.visible[y * sheet.width()..(y + 1) * sheet.width()];
            let luma = self.luma.row(y);
            for (x, value) in deviation.row_mut(y).iter_mut().enumerate() {
                if visible[x] {
                    let z = luma[x] / noises[x].max(floor);
                    let (b, r) = (cb[x / 2] * tint[0], cr[x / 2] * tint[1]);
                    *value = (z * z + b * b + r * r).sqrt();
                }
            }
        }
        deviation
    }

    /// How far the tint of a sheet pixel is from what is expected, in levels.
    pub fn tint(&self, x: usize, y: usize) -> f32 {
        let [cb, cr] = [0, 1].map(|which| self.chroma[which].row(y / 2)[x / 2]);
        cb.abs().max(cr.abs())
    }

    /// One over the noise of a chroma plane.
    fn chroma_noise(&self, which: usize, sheet: &Sheet) -> f32 {
        let (cx, cy) = sheet.centre();
        let grid = &self.chroma[which];
        let mut sizes: Vec<f32> = (0..grid.height)
            .step_by(3)
            .flat_map(|y| (0..grid.width).step_by(3).map(move |x| (x, y)))
            .filter(|&(x, y)| sheet.visible[2 * y * sheet.width() + 2 * x])
            .filter(|&(x, y)| (2.0 * x as f32 - cx).hypot(2.0 * y as f32 - cy) < 2.0 * self.black)
            .map(|(x, y)| grid.row(y)[x].abs())
            .collect();
        1.0 / (1.4826 * median(&mut sizes).unwrap_or(0.0)).max(LEAST_CHROMA_NOISE)
    }
}

/// Distances from the centre between which a line keeps levels from being read.
fn margins(circles: &[PrintedCircle], pixels_per_mm: f64) -> Vec<(f32, f32)> {
    const LINE_PX: f64 = 2.0;
    circles
        .iter()
        .map(|c| (c.radius_mm * pixels_per_mm, LINE_PX.min(0.3 * c.clearance_mm * pixels_per_mm)))
        .map(|(radius, half)| ((radius - half) as f32, (radius + half) as f32))
        .collect()
}

fn ground(margins: &[(f32, f32)], black: f32, radius: f32) -> Ground {
    if margins.iter().any(|&(from, to)| (from..to).contains(&radius)) {
        Ground::Line
    } else if radius < black {
        Ground::Black
    } else {
        Ground::Paper
    }
}

/// Luma minus the bare ground's level; notes what lies about printed circles. Returns the typical contrast.
fn bare_luma(sheet: &Sheet, [paper, dark]: [&Field; 2], black: f32, lines: &mut Lines, out: &mut Grid) -> f32 {
    let (width, (cx, cy)) = (sheet.width(), sheet.centre());
    let (mut papers, mut darks) = (vec![0.0; width], vec![0.0; width]);
    let mut contrasts = Vec::new();
    for y in 0..sheet.height() {
        paper.row(y as f32, 1.0, 0.0, 0, &mut papers);
        dark.row(y as f32, 1.0, 0.0, 0, &mut darks);
        let dy = y as f32 - cy;
        let (luma, visible) = (sheet.luma.row(y), &sheet.visible[y * width..(y + 1) * width]);
        for (x, value) in out.row_mut(y).iter_mut().enumerate() {
            if !visible[x] {
                continue;
            }
            let dx = x as f32 - cx;
            let radius = (dx * dx + dy * dy).sqrt();
            *value = luma[x] - if radius < black { darks[x] } else { papers[x] };
            if lines.covers(radius) {
                lines.note((dx, dy), radius, *value / (papers[x] - darks[x]).max(10.0));
            }
        }
        contrasts.extend(papers.iter().zip(&darks).step_by(16).map(|(p, d)| p - d));
    }
    median(&mut contrasts).unwrap_or(0.0).max(10.0)
}

/// Takes the printed lines out, and weakens what is left where they vary: an uncertain place is weak evidence.
fn remove_lines(sheet: &Sheet, lines: &Lines, contrast: f32, luma: &mut Grid) {
    /// Spread of bare ground, as a share of the contrast, that costs half the weight.
    const TYPICAL_SPREAD: f32 = 0.06;
    let (cx, cy) = sheet.centre();
    for y in 0..luma.height {
        let dy = y as f32 - cy;
        for (x, value) in luma.row_mut(y).iter_mut().enumerate() {
            let dx = x as f32 - cx;
            let radius = (dx * dx + dy * dy).sqrt();
            if lines.covers(radius) {
                let expected = lines.expected((dx, dy), radius);
                let spread = (expected.spread / TYPICAL_SPREAD).powi(2);
                *value = (*value - expected.share * contrast) / (1.0 + spread).sqrt();
            }
        }
    }
}

/// A chroma plane minus what is expected of it. Cameras smear chroma, so the step at the black's edge is wide.
fn bare_chroma(sheet: &Sheet, [paper, dark]: [&Field; 2], black: f32, which: usize) -> Grid {
    const SMEAR_PX: f32 = 5.0;
    let source = &sheet.chroma[which];
    let (cx, cy) = sheet.centre();
    let mut out = Grid::new(source.width, source.height);
    let (mut papers, mut darks) = (vec![0.0; source.width], vec![0.0; source.width]);
    for y in 0..source.height {
        paper.row(2.0 * y as f32 + 0.5, 2.0, 0.5, which + 1, &mut papers);
        dark.row(2.0 * y as f32 + 0.5, 2.0, 0.5, which + 1, &mut darks);
        let dy = 2.0 * y as f32 + 0.5 - cy;
        for (x, value) in out.row_mut(y).iter_mut().enumerate() {
            if !sheet.visible[2 * y * sheet.width() + 2 * x] {
                continue;
            }
            let dx = 2.0 * x as f32 + 0.5 - cx;
            let outside = ((dx * dx + dy * dy).sqrt() - black) / (2.0 * SMEAR_PX) + 0.5;
            let share = outside.clamp(0.0, 1.0);
            let found = source.row(y)[x] - (darks[x] + share * (papers[x] - darks[x]));
            // At the edge itself, the two tints bound what can be expected.
            let slack = if (0.0..1.0).contains(&outside) { 0.5 * (papers[x] - darks[x]).abs() } else { 0.0 };
            *value = found.signum() * (found.abs() - slack).max(0.0);
        }
    }
    out
}

/// Noise of the smoothed luma, cell by cell: print may be rough in one place and smooth in another.
struct NoiseField {
    cell: usize,
    columns: usize,
    rows: usize,
    values: Vec<f32>,
}

impl NoiseField {
    fn new(luma: &Grid, sheet: &Sheet) -> Self {
        let cell = (2.5 * sheet.calibre_px).round().max(8.0) as usize;
        let (columns, rows) = (luma.width.div_ceil(cell), luma.height.div_ceil(cell));
        let mut values: Vec<f32> = (0..columns * rows)
            .map(|at| {
                let (left, top) = (at % columns * cell, at / columns * cell);
                let mut sizes: Vec<f32> = (top..(top + cell).min(luma.height))
                    .step_by(3)
                    .flat_map(|y| (left..(left + cell).min(luma.width)).step_by(3).map(move |x| (x, y)))
                    .filter(|&(x, y)| sheet.visible[y * luma.width + x])
                    .map(|(x, y)| luma.row(y)[x].abs())
                    .collect();
                1.4826 * median(&mut sizes).unwrap_or(0.0)
            })
            .collect();
        let rough = values.clone();
        for (at, value) in values.iter_mut().enumerate() {
            let (column, row) = (at % columns, at / columns);
            let mut about: Vec<f32> = (row.saturating_sub(1)..(row + 2).min(rows))
                .flat_map(|r| (column.saturating_sub(1)..(column + 2).min(columns)).map(move |c| r * columns + c))
                .map(|n| rough[n])
                .collect();
            *value = median(&mut about).unwrap_or(*value);
        }
        Self { cell, columns, rows, values }
    }

    /// The noise along a row, cell by cell.
    fn row(&self, y: usize, out: &mut [f32]) {
        let row = (y / self.cell).min(self.rows - 1) * self.columns;
        for (chunk, value) in out.chunks_mut(self.cell).zip(&self.values[row..]) {
            chunk.fill(*value);
        }
    }
}
