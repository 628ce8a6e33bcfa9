#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixel and bin indices within a small picture"
)]
//! Finds dark, round marks in a small copy of the picture: what may be the black of a target.
//!
//! Light falls unevenly, so there is no one threshold; each of a ladder of them cuts the picture into dark regions, and
//! a region counts whose outer outline is an ellipse at some threshold (the idea of Matas et al., "maximally stable
//! extremal regions", 2002, reduced to what a target needs).

use std::f64::consts::{PI, TAU};

use shared::domain::frame::Raster;

use super::ellipse::Ellipse;

/// A dark ellipse, in pixels of the small picture, and how much of an ellipse it is (0 to 1).
#[derive(Debug, Clone, Copy)]
pub struct DarkMark {
    pub ellipse: Ellipse,
    pub merit: f64,
}

const THRESHOLDS: usize = 14;
/// Directions in which the outline is looked at.
const RAYS: usize = 120;
/// Smallest share of the picture that a mark covers.
const SMALLEST_SHARE: f64 = 0.002;
/// A circle tilted by 45° is 0.7 as wide as high; what is flatter is no target that could be scored.
const FLATTEST: f64 = 0.68;
/// How far an outline point may lie off the ellipse, as a share of the radius, and at least, in pixels.
const OUTLINE_TOLERANCE: f64 = 0.035;
const OUTLINE_TOLERANCE_PX: f64 = 1.2;
/// Least share of the outline that must be there.
const LEAST_OUTLINE: f64 = 0.5;

/// The best marks, best first; each place only once.
pub fn dark_marks(picture: &Raster, most: usize) -> Vec<DarkMark> {
    let mut marks: Vec<DarkMark> = Vec::new();
    let mut regions = Regions::new(picture);
    for threshold in thresholds(picture) {
        regions.cut(threshold, |region| {
            if let Some(mark) = region.mark() {
                marks.push(mark);
            }
        });
    }
    marks.sort_by(|a, b| b.merit.total_cmp(&a.merit));
    let mut kept: Vec<DarkMark> = Vec::new();
    for mark in marks {
        if kept.len() < most && !kept.iter().any(|k| same_place(&k.ellipse, &mark.ellipse)) {
            kept.push(mark);
        }
    }
    kept
}

fn same_place(a: &Ellipse, b: &Ellipse) -> bool {
    let size = a.minor.min(b.minor);
    (a.x - b.x).hypot(a.y - b.y) < 0.3 * size && (a.major - b.major).abs() < 0.15 * a.major
}

/// Levels between the picture's dark and light ends.
fn thresholds(picture: &Raster) -> impl Iterator<Item = u8> {
    let mut histogram = [0_usize; 256];
    for &value in &picture.samples {
        histogram[usize::from(value)] += 1;
    }
    let total = picture.samples.len();
    let quantile = |share: f64| {
        let rank = (total as f64 * share) as usize;
        let mut seen = 0;
        histogram.iter().position(|count| {
            seen += count;
            seen > rank
        })
    };
    let (low, high) = (quantile(0.01).unwrap_or(0), quantile(0.97).unwrap_or(255));
    (1..=THRESHOLDS).map(move |i| (low + (high.saturating_sub(low)) * i / (THRESHOLDS + 1)) as u8)
}

/// Connected dark regions by flood fill; the buffers are kept from threshold to threshold.
struct Regions<'a> {
    picture: &'a Raster,
    seen: Vec<bool>,
    stack: Vec<u32>,
}

struct Region<'a> {
    picture: &'a Raster,
    threshold: u8,
    pixels: &'a [u32],
}

impl<'a> Regions<'a> {
    fn new(picture: &'a Raster) -> Self {
        Self { picture, seen: Vec::new(), stack: Vec::new() }
    }

    fn cut(&mut self, threshold: u8, mut each: impl FnMut(Region<'_>)) {
        let samples = &self.picture.samples;
        let least = (samples.len() as f64 * SMALLEST_SHARE) as usize;
        self.seen.clear();
        self.seen.extend(samples.iter().map(|&v| v >= threshold));
        for start in 0..samples.len() {
            if self.seen[start] {
                continue;
            }
            self.fill(start);
            if self.stack.len() > least {
                each(Region { picture: self.picture, threshold, pixels: &self.stack });
            }
        }
    }

    /// Gathers the region about a pixel in `stack`, which is read as a queue and so holds the region in the end.
    fn fill(&mut self, start: usize) {
        let (width, total) = (self.picture.width, self.picture.samples.len());
        self.stack.clear();
        self.stack.push(start as u32);
        self.seen[start] = true;
        let mut next = 0;
        while let Some(&pixel) = self.stack.get(next) {
            next += 1;
            let at = pixel as usize;
            let column = at % width;
            let neighbours = [
                (column > 0).then(|| at - 1),
                (column + 1 < width).then_some(at + 1),
                at.checked_sub(width),
                (at + width < total).then_some(at + width),
            ];
            for neighbour in neighbours.into_iter().flatten() {
                if !self.seen[neighbour] {
                    self.seen[neighbour] = true;
                    self.stack.push(neighbour as u32);
                }
            }
        }
    }
}

impl Region<'_> {
    /// The ellipse about this region, if its outer outline is one.
    fn mark(&self) -> Option<DarkMark> {
        let outline = self.outline();
        let inside: Vec<(f64, f64)> = outline.iter().flatten().copied().filter(|p| !self.at_border(*p)).collect();
        let ellipse = Ellipse::fit(&inside)?;
        if ellipse.minor < 6.0 || ellipse.minor < FLATTEST * ellipse.major {
            return None;
        }
        let tolerance = OUTLINE_TOLERANCE.max(OUTLINE_TOLERANCE_PX / ellipse.minor);
        let fitting = inside.iter().filter(|p| ellipse.excess(**p).abs() < tolerance).count();
        let share = fitting as f64 / RAYS as f64;
        let filled = self.pixels.len() as f64 / (PI * ellipse.major * ellipse.minor);
        (share >= LEAST_OUTLINE && (0.4..1.15).contains(&filled))
            .then(|| DarkMark { ellipse, merit: share * filled.min(1.0) })
    }

    /// The outermost pixel in each direction from the middle.
    fn outline(&self) -> Vec<Option<(f64, f64)>> {
        let width = self.picture.width;
        let place = |pixel: u32| ((pixel as usize % width) as f64, (pixel as usize / width) as f64);
        let (x, y) = self.pixels.iter().fold((0.0, 0.0), |sum, &p| (sum.0 + place(p).0, sum.1 + place(p).1));
        let centre = (x / self.pixels.len() as f64, y / self.pixels.len() as f64);
        let mut outermost = vec![(0.0, None); RAYS];
        for &pixel in self.pixels {
            if !self.is_edge(pixel as usize) {
                continue;
            }
            let (x, y) = place(pixel);
            let (dx, dy) = (x - centre.0, y - centre.1);
            let reach = dx * dx + dy * dy;
            let ray = ((dy.atan2(dx) / TAU + 0.5) * RAYS as f64) as usize % RAYS;
            if reach > outermost[ray].0 {
                outermost[ray] = (reach, Some((x, y)));
            }
        }
        outermost.into_iter().map(|(_, point)| point).collect()
    }

    fn is_edge(&self, at: usize) -> bool {
        let samples = &self.picture.samples;
        let light = |neighbour: usize| samples.get(neighbour).is_none_or(|&v| v >= self.threshold);
        light(at + 1)
            || light(at.wrapping_sub(1))
            || light(at + self.picture.width)
            || light(at.wrapping_sub(self.picture.width))
    }

    fn at_border(&self, (x, y): (f64, f64)) -> bool {
        x < 2.0 || y < 2.0 || x > self.picture.width as f64 - 3.0 || y > self.picture.height as f64 - 3.0
    }
}
