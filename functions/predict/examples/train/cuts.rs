//! Where histories are cut: as in the official test sets, each engine at one random cycle.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::prepare::Prepared;

/// Random cuts of each engine that the measures are of.
pub const REPEATS: usize = 100;

/// The official test sets' least remaining life.
const LEAST_LEFT: f64 = 6.0;

/// Readings that the shortest official histories have.
const LEAST_READINGS: f64 = 20.0;

/// How likely an official test set cuts an engine of this life where `left` cycles are left, up to a factor: the
/// published ranges are 7 to 145 cycles on FD001 and FD003, 6 to 195 on FD002 and FD004, with means of 75 and 84; a
/// density that falls with what is left gives these.
pub fn density(subset: usize, life: f64, left: f64) -> f64 {
    let one_regime = subset == 1 || subset == 3;
    let most = (life - LEAST_READINGS).min(if one_regime { 145.0 } else { 195.0 });
    if left < LEAST_LEFT || left > most {
        return 0.0;
    }
    let share = (left - LEAST_LEFT) / (most - LEAST_LEFT);
    if one_regime { 1.0 } else { 1.25 - 0.75 * share }
}

/// Draws [`REPEATS`] cuts of each engine: for each engine, numbers of rows.
pub fn sample(prepared: &Prepared, seed: u64) -> Vec<Vec<usize>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0xC075);
    let mut cuts = Vec::with_capacity(prepared.engines.len());
    for rows in &prepared.engines {
        let mut sums = Vec::with_capacity(rows.len());
        let mut sum = 0.0;
        for row in rows.clone() {
            sum += prepared.rows[row].density;
            sums.push(sum);
        }
        let draws = (0..REPEATS).map(|_| rows.start + at(&sums, random.random::<f64>()));
        cuts.push(draws.collect());
    }
    cuts
}

/// The place in running sums that a share of the whole falls in.
pub fn at(sums: &[f64], share: f64) -> usize {
    let goal = share * sums.last().copied().unwrap_or(0.0);
    sums.partition_point(|sum| *sum <= goal).min(sums.len().saturating_sub(1))
}
