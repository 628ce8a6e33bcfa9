//! Predictions of engines by the models that did not see them, and what these were off by.

use std::error::Error;

use predict::model::features::FEATURE_COUNT;
use predict::model::interval::{Residuals, STEP, STEPS};
use predict::model::{CAP, LEVEL, blend};

use crate::fleet::FOLDS;
use crate::prepare::{Prepared, count, single};
use crate::threads::Trained;

/// Cycles about a step whose residuals count for it, the less the farther.
const BANDWIDTH: f64 = 10.0;

/// One cut of an engine, predicted by models that were trained on other engines.
#[derive(Clone, Copy)]
pub struct Prediction {
    pub subset: usize,
    pub fold: usize,
    /// Cycles until failure.
    pub left: f64,
    pub rul: f64,
    pub by_networks: f64,
    pub by_forest: f64,
}

impl Prediction {
    pub fn truth(&self) -> f64 {
        self.left.min(CAP)
    }
}

/// Predicts every cut by the models of its engine's fold.
pub fn predictions(
    prepared: &Prepared,
    trained: &Trained,
    cuts: &[Vec<usize>],
) -> Result<Vec<Prediction>, Box<dyn Error>> {
    let folds = (0..FOLDS).map(|fold| trained.by_fold(fold)).collect::<Result<Vec<_>, _>>()?;
    let predict = |row: usize| {
        let about = prepared.rows[row];
        let features: &[f32; FEATURE_COUNT] = &prepared.features[row];
        let (networks, forest) = folds[about.fold].predict(features);
        Prediction {
            subset: about.subset,
            fold: about.fold,
            left: about.left,
            rul: blend(networks, forest),
            by_networks: networks * CAP,
            by_forest: forest.clamp(0.0, 1.0) * CAP,
        }
    };
    Ok(cuts.iter().flatten().map(|row| predict(*row)).collect())
}

/// Quantiles of truth less prediction about each step, each residual weighted by its nearness.
pub fn residuals(predictions: &[Prediction]) -> Residuals {
    let tail = (1.0 - LEVEL) / 2.0;
    let mut residuals = Residuals { low: [0.0; STEPS], high: [0.0; STEPS] };
    let mut sorted: Vec<(f64, f64)> = predictions.iter().map(|cut| (cut.truth() - cut.rul, cut.rul)).collect();
    sorted.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    for step in 0..STEPS {
        let at = count(step) * STEP;
        let near = |rul: f64| (1.0 - (rul - at).abs() / BANDWIDTH).max(0.0);
        let all: f64 = sorted.iter().map(|(_, rul)| near(*rul)).sum();
        let quantile = |share: f64| {
            let mut sum = 0.0;
            let found = sorted.iter().find(|(_, rul)| {
                sum += near(*rul);
                sum >= share * all
            });
            found.map_or(0.0, |(residual, _)| *residual)
        };
        residuals.low[step] = single(quantile(tail).min(0.0));
        residuals.high[step] = single(quantile(1.0 - tail).max(0.0));
    }
    residuals
}
