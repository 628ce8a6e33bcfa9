//! Trains all networks and forests, each by itself, so that the threads' timing changes nothing.

use std::error::Error;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use predict::model::features::FEATURE_COUNT;
use predict::model::network::Network;
use predict::model::trees::{Forest, LEAF};

use crate::boost::{self, Trees};
use crate::fleet::FOLDS;
use crate::learn;
use crate::prepare::{Prepared, count, single};

/// Networks of each fold, which begin with other weights and see other batches.
pub const SEEDS: usize = 5;

/// What was trained, fold by fold: the model is their mean.
pub struct Trained {
    /// The numbers of each network, fold after fold.
    pub networks: Vec<Vec<f32>>,
    forests: Vec<Trees>,
}

enum Task {
    Network { fold: usize, seed: u64 },
    Forest { fold: usize, seed: u64 },
}

enum Done {
    Network(Vec<f32>),
    Forest(Trees),
}

impl Trained {
    pub fn on(prepared: &Prepared, seed: u64) -> Self {
        let networks = (0_u64..).zip(0..FOLDS * SEEDS).map(|(number, place)| Task::Network {
            fold: place / SEEDS,
            seed: seed.wrapping_mul(1_000).wrapping_add(number),
        });
        let forests = (0_u64..)
            .zip(0..FOLDS)
            .map(|(number, fold)| Task::Forest { fold, seed: seed.wrapping_mul(1_000).wrapping_add(500 + number) });
        let tasks: Vec<Task> = networks.chain(forests).collect();
        let mut trained = Self { networks: Vec::new(), forests: Vec::new() };
        for done in all(&tasks, prepared) {
            match done {
                Done::Network(numbers) => trained.networks.push(numbers),
                Done::Forest(trees) => trained.forests.push(trees),
            }
        }
        trained
    }

    /// The mean of the folds' forests.
    pub fn forest(&self) -> Result<Forest, Box<dyn Error>> {
        let mut mean = Trees::default();
        for trees in &self.forests {
            mean.trees += trees.trees;
            mean.features.extend(&trees.features);
            mean.steps.extend(&trees.steps);
            let shares = trees.thresholds.iter().zip(&trees.features);
            mean.thresholds.extend(shares.map(|(number, feature)| {
                let leaf = *feature == LEAF;
                if leaf { single(f64::from(*number) / count(FOLDS)) } else { *number }
            }));
        }
        Forest::from_parts(mean.thresholds, mean.features, mean.steps, mean.trees)
            .ok_or_else(|| "a tree is broken".into())
    }

    /// What was trained on all engines that are not of the fold.
    pub fn by_fold(&self, fold: usize) -> Result<Members<'_>, Box<dyn Error>> {
        let trees = self.forests.get(fold).ok_or("a fold has no forest")?;
        let parts = (trees.thresholds.clone(), trees.features.clone(), trees.steps.clone());
        let forest = Forest::from_parts(parts.0, parts.1, parts.2, trees.trees).ok_or("a tree is broken")?;
        Ok(Members { networks: &self.networks[fold * SEEDS..(fold + 1) * SEEDS], forest })
    }
}

/// A fold's networks and its forest.
pub struct Members<'a> {
    networks: &'a [Vec<f32>],
    forest: Forest,
}

impl Members<'_> {
    /// Shares of the cap by the networks' mean and by the forest.
    pub fn predict(&self, features: &[f32; FEATURE_COUNT]) -> (f64, f64) {
        let share = |numbers: &Vec<f32>| f64::from(Network::new(numbers).predict(features)).clamp(0.0, 1.0);
        let sum: f64 = self.networks.iter().map(share).sum();
        (sum / count(SEEDS), f64::from(self.forest.predict(features)))
    }
}

/// Works on the tasks by as many threads as there are processors; what they gave is in the tasks' order.
fn all(tasks: &[Task], prepared: &Prepared) -> Vec<Done> {
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<Done>>> = tasks.iter().map(|_| Mutex::new(None)).collect();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((task, place)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    tasks.get(number).zip(done.get(number))
                } {
                    let result = match task {
                        Task::Network { fold, seed } => Done::Network(learn::network(prepared, *fold, *seed)),
                        Task::Forest { fold, seed } => Done::Forest(boost::trees(prepared, *fold, *seed)),
                    };
                    eprint!(".");
                    if let Ok(mut place) = place.lock() {
                        *place = Some(result);
                    }
                }
            });
        }
    });
    eprintln!();
    done.into_iter().filter_map(|place| place.into_inner().ok().flatten()).collect()
}
