#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places are checked against the sheet")]
//! What speaks for and against a disc being a hole.

use std::f64::consts::{PI, TAU};

use shared::domain::position::Position;

use super::{
    deviation::Residual,
    discs::{Disc, Usual},
    linear::median,
    noise::Noise,
    sheet::{Grid, Sheet},
    spots::{Mask, Spot},
};

pub const FEATURES: usize = 15;
/// Directions in which a disc's edge is looked at.
const RAYS: usize = 32;
/// Deviations beyond this say no more.
const STRONG: f64 = 25.0;

/// What the discs of a spot lie on.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub sheet: &'a Sheet,
    pub residual: &'a Residual,
    pub noise: &'a Noise,
    pub deviation: &'a Grid,
    /// Of the target: radius of the outermost ring.
    pub outermost_mm: f64,
    pub calibre_mm: f64,
}

impl Ground<'_> {
    /// The tone of the pixel at a place; none outside the sheet.
    fn tone(&self, x: f64, y: f64) -> [f64; 3] {
        let (x, y) = (x.round(), y.round());
        let inside = x >= 0.0 && y >= 0.0 && (x as usize) < self.sheet.width() && (y as usize) < self.sheet.height();
        if inside { self.residual.tone(self.noise, x as usize, y as usize) } else { [0.0; 3] }
    }

    /// The colour of a place. `None`: it is not in the picture.
    pub fn colour(&self, (x, y): (isize, isize)) -> Option<[f64; 3]> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        let seen = x < self.sheet.width() && y < self.sheet.height() && self.sheet.visible[y * self.sheet.width() + x];
        seen.then(|| self.residual.colour(self.sheet, x, y))
    }

    /// The luma of the black about a place in percent of paper's.
    pub fn ink(&self, (x, y): (isize, isize)) -> f64 {
        self.residual.ink(x.max(0).cast_unsigned(), y.max(0).cast_unsigned())
    }
}

/// A disc among those that cover a spot.
pub struct Case<'a> {
    pub disc: &'a Disc,
    pub all: &'a [Disc],
    pub solid: &'a Mask,
    pub spot: &'a Spot,
    pub usual: Usual,
}

impl Case<'_> {
    /// Whether a place of the spot lies in another disc that is made larger by a factor and some pixels.
    fn others_cover(&self, (u, v): (f64, f64), factor: f64, more: f64) -> bool {
        let mut others = self.all.iter().filter(|other| *other != self.disc);
        others.any(|other| (u - other.x).hypot(v - other.y) < factor * other.radius + more)
    }

    /// The features in the order of their weights, and the colour within the disc.
    pub fn features(&self, ground: &Ground<'_>) -> ([f64; FEATURES], [f64; 3]) {
        let (disc, spot) = (self.disc, self.spot);
        let seen = Seen::new(self, ground);
        let tone = seen.tone.map(|mean| (mean.value(), mean.spread()));
        let size = tone.iter().map(|(mean, _)| mean * mean).sum::<f64>().sqrt();
        let spread = tone.iter().map(|(_, spread)| spread * spread).sum::<f64>().sqrt();
        let (closed, weakest) = self.edge(tone.map(|(mean, _)| mean), ground);
        let area = PI * disc.radius * disc.radius;
        let (strength, unrest) = (seen.strength.value(), seen.unrest.value());
        let place = ground.sheet.position(disc.x + spot.left as f64, disc.y + spot.top as f64);
        let off_axis = place.x_mm.abs().min(place.y_mm.abs()) / ground.calibre_mm;
        let features = [
            seen.filled.value(),
            seen.clear.value(),
            strength.max(0.1).ln(),
            (strength / unrest.max(1.0)).max(0.1).ln(),
            (1.0 + size).ln(),
            size / (size + spread + 0.5),
            closed,
            weakest,
            ((disc.radius / ground.sheet.calibre_px - self.usual.radius) / 0.1).abs().min(3.0),
            seen.own.value(),
            (self.solid.area() as f64 / area).ln(),
            unrest.max(0.5).ln(),
            (spot.mask.area() as f64 / area).ln(),
            f64::from(u8::from(place.distance_mm(Position::CENTRE) > ground.outermost_mm)),
            (1.0 - off_axis / 2.0).max(0.0),
        ];
        (features, seen.colours.map(|mut all| f64::from(median(&mut all).unwrap_or(0.0))))
    }

    /// The share of directions in which the disc's tone ends at its edge, and how far it does where it does least.
    fn edge(&self, tone: [f64; 3], ground: &Ground<'_>) -> (f64, f64) {
        let turns = (0..RAYS).map(|ray| TAU * ray as f64 / RAYS as f64);
        let mut drops: Vec<f64> = turns.filter_map(|angle| self.drop(angle, tone, ground)).collect();
        if drops.is_empty() {
            return (0.0, 0.0);
        }
        drops.sort_by(f64::total_cmp);
        let closed = drops.iter().filter(|&&drop| drop > 0.4).count() as f64 / drops.len() as f64;
        let low = &drops[..drops.len().div_ceil(4)];
        (closed, low.iter().sum::<f64>() / low.len() as f64)
    }

    /// How much of the disc's tone is lost across its edge. `None`: another disc begins there.
    fn drop(&self, angle: f64, tone: [f64; 3], ground: &Ground<'_>) -> Option<f64> {
        let size2 = tone.iter().map(|mean| mean * mean).sum::<f64>().max(1.0);
        let (sin, cos) = angle.sin_cos();
        let at = |radius: f64| (self.disc.x + radius * cos, self.disc.y + radius * sin);
        let calibre = ground.sheet.calibre_px;
        let beyond = [0.10, 0.17, 0.24].map(|share| self.disc.radius + share * calibre + 0.5);
        if beyond.iter().any(|&radius| self.others_cover(at(radius), 1.0, 1.0)) {
            return None;
        }
        let along = |radius: f64| {
            let (u, v) = at(radius);
            let seen = ground.tone(u + self.spot.left as f64, v + self.spot.top as f64);
            seen.iter().zip(tone).map(|(seen, mean)| seen * mean).sum::<f64>() / size2
        };
        let within = 0.5 * (along(0.5 * self.disc.radius) + along(0.7 * self.disc.radius));
        let outside = beyond.iter().map(|&radius| along(radius)).sum::<f64>() / 3.0;
        Some((within - outside).clamp(-1.0, 2.0))
    }
}

/// What the pixels in a disc and about it show.
#[derive(Default)]
struct Seen {
    /// Share of the disc that deviates, how much it does, and what of it no other disc covers.
    filled: Mean,
    strength: Mean,
    own: Mean,
    /// Well within the disc.
    tone: [Mean; 3],
    colours: [Vec<f32>; 3],
    /// Share of the ring about the disc that is as printed or another hole, and how much deviates further out.
    clear: Mean,
    unrest: Mean,
}

impl Seen {
    fn new(case: &Case<'_>, ground: &Ground<'_>) -> Self {
        let mut seen = Self::default();
        let (disc, spot) = (case.disc, case.spot);
        let (inner, outer, beyond) = (1.1 * disc.radius + 1.0, 1.3 * disc.radius + 1.5, 1.5 * disc.radius + 3.0);
        let share = |yes: bool| f64::from(u8::from(yes));
        for (x, y) in pixels_about(disc, beyond, spot, ground.deviation) {
            let (u, v) = (x as f64 - spot.left as f64, y as f64 - spot.top as f64);
            let distance = (u - disc.x).hypot(v - disc.y);
            let value = f64::from(ground.deviation.row(y)[x]).min(STRONG);
            if distance <= disc.radius {
                seen.filled.add(share(is_set(case.solid, u, v)));
                seen.strength.add(value);
                seen.own.add(share(!case.others_cover((u, v), 1.0, 0.0)));
                if distance <= 0.75 * disc.radius {
                    seen.add_tone(x, y, ground);
                }
            } else if distance >= inner && distance <= beyond {
                let other = case.others_cover((u, v), 1.2, 1.5);
                if distance <= outer {
                    seen.clear.add(share(!is_set(case.solid, u, v) || other));
                } else if !other {
                    seen.unrest.add(value);
                }
            }
        }
        seen
    }

    fn add_tone(&mut self, x: usize, y: usize, ground: &Ground<'_>) {
        let tone = ground.residual.tone(ground.noise, x, y);
        self.tone.iter_mut().zip(tone).for_each(|(mean, value)| mean.add(value));
        let colour = ground.residual.colour(ground.sheet, x, y);
        self.colours.iter_mut().zip(colour).for_each(|(all, value)| all.push(value as f32));
    }
}

#[derive(Default, Clone, Copy)]
struct Mean {
    sum: f64,
    squares: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.squares += value * value;
        self.count += 1.0;
    }

    /// Nought where there was nothing.
    fn value(&self) -> f64 {
        self.sum / self.count.max(1.0)
    }

    fn spread(&self) -> f64 {
        (self.squares / self.count.max(1.0) - self.value().powi(2)).max(0.0).sqrt()
    }
}

/// The pixels of the sheet in the square about a disc.
fn pixels_about(disc: &Disc, reach: f64, spot: &Spot, sheet: &Grid) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (x, y) = (disc.x + spot.left as f64, disc.y + spot.top as f64);
    let range = |at: f64, size: usize| ((at - reach).max(0.0) as usize)..((at + reach).max(0.0) as usize + 1).min(size);
    let columns = range(x, sheet.width);
    range(y, sheet.height).flat_map(move |row| columns.clone().map(move |column| (column, row)))
}

fn is_set(mask: &Mask, u: f64, v: f64) -> bool {
    u >= 0.0
        && v >= 0.0
        && u < mask.width as f64
        && v < mask.height as f64
        && mask.cells[v as usize * mask.width + u as usize]
}
