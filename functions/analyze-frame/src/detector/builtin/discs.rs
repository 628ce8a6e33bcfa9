#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cell indices of a small mask")]
//! Covers a spot with as few discs of about a calibre as explain it.
//!
//! A hole is round, but its rim is torn, and two holes may run into each other. Discs are laid over the spot so that
//! what they cover of it, less what they cover beside it, is greatest; one more disc stays only if it gains a good part
//! of a hole. Sums along rows are kept, so that a disc costs as many steps as it has rows.

use std::f64::consts::PI;

use super::spots::Mask;

/// Radii of what a bullet leaves, in calibres: a hole is narrower than the bullet, its torn rim may be much wider.
const RADII: [f64; 11] = [0.23, 0.28, 0.33, 0.38, 0.43, 0.48, 0.53, 0.58, 0.63, 0.68, 0.72];
/// What a radius off the usual one costs: a share of the calibre squared at one spread off.
const RADIUS_COST: f64 = 0.02;
/// What size discs are expected to have, in calibres.
#[derive(Debug, Clone, Copy)]
pub struct Usual {
    pub radius: f64,
    pub spread: f64,
}

impl Usual {
    /// Before anything is known.
    pub const GUESS: Self = Self { radius: 0.49, spread: 0.11 };
    /// The same for what lies within a hole's rim.
    pub const WITHIN_RIM: Self = Self { radius: 0.38, spread: 0.11 };
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

/// Covers with one disc, two, and so on up to `most`; each with what speaks for it over the one before.
pub fn covers(mask: &Mask, calibre_px: f64, usual: Usual, most: usize, goes_on: impl Fn(&Step) -> bool) -> Vec<Step> {
    let scale = Scale { calibre_px, usual };
    let mut steps: Vec<Step> = Vec::new();
    while steps.len() < most {
        let before: &[Disc] = steps.last().map_or(&[], |step| &step.discs);
        let Some((discs, value)) = with_one_more(mask, before, scale) else { break };
        let step = Step::new(mask, discs, value, steps.last(), scale);
        if steps.is_empty() || goes_on(&step) {
            steps.push(step);
        } else {
            break;
        }
    }
    steps
}

/// A cover, and what one disc more has brought.
#[derive(Debug, Clone)]
pub struct Step {
    pub discs: Vec<Disc>,
    value: f64,
    /// Features for and against it.
    pub features: [f64; SPLIT_FEATURES],
}

pub const SPLIT_FEATURES: usize = 7;

impl Step {
    fn new(mask: &Mask, discs: Vec<Disc>, value: f64, before: Option<&Self>, scale: Scale) -> Self {
        let usual_area = PI * (scale.usual.radius * scale.calibre_px).powi(2);
        let gain = (value - before.map_or(0.0, |step| step.value)) / usual_area;
        let own = least_own(mask, &discs);
        let nearest = (0..discs.len())
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| (discs[i].x - discs[j].x).hypot(discs[i].y - discs[j].y) / scale.calibre_px)
            .fold(2.0, f64::min);
        let (left, beside) = before.map_or((0.0, 0.0), |step| misfit(mask, &step.discs));
        let (left_now, beside_now) = misfit(mask, &discs);
        let features = [
            gain,
            own,
            nearest,
            left / usual_area,
            beside / usual_area,
            (left_now + beside_now) / usual_area,
            mask.area() as f64 / usual_area / discs.len() as f64,
        ];
        Self { discs, value, features }
    }
}

/// Cells of the spot that no disc covers, and covered cells that are not of the spot.
fn misfit(mask: &Mask, discs: &[Disc]) -> (f64, f64) {
    let (mut left, mut beside) = (0.0, 0.0);
    for y in 0..mask.height {
        for x in 0..mask.width {
            let covered = discs.iter().any(|disc| disc.contains(x as f64, y as f64));
            match (mask.cells[y * mask.width + x], covered) {
                (true, false) => left += 1.0,
                (false, true) => beside += 1.0,
                _ => {}
            }
        }
    }
    (left, beside)
}

/// The one disc that explains a spot alone, if the spot is round.
pub fn only_disc(mask: &Mask, calibre_px: f64, usual: Usual) -> Option<Disc> {
    const LEAST_SHARE: f64 = 0.82;
    let (discs, _) = with_one_more(mask, &[], Scale { calibre_px, usual })?;
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

/// The least share of a disc that covers a part of the spot that no other disc does.
fn least_own(mask: &Mask, discs: &[Disc]) -> f64 {
    let mut own = vec![0.0; discs.len()];
    for y in 0..mask.height {
        for x in (0..mask.width).filter(|x| mask.cells[y * mask.width + x]) {
            let mut covering = (0..discs.len()).filter(|&i| discs[i].contains(x as f64, y as f64));
            if let (Some(only), None) = (covering.next(), covering.next()) {
                own[only] += 1.0;
            }
        }
    }
    discs.iter().zip(own).map(|(disc, own)| own / (PI * disc.radius * disc.radius)).fold(1.0, f64::min)
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
    use super::super::{spots::EITHER_SIGN, weights::split_logit};
    use super::*;

    const CALIBRE: f64 = 14.0;

    fn cover(mask: &Mask) -> Vec<Disc> {
        let steps = covers(mask, CALIBRE, Usual::GUESS, 3, |step| split_logit(EITHER_SIGN.by, &step.features) > 0.0);
        steps.last().unwrap().discs.clone()
    }

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
        let found = cover(&drawn(&[truth]));
        assert_eq!(found.len(), 1);
        assert!((found[0].x - truth.x).hypot(found[0].y - truth.y) < 0.5, "{found:?}");
    }

    #[test]
    fn holes_that_overlap_stay_as_many_as_they_are() {
        for share in [0.55, 0.7, 0.85, 1.0] {
            let (a, b) =
                (Disc { x: 24.0, y: 28.0, radius: 6.5 }, Disc { x: 24.0 + share * CALIBRE, y: 30.0, radius: 6.0 });
            assert_eq!(cover(&drawn(&[a, b])).len(), 2, "{share} calibres apart");
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
        assert_eq!(cover(&mask).len(), 1);
    }
}
