//! What the API's description says of `POST retry-jobs`.

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Error,
    domain::invalid::Invalid,
    openapi::{Operation, unavailable},
    rate_limit::Preset,
};

use crate::{answer::Answer, wish::Wish};

pub fn operations() -> [Operation; 1] {
    let description = "The longest dead first. Called twice at once, each job runs once. For admins.";
    let retry = Operation::post("retry-jobs", "retryJobs")
        .says("jobs", "Queue dead jobs again", description)
        .for_callers(Preset::Strict)
        .takes::<Wish>(json!({ "job_type": "terra_ingest", "limit": 100 }))
        .answers::<Answer>(StatusCode::OK, "How many were queued.")
        .fails([
            Error::Forbidden("only admins may retry jobs"),
            Invalid::at("/limit", "must be a whole number from 1 to 1000").into(),
            unavailable(),
        ]);
    [retry]
}
