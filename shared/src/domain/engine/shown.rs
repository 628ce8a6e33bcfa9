//! An engine as the API shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Engine, Health, Interval, ModelKind, Status};
use crate::{
    clock::rfc3339,
    ids::{EngineId, FleetId},
};

/// An engine and its last prediction.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Engine)]
pub struct Shown<'a> {
    engine_id: &'a EngineId,
    fleet_id: &'a FleetId,
    unit_number: Option<u32>,
    status: Status,
    last_maintenance: Option<&'a str>,
    /// Cycles; null without a prediction, as all that follows.
    predicted_rul: Option<u32>,
    health: Option<Health>,
    confidence: Option<f64>,
    interval: Option<&'a Interval>,
    model: Option<ModelKind>,
    model_version: Option<&'a str>,
    /// The last cycle that the prediction was worked out from.
    cycle: Option<u32>,
    #[schema(format = DateTime)]
    predicted_at: Option<String>,
}

impl<'a> Shown<'a> {
    pub fn of(engine: &'a Engine) -> Self {
        let latest = engine.latest.as_ref();
        Self {
            engine_id: &engine.engine_id,
            fleet_id: &engine.fleet_id,
            unit_number: engine.unit_number,
            status: engine.status,
            last_maintenance: engine.last_maintenance.as_deref(),
            predicted_rul: latest.map(|latest| latest.predicted_rul),
            health: latest.map(|latest| latest.health()),
            confidence: latest.map(|latest| latest.confidence),
            interval: latest.and_then(|latest| latest.interval.as_ref()),
            model: latest.map(|latest| latest.model),
            model_version: latest.map(|latest| latest.model_version.as_str()),
            cycle: latest.map(|latest| latest.cycle),
            predicted_at: latest.map(|latest| rfc3339(latest.at)),
        }
    }
}
