//! What the API's description says of `engines/{id}`.

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Error,
    domain::{
        engine::{Description, MAX_READINGS},
        invalid::Invalid,
    },
    ids::{EngineId, FleetId},
    openapi::{Operation, Parameter, internal, text, unavailable, whole},
    rate_limit::Preset,
};
use utoipa::PartialSchema;

use crate::{
    answer::{Described, Stored},
    detail::Detail,
    readings::Readings,
    wish::{LIMIT, Part},
};

const TAG: &str = "engines";

pub fn operations() -> [Operation; 3] {
    [describe(), store_readings(), show()]
}

fn describe() -> Operation {
    let body = json!({ "unit_number": 7, "status": "operational", "last_maintenance": "2026-11-21" });
    Operation::put("engines/{id}", "describeEngine")
        .says(
            TAG,
            "Say what is known of an engine",
            "The engine is known from then on. What is not said stays as it is.",
        )
        .for_callers(Preset::Standard)
        .with(id())
        .with(fleet())
        .takes::<Description>(body)
        .answers::<Described>(StatusCode::OK, "The engine as it now is.")
        .fails([
            forbidden(),
            Invalid::at("/unit_number", "must be a whole number from 1 to 4294967295").into(),
            internal(),
            unavailable(),
        ])
}

fn store_readings() -> Operation {
    let reading = json!({
        "cycle": 1, "os1": -0.0007, "os2": -0.0004, "os3": 100.0, "s2": 641.82, "s3": 1589.7, "s4": 1400.6, "s7": 554.36,
        "s8": 2388.06, "s9": 9046.19, "s11": 47.47, "s12": 521.66, "s13": 2388.02, "s14": 8138.62, "s15": 8.4195,
        "s17": 392.0, "s20": 39.06, "s21": 23.419,
    });
    Operation::post("engines/{id}/readings", "storeReadings")
        .says(TAG, "Store readings of an engine", "Each cycle is stored once. The engine is known from then on.")
        .for_callers(Preset::Standard)
        .with(id())
        .with(fleet())
        .takes::<Readings>(json!({ "readings": [reading] }))
        .answers::<Stored>(StatusCode::OK, "They are stored.")
        .fails([
            forbidden(),
            Invalid::at("/readings/0/cycle", "must be a whole number from 1 to 999999").into(),
            internal(),
            unavailable(),
        ])
}

fn show() -> Operation {
    let parts = Part::ALL.map(|(name, _)| name).join(", ");
    let parts = format!("Only these parts, as `engine,history`; of {parts}.");
    let limit = whole(1..=MAX_READINGS).default(Some(json!(LIMIT)));
    let description = "The engine, a page of its history, its sensors' statistics and its last predictions.";
    Operation::get("engines/{id}", "showEngine")
        .says(TAG, "What is known of an engine", description)
        .for_callers(Preset::Lenient)
        .with(id())
        .with(fleet())
        .with(Parameter::query("fields", &parts, text()))
        .with(Parameter::query("limit", "Readings of a page of the history.", limit))
        .with(Parameter::query("cursor", "Where the page before ended, as it said.", text()))
        .answers::<Detail>(StatusCode::OK, "The parts that were asked for.")
        .may_lack("statistics")
        .tagged()
        .fails([
            forbidden(),
            Error::NotFound("engine"),
            Invalid::at("/limit", "must be a whole number from 1 to 1000").into(),
            internal(),
            unavailable(),
        ])
}

fn id() -> Parameter {
    Parameter::path("id", "The engine's id within its fleet.", EngineId::schema())
}

fn fleet() -> Parameter {
    let says = "The engine's fleet; may be left out by a caller who has exactly one.";
    Parameter::query("fleet_id", says, FleetId::schema())
}

fn forbidden() -> Error {
    Error::Forbidden("another fleet's engines are for those who work with them")
}
