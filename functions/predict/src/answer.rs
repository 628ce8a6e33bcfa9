//! The answer, as the API has it.

use serde::Serialize;
use shared::{
    clock::rfc3339,
    domain::engine::{Health, Interval, ModelKind, Prediction},
    ids::EngineId,
};
use utoipa::ToSchema;

/// What is predicted of an engine.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnginePrediction)]
pub struct Answer {
    success: bool,
    engine_id: EngineId,
    /// Cycles until failure; more than 125 are told as 125.
    predicted_rul: u32,
    /// 0 to 1.
    confidence: f64,
    /// Only some models give one.
    interval: Option<Interval>,
    status: Health,
    model_version: String,
    model: ModelKind,
    /// Whether another model should have answered.
    degraded: bool,
    warnings: Vec<String>,
    /// Whether it is kept: it is, where the engine is known.
    stored: bool,
    #[schema(format = DateTime)]
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
