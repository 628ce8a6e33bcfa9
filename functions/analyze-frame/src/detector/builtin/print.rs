#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cell indices are small and positive")]
//! What is printed on a sheet: the levels of paper and of the black, and lines; and the sheet without it.

use shared::domain::target::TargetType;

use super::{
    backdrop::{self, Field, Ground, blur},
    lines::Lines,
    numerals::sighting_lines_mm,
    rings::PrintedCircle,
    sheet::{Grid, Sheet},
};

/// Paper is taken to be this much lighter than the black at least, in levels.
pub const LEAST_CONTRAST: f32 = 10.0;

/// The levels of paper and of the black, whose radius is given in sheet pixels, wherever no line is printed.
pub fn levels(sheet: &Sheet, target: TargetType, circles: &[PrintedCircle], black: f32) -> [Field; 2] {
    let sure = (target.rings().outermost_mm() / 2.0 * sheet.pixels_per_mm) as f32;
    let margins = margins(circles, sheet.pixels_per_mm);
    let bar = Bar::of(target, sheet.pixels_per_mm);
    backdrop::levels(
        sheet,
        |(dx, dy), radius| if bar.covers(dx, dy) { Ground::Line } else { ground(&margins, black, radius) },
        sure.max(1.1 * black),
    )
}

/// Where white sighting lines may be, in sheet pixels from the centre: at their ends little black is left in a cell, and
/// the level would be that of the line.
struct Bar {
    half: f32,
    from: f32,
    to: f32,
}

impl Bar {
    fn of(target: TargetType, pixels_per_mm: f64) -> Self {
        const BLUR_PX: f64 = 3.0;
        let pixels = |(from_mm, to_mm, half_mm): (f64, f64, f64)| Self {
            half: (half_mm * pixels_per_mm + BLUR_PX) as f32,
            from: (from_mm * pixels_per_mm - BLUR_PX) as f32,
            to: (to_mm * pixels_per_mm) as f32,
        };
        sighting_lines_mm(target).map_or(Self { half: 0.0, from: 0.0, to: 0.0 }, pixels)
    }

    fn covers(&self, dx: f32, dy: f32) -> bool {
        dy.abs() < self.half && (self.from..self.to).contains(&dx.abs())
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

/// What is printed on a sheet.
pub struct Print<'a> {
    pub sheet: &'a Sheet,
    pub circles: &'a [PrintedCircle],
    /// Levels of paper and of the black.
    pub fields: [&'a Field; 2],
    /// Radius of the black in sheet pixels.
    pub black: f32,
}

impl Print<'_> {
    /// A plane of the sheet without its print, smoothed. The plane may be `coarser` than the sheet; a spread of `soft`
    /// levels about what is printed costs half the weight: an uncertain place is weak evidence.
    pub fn taken_off(&self, plane: &Grid, channel: usize, coarser: f32, soft: f32) -> Grid {
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
                if !visible[x] {
                    *value = 0.0;
                    continue;
                }
                let dx = dx + x as i32 as f32;
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
                let dx = dx + x as i32 as f32;
                let radius = (dx * dx + dy * dy).sqrt();
                if lines.covers(radius) && visible[x] {
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
        mut each: impl FnMut(&mut [f32], (f32, f32), &[bool], &[f32], &[f32]),
    ) {
        let (mut papers, mut darks) = (vec![0.0; plane.width], vec![0.0; plane.width]);
        let mut seen = vec![false; plane.width];
        let (cx, cy) = self.sheet.centre();
        let (fine, offset) = (coarser as usize, (coarser - 1.0) / 2.0);
        for y in 0..plane.height {
            let place = y as f32 * coarser + offset;
            let [paper, dark] = self.fields;
            paper.row(place, coarser, offset, channel, &mut papers);
            dark.row(place, coarser, offset, channel, &mut darks);
            let visible = &self.sheet.visible[y * fine * self.sheet.width()..];
            let from_centre = ((place - cy) / coarser, (offset - cx) / coarser);
            seen.iter_mut().zip(visible.iter().step_by(fine)).for_each(|(seen, &visible)| *seen = visible);
            each(plane.row_mut(y), from_centre, &seen, &papers, &darks);
        }
    }
}

/// What lines are measured in: luma by the local contrast, for their strength follows the light; chroma in levels.
fn unit(channel: usize, contrast: f32) -> f32 {
    if channel == 0 { contrast.max(LEAST_CONTRAST) } else { 1.0 }
}
