//! Chance that a test can repeat: the n-th call that matches is hit or not by the seed alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::{Rng, SeedableRng};
// Its numbers stay the same in every release, which `StdRng` does not promise.
use rand_chacha::ChaCha8Rng;

/// How large a share of the matching calls is hit, and which: everything in the order of the seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// 0 to 1.
    pub share: f64,
    pub seed: u64,
}

impl Default for Chance {
    fn default() -> Self {
        Self { share: 1.0, seed: 0 }
    }
}

/// What was thrown for one call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throw {
    pub hit: bool,
    /// Uniform in 0..1, for whatever else is left to chance.
    pub part: f64,
}

#[derive(Debug)]
pub struct Dice {
    rng: ChaCha8Rng,
    share: f64,
}

impl Dice {
    /// `purpose` is what is thrown for. Two faults with one seed must not always want the same calls: the second one
    /// would never be reached.
    pub fn new(chance: Chance, purpose: &str) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(chance.seed ^ fnv1a(purpose)), share: chance.share }
    }

    /// Always takes two numbers, so that the next throw does not depend on what becomes of this one.
    pub fn throw(&mut self) -> Throw {
        let (chance, part) = (self.rng.random::<f64>(), self.rng.random::<f64>());
        Throw { hit: chance < self.share, part }
    }
}

/// FNV-1a, 64 bits: std's hashes may change with the compiler.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// How often something was looked for and how often it happened. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    matched: AtomicUsize,
    hits: AtomicUsize,
}

impl Tally {
    pub fn matched(&self) -> usize {
        self.0.matched.load(Ordering::SeqCst)
    }

    pub fn hits(&self) -> usize {
        self.0.hits.load(Ordering::SeqCst)
    }

    pub fn count_match(&self) {
        self.0.matched.fetch_add(1, Ordering::SeqCst);
    }

    pub fn count_hit(&self) {
        self.0.hits.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(share: f64, seed: u64, purpose: &str) -> Vec<bool> {
        let mut dice = Dice::new(Chance { share, seed }, purpose);
        (0..1_000).map(|_| dice.throw().hit).collect()
    }

    #[test]
    fn throws_depend_on_seed_and_purpose_alone() {
        assert_eq!(hits(0.3, 7, "a"), hits(0.3, 7, "a"));
        assert_ne!(hits(0.3, 7, "a"), hits(0.3, 8, "a"));
        assert_ne!(hits(0.3, 7, "a"), hits(0.3, 7, "b"));
    }

    #[test]
    fn the_share_is_kept() {
        for (share, from, to) in [(0.0, 0, 0), (0.1, 70, 130), (0.5, 440, 560), (1.0, 1_000, 1_000)] {
            let hit = hits(share, 7, "a").into_iter().filter(|hit| *hit).count();
            assert!((from..=to).contains(&hit), "{share}: {hit}");
        }
    }
}
