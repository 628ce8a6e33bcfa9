//! Discs that may be holes, and which of them are the same hole.

use std::borrow::Borrow;

use super::{
    discs::Disc,
    judge::FEATURES,
    sheet::Sheet,
    spots::{DARKER, EITHER_SIGN, OF_COLOUR},
};

/// Discs nearer to each other than this are one hole seen twice.
const SAME_CALIBRES: f64 = 0.42;
const SAME_SEEN_TWICE_CALIBRES: f64 = 0.62;
/// Log-odds from which on two discs stand against one.
const SURELY_TWO: f64 = 1.0;
/// Nearer than this, in calibres, to a surer one, a disc must have these log-odds to be a hole of its own: most rings and
/// numbers that a hole touches look like a second one. Stricter limits (0.66, 5.1
/// and 0.75, 4.0) left one double of six out, and with it two pairs of 72.
const NEAR_BY_DEVIATION: (f64, f64) = (0.6, 3.5);
const NEAR_BY_COLOUR: (f64, f64) = (0.6, 3.0);
/// Two holes and what lies between them are longer than this, in calibres.
const PAIR_CALIBRES: f64 = 1.2;

/// Of discs that are too near each other to be two holes the surest. What is seen as one hole by one way of looking and
/// surely as two by the other is two.
pub fn distinct<C: Borrow<Candidate>>(candidates: Vec<C>, sheet: &Sheet) -> Vec<C> {
    let two: Vec<bool> = candidates.iter().map(|one| is_two(one.borrow(), &candidates, sheet)).collect();
    let mut left: Vec<C> = candidates.into_iter().zip(two).filter(|(_, two)| !two).map(|(one, _)| one).collect();
    left.sort_by(|a, b| b.borrow().logit.total_cmp(&a.borrow().logit));
    let mut kept: Vec<C> = Vec::new();
    for candidate in left {
        let one = candidate.borrow();
        let same = |other: &Candidate| {
            let limit = if one.by == other.by { SAME_CALIBRES } else { SAME_SEEN_TWICE_CALIBRES };
            one.distance(other) < limit * sheet.calibre_px
        };
        if !kept.iter().any(|other| same(other.borrow())) {
            kept.push(candidate);
        }
    }
    kept
}

/// Takes one hole that was told apart for two together again. Surest first, as `distinct` leaves them.
pub fn without_doubled(candidates: Vec<Candidate>, sheet: &Sheet) -> Vec<Candidate> {
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let doubled = kept.iter_mut().find_map(|surer| Some((candidate.doubling(surer, sheet.calibre_px)?, surer)));
        match doubled {
            None => kept.push(candidate),
            Some((Doubling::Part, _)) => {}
            Some((Doubling::Half, surer)) => surer.disc = candidate.around(&surer.disc),
        }
    }
    kept
}

/// How a candidate is no hole of its own beside a surer one.
enum Doubling {
    /// It is part of the other one, or print beside it.
    Part,
    /// Both are parts of one hole.
    Half,
}

fn is_two<C: Borrow<Candidate>>(one: &Candidate, all: &[C], sheet: &Sheet) -> bool {
    let within = |other: &&Candidate| {
        other.by != one.by && other.logit > SURELY_TWO && one.distance(other) < one.disc.radius + 0.1 * sheet.calibre_px
    };
    let others: Vec<&Candidate> = all.iter().map(Borrow::borrow).filter(within).collect();
    others.iter().any(|a| others.iter().any(|b| a.by == b.by && a.distance(b) > SAME_CALIBRES * sheet.calibre_px))
}

/// What may be a hole.
pub struct Candidate {
    /// On the sheet.
    pub disc: Disc,
    /// Which way of looking proposed it.
    pub by: usize,
    /// The logarithm of its odds.
    pub logit: f64,
    pub features: [f64; FEATURES],
    pub colour: [f64; 3],
}

impl Candidate {
    fn doubling(&self, surer: &Self, calibre_px: f64) -> Option<Doubling> {
        let distance = self.distance(surer) / calibre_px;
        let (near, least) = if self.by == OF_COLOUR.by { NEAR_BY_COLOUR } else { NEAR_BY_DEVIATION };
        let extent = distance + (self.disc.radius + surer.disc.radius) / calibre_px;
        if self.by == DARKER.by {
            None
        } else if distance < near && self.logit < least {
            Some(Doubling::Part)
        } else {
            let alike = self.by == EITHER_SIGN.by && surer.by == EITHER_SIGN.by;
            (alike && extent < PAIR_CALIBRES).then_some(Doubling::Half)
        }
    }

    /// The disc about this one and another.
    fn around(&self, other: &Disc) -> Disc {
        let (dx, dy) = (self.disc.x - other.x, self.disc.y - other.y);
        let distance = dx.hypot(dy).max(1e-6);
        let radius = (distance + self.disc.radius + other.radius) / 2.0;
        let along = (radius - other.radius) / distance;
        Disc { x: other.x + along * dx, y: other.y + along * dy, radius }
    }

    fn distance(&self, other: &Self) -> f64 {
        (self.disc.x - other.disc.x).hypot(self.disc.y - other.disc.y)
    }
}
