//! What is known of an engine beside its readings.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::Prediction;
use crate::{
    clock::rfc3339,
    domain::invalid::{Fields, Invalid, text},
    ids::{EngineId, FleetId},
    openapi::{self, Body},
};

/// What an engine does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EngineStatus)]
pub enum Status {
    #[default]
    Operational,
    Maintenance,
    /// Out of service for good: it is no part of its fleet's list any more.
    Retired,
}

impl Status {
    const ALL: [(&str, Self); 3] =
        [("operational", Self::Operational), ("maintenance", Self::Maintenance), ("retired", Self::Retired)];

    pub fn name(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::Maintenance => "maintenance",
            Self::Retired => "retired",
        }
    }

    /// The status of a name; nothing where it is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, status)| status)
    }

    fn parse(value: &Value) -> Result<Self, Invalid> {
        value.as_str().and_then(Self::from_name).ok_or_else(|| Invalid::not_one_of(Self::ALL.map(|(name, _)| name)))
    }
}

/// An engine of a fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct Engine {
    pub fleet_id: FleetId,
    pub engine_id: EngineId,
    pub status: Status,
    /// Its number in its own fleet's books.
    pub unit_number: Option<u32>,
    /// A time (RFC 3339) or a date.
    pub last_maintenance: Option<String>,
    pub created_at: DateTime<Utc>,
    /// What was last predicted.
    pub latest: Option<Prediction>,
    /// Raised by every write; 0 for one that is not stored yet.
    pub version: u64,
}

impl Engine {
    /// One that nothing is known of yet.
    pub fn new(fleet_id: FleetId, engine_id: EngineId, now: DateTime<Utc>) -> Self {
        Self {
            fleet_id,
            engine_id,
            status: Status::default(),
            unit_number: None,
            last_maintenance: None,
            created_at: now,
            latest: None,
            version: 0,
        }
    }
}

/// What somebody says of an engine. What is not said is left as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    pub status: Option<Status>,
    pub unit_number: Option<u32>,
    pub last_maintenance: Option<String>,
}

impl Description {
    /// Reads `{"unit_number","status","last_maintenance"}`, each optional.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let status = fields.optional("status", Status::parse);
        let unit_number = fields.optional("unit_number", unit_number);
        let last_maintenance = fields.optional("last_maintenance", date_or_time);
        fields.finish(|| Some(Self { status, unit_number, last_maintenance }))
    }

    /// The engine as it now is.
    pub fn apply(&self, mut engine: Engine) -> Engine {
        engine.status = self.status.unwrap_or(engine.status);
        engine.unit_number = self.unit_number.or(engine.unit_number);
        engine.last_maintenance = self.last_maintenance.clone().or(engine.last_maintenance);
        engine
    }
}

impl PartialSchema for Description {
    fn schema() -> RefOr<Schema> {
        Body::of("What is said of an engine. What is not said is left as it is.")
            .optional("fleet_id", "Its fleet; may be left out by a caller who has exactly one.", FleetId::schema())
            .optional("unit_number", "Its number in the fleet's own books.", openapi::whole(1..=u32::MAX))
            .optional("status", "What it does at the moment.", Status::schema())
            .optional("last_maintenance", "A date, or a time as RFC 3339 has it.", openapi::text())
            .into()
    }
}

impl ToSchema for Description {}

fn unit_number(value: &Value) -> Result<u32, Invalid> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
    number.ok_or_else(|| Invalid::new(format!("must be a whole number from 1 to {}", u32::MAX)))
}

fn date_or_time(value: &Value) -> Result<String, Invalid> {
    let said = text(value)?;
    if let Ok(at) = DateTime::parse_from_rfc3339(said) {
        return Ok(rfc3339(at.to_utc()));
    }
    let date = NaiveDate::parse_from_str(said, "%Y-%m-%d").ok().map(|date| date.to_string());
    date.ok_or_else(|| Invalid::new("must be a date (2026-11-21) or a time as RFC 3339 has it"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_said_is_left_as_it_is() {
        let [fleet, engine] = ["f", "e"];
        let now = "2026-11-21T09:00:00Z".parse().unwrap();
        let engine = Engine::new(FleetId::parse(fleet).unwrap(), EngineId::parse(engine).unwrap(), now);
        let say = |body: Value, engine| Description::parse(&body).unwrap().apply(engine);
        let engine = say(json!({ "unit_number": 7, "last_maintenance": "2026-11-01" }), engine);
        assert_eq!((engine.status, engine.unit_number), (Status::Operational, Some(7)));
        let engine = say(json!({ "status": "maintenance", "unit_number": null }), engine);
        assert_eq!((engine.status, engine.unit_number), (Status::Maintenance, Some(7)));
        assert_eq!(engine.last_maintenance.as_deref(), Some("2026-11-01"));
        let engine = say(json!({ "last_maintenance": "2026-11-02T10:00:00+02:00" }), engine);
        assert_eq!(engine.last_maintenance.as_deref(), Some("2026-11-02T08:00:00.000Z"));
    }

    #[test]
    fn every_fault_is_named() {
        let body = json!({ "status": "broken", "unit_number": 0, "last_maintenance": "yesterday" });
        let Invalid(faults) = Description::parse(&body).unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/status", "/unit_number", "/last_maintenance"]);
        assert!(faults[0].detail.contains("operational, maintenance, retired"), "{}", faults[0].detail);
    }
}
