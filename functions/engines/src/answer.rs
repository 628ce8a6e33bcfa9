//! The answers to what is written, as the API has them.

use serde::Serialize;
use shared::{
    domain::engine::{Reading, Shown},
    ids::{EngineId, FleetId},
};
use utoipa::ToSchema;

/// The engine as it now is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Described<'a> {
    pub success: bool,
    pub engine: Shown<'a>,
}

/// The readings that are stored now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stored {
    success: bool,
    fleet_id: FleetId,
    engine_id: EngineId,
    /// Readings of this request.
    stored: usize,
    /// Of these, the last.
    last_cycle: Option<u32>,
}

impl Stored {
    pub fn new(fleet_id: &FleetId, engine_id: &EngineId, readings: &[Reading]) -> Self {
        Self {
            success: true,
            fleet_id: fleet_id.clone(),
            engine_id: engine_id.clone(),
            stored: readings.len(),
            last_cycle: readings.last().map(|reading| reading.cycle),
        }
    }
}
