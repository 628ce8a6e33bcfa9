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
/// Paper is taken to be this much lighter than the black at least, in levels.
const LEAST_CONTRAST: f32 = 10.0;

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
        let black = (target.rings().black_mm() / 2.0 * sheet.pixels_per_mm) as f32;
        let sure = (target.rings().outermost_mm() / 2.0 * sheet.pixels_per_mm) as f32;
        let margins = margins(&circles, sheet.pixels_per_mm);
        let [paper, dark] = levels(sheet, |radius| ground(&margins, black, radius), sure.max(1.1 * black));
        let contrast = typical_contrast(&paper, &dark, sheet);
        let print = Print { sheet, circles: &circles, fields: [&paper, &dark], black };
        let mut chroma = [Grid::new(0, 0), Grid::new(0, 0)];
        let luma = std::thread::scope(|scope| {
            scope.spawn(|| {
                for (which, plane) in chroma.iter_mut().enumerate() {
                    *plane = print.taken_off(&sheet.chroma[which], which + 1, 2.0, 2.0);
                }
            });
            print.taken_off(&sheet.luma, 0, 1.0, 0.06 * contrast)
        });
        Self { luma, chroma, contrast, black }
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

/// Paper's level minus the black's in the middle of the sheet's cells.
fn typical_contrast(paper: &Field, dark: &Field, sheet: &Sheet) -> f32 {
    const STEP: usize = 16;
    let (mut papers, mut darks) = (vec![0.0; sheet.width() / STEP], vec![0.0; sheet.width() / STEP]);
    let mut contrasts = Vec::new();
    for y in (0..sheet.height()).step_by(STEP) {
        paper.row(y as f32, STEP as f32, 0.0, 0, &mut papers);
        dark.row(y as f32, STEP as f32, 0.0, 0, &mut darks);
        contrasts.extend(papers.iter().zip(&darks).map(|(p, d)| p - d));
    }
    median(&mut contrasts).unwrap_or(0.0).max(LEAST_CONTRAST)
}

/// What is printed on a sheet.
struct Print<'a> {
    sheet: &'a Sheet,
    circles: &'a [PrintedCircle],
    fields: [&'a Field; 2],
    /// Radius of the black in sheet pixels.
    black: f32,
}

impl Print<'_> {
    /// A plane of the sheet without its print, smoothed. The plane may be `coarser` than the sheet; a spread of `soft`
    /// levels about what is printed costs half the weight: an uncertain place is weak evidence.
    fn taken_off(&self, plane: &Grid, channel: usize, coarser: f32, soft: f32) -> Grid {
        let scale = self.sheet.pixels_per_mm / f64::from(coarser);
        let mut lines = Lines::new(self.circles, scale, self.sheet.calibre_px / f64::from(coarser));
        let mut out = plane.clone();
        self.take_off_ground(&mut out, channel, coarser, &mut lines);
        lines.learn();
        self.take_off_lines(&mut out, channel, coarser, &lines, soft);
        blur(&out)
    }

    /// Takes off paper's or the black's level, and notes what is left about printed circles.
    fn take_off_ground(&self, out: &mut Grid, channel: usize, coarser: f32, lines: &mut Lines) {
        let black = self.black / coarser;
        self.each_row(out, channel, coarser, |row, (dy, dx), visible, papers, darks| {
            for (x, value) in row.iter_mut().enumerate() {
                if !visible(x) {
                    *value = 0.0;
                    continue;
                }
                let dx = dx + x as f32;
                let radius = (dx * dx + dy * dy).sqrt();
                *value -= if radius < black { darks[x] } else { papers[x] };
                if lines.covers(radius) {
                    lines.note((dx, dy), radius, *value / unit(channel, papers[x] - darks[x]));
                }
            }
        });
    }

    fn take_off_lines(&self, out: &mut Grid, channel: usize, coarser: f32, lines: &Lines, soft: f32) {
        self.each_row(out, channel, coarser, |row, (dy, dx), visible, papers, darks| {
            for (x, value) in row.iter_mut().enumerate() {
                let dx = dx + x as f32;
                let radius = (dx * dx + dy * dy).sqrt();
                if lines.covers(radius) && visible(x) {
                    let unit = unit(channel, papers[x] - darks[x]);
                    let expected = lines.expected((dx, dy), radius);
                    let spread = (expected.spread * unit / soft).powi(2);
                    *value = (*value - expected.share * unit) / (1.0 + spread).sqrt();
                }
            }
        });
    }

    /// Calls back for every row of a plane with the row, the offset of its first pixel from the target's centre (down,
    /// right), what of it is visible, and both levels.
    fn each_row(
        &self,
        plane: &mut Grid,
        channel: usize,
        coarser: f32,
        mut each: impl FnMut(&mut [f32], (f32, f32), &dyn Fn(usize) -> bool, &[f32], &[f32]),
    ) {
        let (mut papers, mut darks) = (vec![0.0; plane.width], vec![0.0; plane.width]);
        let (cx, cy) = self.sheet.centre();
        let (fine, offset) = (coarser as usize, (coarser - 1.0) / 2.0);
        for y in 0..plane.height {
            let place = y as f32 * coarser + offset;
            let [paper, dark] = self.fields;
            paper.row(place, coarser, offset, channel, &mut papers);
            dark.row(place, coarser, offset, channel, &mut darks);
            let visible = &self.sheet.visible[y * fine * self.sheet.width()..];
            let from_centre = ((place - cy) / coarser, (offset - cx) / coarser);
            each(plane.row_mut(y), from_centre, &|x| visible[x * fine], &papers, &darks);
        }
    }
}

/// What lines are measured in: luma by the local contrast, for their strength follows the light; chroma in levels.
fn unit(channel: usize, contrast: f32) -> f32 {
    if channel == 0 { contrast.max(LEAST_CONTRAST) } else { 1.0 }
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
