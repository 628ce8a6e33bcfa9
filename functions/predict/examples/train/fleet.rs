//! The training engines, in folds by engine.

use std::error::Error;
use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use shared::domain::engine::Reading;

use crate::cmapss;

/// Parts that the engines of each subset are divided into; each is predicted by models that saw the others only.
pub const FOLDS: usize = 5;

/// An engine that ran to failure.
pub struct Engine {
    /// 1 to 4.
    pub subset: usize,
    pub fold: usize,
    pub readings: Vec<Reading>,
}

pub struct Fleet(pub Vec<Engine>);

impl Fleet {
    pub fn read(folder: &Path, seed: u64) -> Result<Self, Box<dyn Error>> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut engines = Vec::new();
        for subset in 1..=4 {
            let units = cmapss::read(folder, subset)?;
            let mut folds: Vec<usize> = (0..units.len()).map(|number| number % FOLDS).collect();
            folds.shuffle(&mut random);
            let units = units.into_iter().zip(folds);
            engines.extend(units.map(|((_, readings), fold)| Engine { subset, fold, readings }));
        }
        Ok(Self(engines))
    }
}
