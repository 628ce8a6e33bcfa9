//! What the API's description says of `POST end-session`.

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Error,
    domain::invalid::Invalid,
    openapi::{Operation, internal, unavailable},
    rate_limit::Preset,
};

use crate::{EndWish, answer::Answer};

pub fn operations() -> [Operation; 1] {
    let body = json!({ "session_id": "3d9a1f60-6c1e-4f0a-8a55-2f1f7a0c9b11", "end_reason": "completed" });
    let description = "Works out the session's statistics and advice, and draws its report. A second call gives the same \
                       figures, with a report that is signed anew.";
    let end = Operation::post("end-session", "endSession")
        .says("sessions", "End a session", description)
        .for_callers(Preset::Standard)
        .takes::<EndWish>(body)
        .answers::<Answer>(StatusCode::OK, "What the session came to.")
        .fails([
            Error::NotFound("session"),
            Invalid::at("/end_reason", "must be one of completed, cancelled, timeout").into(),
            internal(),
            unavailable(),
        ]);
    [end]
}
