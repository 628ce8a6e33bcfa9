#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cell indices are small and positive")]
//! How much noise there is where on the sheet.

use super::{
    linear::median,
    sheet::{Grid, Sheet},
};

/// What turns levels into standard deviations: one over the noise.
pub struct Noise {
    pub luma: NoiseField,
    pub chroma: [f32; 2],
}

/// Noise of the smoothed luma, cell by cell: print may be rough in one place and smooth in another.
pub struct NoiseField {
    cell: usize,
    columns: usize,
    rows: usize,
    pub values: Vec<f32>,
}

impl NoiseField {
    pub fn new(luma: &Grid, sheet: &Sheet) -> Self {
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

    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[(y / self.cell).min(self.rows - 1) * self.columns + (x / self.cell).min(self.columns - 1)]
    }

    /// The noise along a row, cell by cell.
    pub fn row(&self, y: usize, out: &mut [f32]) {
        let row = (y / self.cell).min(self.rows - 1) * self.columns;
        for (chunk, value) in out.chunks_mut(self.cell).zip(&self.values[row..]) {
            chunk.fill(*value);
        }
    }
}
