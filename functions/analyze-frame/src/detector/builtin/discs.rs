#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cell indices of a small mask")]
//! Covers a spot with as few discs of about a calibre as explain it.
//!
//! A hole is round, but its rim is torn, and two holes may run into each other. Discs are laid over the spot so that
//! what they cover of it, less what they cover beside it, is greatest; one more disc stays only if it gains a good part
//! of a hole. Sums along rows are kept, so that a disc costs as many steps as it has rows.

use std::f64::consts::PI;

use super::spots::Mask;

/// Radii of what a bullet leaves, in calibres: a hole is narrower than the bullet, its torn rim may be much wider.
const RADII: [f64; 9] = [0.33, 0.38, 0.43, 0.48, 0.53, 0.58, 0.63, 0.68, 0.72];
/// What a radius off the usual one costs: a share of the calibre squared at one spread off.
const RADIUS_COST: f64 = 0.02;
/// What one more disc must gain, and cover alone, as a share of a usual disc's area and of its own.
const LEAST_GAIN: f64 = 0.22;
const LEAST_OWN: f64 = 0.30;

/// What size discs are expected to have, in calibres.
#[derive(Debug, Clone, Copy)]
pub struct Usual {
    pub radius: f64,
    pub spread: f64,
}

impl Usual {
    /// Before anything is known.
    pub const GUESS: Self = Self { radius: 0.49, spread: 0.11 };
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disc {
    pub x: f64,
    pub y: f64,
    pub radius: f64,
}

impl Disc {
    pub fn contains(&self, x: f64, y: f64) -> bool {
        (x - self.x).powi(2) + (y - self.y).powi(2) <= self.radius * self.radius
    }
}

/// The discs that explain a spot, at most `most`.
pub fn cover(mask: &Mask, calibre_px: f64, usual: Usual, most: usize) -> Vec<Disc> {
    let scale = Scale { calibre_px, usual };
    let needed = LEAST_GAIN * PI * (usual.radius * calibre_px).powi(2);
    let mut discs: Vec<Disc> = Vec::new();
    let mut value = 0.0;
    while discs.len() < most {
        let Some((more, gained)) = with_one_more(mask, &discs, scale) else { break };
        if !discs.is_empty() && (gained < value + needed || !each_has_its_own(mask, &more)) {
            break;
        }
        (discs, value) = (more, gained);
    }
    discs
}

/// The one disc that explains a spot alone, if the spot is round.
pub fn only_disc(mask: &Mask, calibre_px: f64) -> Option<Disc> {
    const LEAST_SHARE: f64 = 0.82;
    let (discs, _) = with_one_more(mask, &[], Scale { calibre_px, usual: Usual::GUESS })?;
    let disc = *discs.first()?;
    let gain = Gains::new(mask, &[]).gain(&disc);
    let larger = (PI * disc.radius * disc.radius).max(mask.area() as f64);
    (gain >= LEAST_SHARE * larger).then_some(disc)
}

#[derive(Clone, Copy)]
struct Scale {
    calibre_px: f64,
    usual: Usual,
}

/// The best cover with one more disc, from the best place for it, all discs then being adjusted in turn.
fn with_one_more(mask: &Mask, discs: &[Disc], scale: Scale) -> Option<(Vec<Disc>, f64)> {
    const ROUNDS: usize = 4;
    let added = Gains::new(mask, discs).best_anywhere(scale)?;
    let mut discs: Vec<Disc> = discs.iter().copied().chain([added]).collect();
    if discs.len() > 1 {
        for _ in 0..ROUNDS {
            let before = discs.clone();
            for index in 0..discs.len() {
                let others: Vec<Disc> =
                    discs.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, disc)| *disc).collect();
                discs[index] = Gains::new(mask, &others).best_near(discs[index], scale);
            }
            if discs == before {
                break;
            }
        }
    }
    let value = total_value(mask, &discs, scale);
    Some((discs, value))
}

fn total_value(mask: &Mask, discs: &[Disc], scale: Scale) -> f64 {
    let mut value = 0.0;
    for y in 0..mask.height {
        for x in 0..mask.width {
            if discs.iter().any(|disc| disc.contains(x as f64, y as f64)) {
                value += if mask.cells[y * mask.width + x] { 1.0 } else { -1.0 };
            }
        }
    }
    value - discs.iter().map(|disc| radius_cost(disc.radius, scale)).sum::<f64>()
}

/// Whether every disc covers a good part of the spot that no other does.
fn each_has_its_own(mask: &Mask, discs: &[Disc]) -> bool {
    let mut own = vec![0.0; discs.len()];
    for y in 0..mask.height {
        for x in (0..mask.width).filter(|x| mask.cells[y * mask.width + x]) {
            let mut covering = (0..discs.len()).filter(|&i| discs[i].contains(x as f64, y as f64));
            if let (Some(only), None) = (covering.next(), covering.next()) {
                own[only] += 1.0;
            }
        }
    }
    discs.iter().zip(own).all(|(disc, own)| own >= LEAST_OWN * PI * disc.radius * disc.radius)
}

fn radius_cost(radius: f64, Scale { calibre_px, usual }: Scale) -> f64 {
    let off = (radius / calibre_px - usual.radius) / usual.spread;
    RADIUS_COST * off * off * calibre_px * calibre_px
}

/// What covering each cell gains, summed along rows: 1 on the spot, −1 beside it, nothing where a disc already lies.
struct Gains {
    width: usize,
    height: usize,
    sums: Vec<i32>,
}

impl Gains {
    fn new(mask: &Mask, covered: &[Disc]) -> Self {
        let mut sums = vec![0; (mask.width + 1) * mask.height];
        for y in 0..mask.height {
            let mut sum = 0;
            for x in 0..mask.width {
                if !covered.iter().any(|disc| disc.contains(x as f64, y as f64)) {
                    sum += if mask.cells[y * mask.width + x] { 1 } else { -1 };
                }
                sums[y * (mask.width + 1) + x + 1] = sum;
            }
        }
        Self { width: mask.width, height: mask.height, sums }
    }

    /// The gain of one disc. Cells outside the mask cost as those beside the spot do.
    fn gain(&self, disc: &Disc) -> f64 {
        let (top, bottom) = ((disc.y - disc.radius).ceil() as i64, (disc.y + disc.radius).floor() as i64);
        let mut gain = 0_i64;
        for y in top..=bottom {
            let half = (disc.radius.powi(2) - (y as f64 - disc.y).powi(2)).max(0.0).sqrt();
            let (from, to) = ((disc.x - half).ceil() as i64, (disc.x + half).floor() as i64 + 1);
            let (inner_from, inner_to) = (from.clamp(0, self.width as i64), to.clamp(0, self.width as i64));
            if y < 0 || y >= self.height as i64 || inner_from >= inner_to {
                gain -= (to - from).max(0);
                continue;
            }
            let row = y as usize * (self.width + 1);
            gain += i64::from(self.sums[row + inner_to as usize] - self.sums[row + inner_from as usize]);
            gain -= (inner_from - from) + (to - inner_to);
        }
        gain as f64
    }

    fn worth(&self, disc: &Disc, scale: Scale) -> f64 {
        self.gain(disc) - radius_cost(disc.radius, scale)
    }

    fn best_anywhere(&self, scale: Scale) -> Option<Disc> {
        let mut best: Option<(f64, Disc)> = None;
        for y in (1..self.height).step_by(2) {
            for x in (1..self.width).step_by(2) {
                for share in RADII.iter().step_by(2) {
                    let disc = Disc { x: x as f64, y: y as f64, radius: share * scale.calibre_px };
                    let worth = self.worth(&disc, scale);
                    if worth > best.map_or(0.0, |b| b.0) {
                        best = Some((worth, disc));
                    }
                }
            }
        }
        best.map(|(_, disc)| self.best_near(disc, scale))
    }

    /// Climbs from a disc to the best one about it, at first in whole pixels, then in quarters.
    fn best_near(&self, start: Disc, scale: Scale) -> Disc {
        let mut best = (self.worth(&start, scale), start);
        for step in [1.0, 0.5, 0.25] {
            loop {
                let here = best.1;
                for disc in variations(here, step, scale) {
                    let worth = self.worth(&disc, scale);
                    if worth > best.0 + 1e-9 {
                        best = (worth, disc);
                    }
                }
                if best.1 == here {
                    break;
                }
            }
        }
        best.1
    }
}

/// The discs one step beside, above, below, larger and smaller.
fn variations(disc: Disc, step: f64, scale: Scale) -> impl Iterator<Item = Disc> {
    let [smallest, .., largest] = RADII;
    let moves = [
        (-1.0, 0.0),
        (1.0, 0.0),
        (0.0, -1.0),
        (0.0, 1.0),
        (-1.0, -1.0),
        (1.0, 1.0),
        (-1.0, 1.0),
        (1.0, -1.0),
        (0.0, 0.0),
    ];
    moves.into_iter().flat_map(move |(dx, dy)| {
        [-0.5, 0.0, 0.5].into_iter().map(move |dr| Disc {
            x: disc.x + dx * step,
            y: disc.y + dy * step,
            radius: (disc.radius + dr * step).clamp(smallest * scale.calibre_px, largest * scale.calibre_px),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALIBRE: f64 = 14.0;

    fn drawn(discs: &[Disc]) -> Mask {
        let mut mask = Mask::new(60, 60);
        for y in 0..60 {
            for x in 0..60 {
                mask.cells[y * 60 + x] = discs.iter().any(|disc| disc.contains(x as f64, y as f64));
            }
        }
        mask
    }

    #[test]
    fn one_disc_is_one_disc() {
        let truth = Disc { x: 27.3, y: 31.8, radius: 6.4 };
        let found = cover(&drawn(&[truth]), CALIBRE, Usual::GUESS, 3);
        assert_eq!(found.len(), 1);
        assert!((found[0].x - truth.x).hypot(found[0].y - truth.y) < 0.5, "{found:?}");
    }

    #[test]
    fn holes_that_overlap_stay_as_many_as_they_are() {
        for share in [0.55, 0.7, 0.85, 1.0] {
            let (a, b) =
                (Disc { x: 24.0, y: 28.0, radius: 6.5 }, Disc { x: 24.0 + share * CALIBRE, y: 30.0, radius: 6.0 });
            assert_eq!(cover(&drawn(&[a, b]), CALIBRE, Usual::GUESS, 3).len(), 2, "{share} calibres apart");
        }
    }

    #[test]
    fn a_flap_beside_a_hole_is_no_second_hole() {
        let mut mask = drawn(&[Disc { x: 27.0, y: 30.0, radius: 6.5 }]);
        for y in 36..41 {
            for x in 25..29 {
                mask.cells[y * 60 + x] = true;
            }
        }
        assert_eq!(cover(&mask, CALIBRE, Usual::GUESS, 3).len(), 1);
    }
}
