//! The answer, as the API has it.

use serde::Serialize;
use shared::{
    clock::rfc3339,
    domain::engine::{Health, Interval, ModelKind, Prediction},
    ids::EngineId,
};

/// What is predicted of an engine.
#[derive(Debug, Serialize)]
pub struct Answer {
    success: bool,
    engine_id: EngineId,
    /// Cycles.
    predicted_rul: u32,
    confidence: f64,
    interval: Option<Interval>,
    status: Health,
    model_version: String,
    model: ModelKind,
    degraded: bool,
    warnings: Vec<String>,
    /// Whether it is kept: it is, where the engine is known.
    stored: bool,
    timestamp: String,
}

impl Answer {
    pub fn new(engine_id: EngineId, prediction: Prediction, stored: bool) -> Self {
        Self {
            success: true,
            engine_id,
            predicted_rul: prediction.predicted_rul,
            confidence: prediction.confidence,
            status: prediction.health(),
            interval: prediction.interval,
            model_version: prediction.model_version,
            model: prediction.model,
            degraded: prediction.degraded,
            warnings: prediction.warnings,
            stored,
            timestamp: rfc3339(prediction.at),
        }
    }
}
