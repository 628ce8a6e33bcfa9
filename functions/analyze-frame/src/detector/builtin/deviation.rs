#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cell indices are small and positive")]
//! How far every place on the sheet is from what is printed there, in standard deviations of the sheet's own noise.

use shared::domain::target::TargetType;

use super::{
    backdrop::{Field, box_mean},
    linear::median,
    noise::{Noise, NoiseField},
    print::{self, LEAST_CONTRAST, Print},
    rings::printed_circles,
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
    paper: Field,
    dark: Field,
}

impl Residual {
    pub fn new(sheet: &Sheet, target: TargetType) -> Self {
        let circles = printed_circles(target);
        let black = (target.rings().black_mm() / 2.0 * sheet.pixels_per_mm) as f32;
        let [paper, dark] = print::levels(sheet, target, &circles, black);
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
        Self { luma, chroma, contrast, black, paper, dark }
    }

    /// What turns levels into standard deviations.
    pub fn noise(&self, sheet: &Sheet) -> Noise {
        let floor = LEAST_LUMA_NOISE + LEAST_SHARE * self.contrast;
        let mut luma = NoiseField::new(&self.luma, sheet);
        luma.values.iter_mut().for_each(|noise| *noise = 1.0 / noise.max(floor));
        Noise { luma, chroma: [0, 1].map(|which| self.chroma_noise(which, sheet)) }
    }

    /// The deviation of every pixel in standard deviations, over luma and both chroma planes together.
    pub fn deviation(&self, sheet: &Sheet, noise: &Noise) -> Grid {
        let mut deviation = Grid::new(self.luma.width, self.luma.height);
        let mut units = vec![0.0; self.luma.width];
        for y in 0..self.luma.height {
            noise.luma.row(y, &mut units);
            let [cb, cr] = [self.chroma[0].row(y / 2), self.chroma[1].row(y / 2)];
            let visible = &sheet.visible[y * sheet.width()..(y + 1) * sheet.width()];
            let luma = self.luma.row(y);
            for (x, value) in deviation.row_mut(y).iter_mut().enumerate() {
                if visible[x] {
                    let z = luma[x] * units[x];
                    let (b, r) = (cb[x / 2] * noise.chroma[0], cr[x / 2] * noise.chroma[1]);
                    *value = (z * z + b * b + r * r).sqrt();
                }
            }
        }
        deviation
    }

    /// By how many standard deviations every pixel within `reach` pixels of the centre is darker than its surroundings,
    /// which need not be as printed: a worn black is mottled, but not as finely as holes.
    pub fn darkness(&self, sheet: &Sheet, reach: f32) -> Grid {
        /// Side of the surroundings in calibres, and what counts of numbers and of holes in them, by the contrast.
        const SURROUNDINGS: f64 = 2.6;
        const CLIPPED: (f32, f32) = (-0.12, 0.06);
        let (low, high) = (CLIPPED.0 * self.contrast, CLIPPED.1 * self.contrast);
        let mut clipped = Grid::new(self.luma.width, self.luma.height);
        let (cx, cy) = sheet.centre();
        for y in 0..self.luma.height {
            let half = (reach * reach - (y as f32 - cy).powi(2)).max(0.0).sqrt();
            let edge = |x: f32| (x.max(0.0) as usize).min(self.luma.width);
            let columns = edge(cx - half)..edge(cx + half);
            let luma = &self.luma.row(y)[columns.clone()];
            clipped.row_mut(y)[columns].iter_mut().zip(luma).for_each(|(value, luma)| *value = luma.clamp(low, high));
        }
        let mut darkness = box_mean(&clipped, (SURROUNDINGS * sheet.calibre_px / 2.0) as usize);
        let near = box_mean(&clipped, 1);
        darkness.values.iter_mut().zip(&near.values).for_each(|(far, near)| *far -= near);
        let noise = NoiseField::new(&darkness, sheet);
        let floor = LEAST_LUMA_NOISE + LEAST_SHARE * self.contrast;
        let mut noises = vec![0.0; darkness.width];
        for y in 0..darkness.height {
            noise.row(y, &mut noises);
            let row = darkness.row_mut(y).iter_mut().zip(&noises);
            row.for_each(|(value, noise)| *value = (*value / noise.max(floor)).max(0.0));
        }
        darkness
    }

    /// The luma of the black about a pixel in percent of paper's.
    pub fn ink(&self, x: usize, y: usize) -> f64 {
        let [paper, dark] = [&self.paper, &self.dark].map(|field| field.at(x as f32, y as f32)[0]);
        f64::from(100.0 * dark / paper.max(LEAST_CONTRAST))
    }

    /// The colour of one pixel as paper's light makes it: luma, blue and red difference in percent of paper's luma.
    pub fn colour(&self, sheet: &Sheet, x: usize, y: usize) -> [f64; 3] {
        let paper = self.paper.at(x as f32, y as f32);
        let unit = 100.0 / paper[0].max(LEAST_CONTRAST);
        let chroma = |which: usize| sheet.chroma[which].row(y / 2)[x / 2] - paper[which + 1];
        [sheet.luma.row(y)[x] * unit, chroma(0) * unit, chroma(1) * unit].map(f64::from)
    }

    /// The deviation of one pixel in standard deviations: luma, blue and red difference.
    pub fn tone(&self, noise: &Noise, x: usize, y: usize) -> [f64; 3] {
        [
            f64::from(self.luma.row(y)[x] * noise.luma.at(x, y)),
            f64::from(self.chroma[0].row(y / 2)[x / 2] * noise.chroma[0]),
            f64::from(self.chroma[1].row(y / 2)[x / 2] * noise.chroma[1]),
        ]
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
