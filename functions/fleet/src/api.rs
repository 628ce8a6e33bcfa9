//! What the API's description says of `GET fleet`.

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Error,
    domain::invalid::Invalid,
    ids::FleetId,
    openapi::{Operation, Parameter, internal, text, unavailable, whole},
    rate_limit::Preset,
};
use utoipa::PartialSchema;

use crate::{
    Answer,
    wish::{LIMIT, LIMITS},
};

pub fn operations() -> [Operation; 1] {
    let limit = whole(LIMITS).default(Some(json!(LIMIT)));
    let description = "Those in service. The later pages tell what the fleet came to when the first was read.";
    let list = Operation::get("fleet", "listFleet")
        .says("engines", "A fleet's engines, the most critical first", description)
        .for_callers(Preset::Lenient)
        .with(Parameter::query("fleet_id", "May be left out by a caller who has exactly one.", FleetId::schema()))
        .with(Parameter::query("limit", "Engines of a page.", limit))
        .with(Parameter::query("cursor", "Where the page before ended, as it said.", text()))
        .answers::<Answer>(StatusCode::OK, "A page of them, and what the fleet comes to.")
        .tagged()
        .fails([
            Error::Forbidden("another fleet's engines are for those who work with them"),
            Invalid::at("/limit", "must be a whole number from 1 to 500").into(),
            internal(),
            unavailable(),
        ]);
    [list]
}
