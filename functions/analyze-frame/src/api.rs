//! What the API's description says of `POST analyze-frame`.

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Error,
    domain::invalid::Invalid,
    openapi::{Operation, internal, unavailable},
    rate_limit::Preset,
};

use crate::{answer::Answer, request::SubmittedFrame};

pub fn operations() -> [Operation; 1] {
    let body = json!({
        "session_id": "3d9a1f60-6c1e-4f0a-8a55-2f1f7a0c9b11",
        "frame_number": 1,
        "frame_data": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    });
    let description = "Finds target and holes, scores them by the ISSF rules, and counts what no frame before has shown. The \
                       same frame again gets the same answer. Coordinates are those of the upright picture.";
    let analyze = Operation::post("analyze-frame", "analyzeFrame")
        .says("sessions", "Find the shots on a frame", description)
        .for_callers(Preset::Standard)
        .takes::<SubmittedFrame>(body)
        .answers::<Answer>(StatusCode::OK, "What was found; without a target there is nothing, and nothing is made up.")
        .fails([
            Error::NotFound("session"),
            Error::SessionEnded("the session ended at 2026-11-21T10:30:00.000Z".into()),
            Error::FrameConflict("frame 1 was analysed before, with other bytes".into()),
            Error::TooLarge("the frame has 4500001 bytes, more than 4500000".into()),
            Invalid::at("/frame_data", "must not be empty").into(),
            internal(),
            unavailable(),
        ]);
    [analyze]
}
