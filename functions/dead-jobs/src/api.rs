//! What the API's description says of `GET dead-jobs`.

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Error,
    domain::invalid::Invalid,
    jobs::Job,
    openapi::{Operation, Parameter, one_of, text, unavailable, whole},
    rate_limit::Preset,
};

use crate::{
    answer::Answer,
    wish::{LIMIT, LIMITS},
};

pub fn operations() -> [Operation; 1] {
    let limit = whole(LIMITS).default(Some(json!(LIMIT)));
    let list = Operation::get("dead-jobs", "listDeadJobs")
        .says("jobs", "Jobs that failed for good", "By type, the newest first. For trainers and admins.")
        .for_callers(Preset::Lenient)
        .with(Parameter::query("job_type", "Only jobs of this type.", one_of(Job::TYPES)))
        .with(Parameter::query("limit", "Jobs of a page.", limit))
        .with(Parameter::query("cursor", "Where the page before ended, as it said.", text()))
        .answers::<Answer>(StatusCode::OK, "A page of them.")
        .fails([
            Error::Forbidden("dead jobs are for trainers and admins"),
            Invalid::at("/limit", "must be a whole number from 1 to 100").into(),
            unavailable(),
        ]);
    [list]
}
