//! What the API's description says of `POST start-session`.

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Error,
    domain::{invalid::Invalid, session::SessionStart},
    openapi::{Operation, Parameter, internal, text, unavailable},
    rate_limit::Preset,
};

use crate::{KEY_LENGTH, answer::Answer};

pub fn operations() -> [Operation; 1] {
    let (shortest, longest) = KEY_LENGTH.into_inner();
    let key = text().min_length(Some(shortest)).max_length(Some(longest)).pattern(Some("^[!-~]+$"));
    let body = json!({
        "user_id": "7b1c0a52-3f5e-4b7a-9b0e-0d5a4d1f2c3e",
        "session_type": "practice",
        "metadata": { "target_type": "air_pistol_10m", "distance": 10, "equipment": "air pistol" },
    });
    let start = Operation::post("start-session", "startSession")
        .says("sessions", "Start a session", "For the caller; trainers and admins may start one for somebody else.")
        .for_callers(Preset::Standard)
        .with(Parameter::header("Idempotency-Key", "The same key gives the same session for 24 hours.", key))
        .takes::<SessionStart>(body)
        .answers::<Answer>(StatusCode::CREATED, "The session; the same one where the key was known.")
        .fails([
            Error::Forbidden("only trainers and admins may act for another user"),
            Invalid::at("/session_type", "must be one of practice, competition, training").into(),
            internal(),
            unavailable(),
        ]);
    [start]
}
