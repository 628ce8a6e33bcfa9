//! Discs that may be holes, and which of them are the same hole.

use std::borrow::Borrow;

use super::{discs::Disc, judge::FEATURES, sheet::Sheet};

/// Discs nearer to each other than this are one hole seen twice.
const SAME_CALIBRES: f64 = 0.42;
const SAME_SEEN_TWICE_CALIBRES: f64 = 0.62;
/// Log-odds from which on two discs stand against one.
const SURELY_TWO: f64 = 1.0;

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
    fn distance(&self, other: &Self) -> f64 {
        (self.disc.x - other.disc.x).hypot(self.disc.y - other.disc.y)
    }
}
