//! What the API's description says of `POST recalculate-metrics`.

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Error,
    domain::invalid::Invalid,
    openapi::{Operation, unavailable},
    rate_limit::Preset,
};

use crate::{Answer, Wish};

pub fn operations() -> [Operation; 1] {
    let description = "Done in pages by the job worker: a job works on one page and queues the next. For admins.";
    let recalculate = Operation::post("recalculate-metrics", "recalculateMetrics")
        .says("jobs", "Work out latest metrics anew", description)
        .for_callers(Preset::Strict)
        .takes::<Wish>(json!({ "user_id": "7b1c0a52-3f5e-4b7a-9b0e-0d5a4d1f2c3e" }))
        .answers::<Answer>(StatusCode::ACCEPTED, "It is queued.")
        .fails([
            Error::Forbidden("metrics are recalculated by admins"),
            Invalid::at("/user_id", "must be a UUID").into(),
            unavailable(),
        ]);
    [recalculate]
}
