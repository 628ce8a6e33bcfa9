//! What the API's description says of `POST camera-proxy`.

use lambda_http::http::StatusCode;
use serde_json::json;
use shared::{
    Error,
    domain::invalid::Invalid,
    openapi::{Operation, internal},
    provider::camera,
    rate_limit::Preset,
};

use crate::{answer::Answer, request::FrameWish};

pub fn operations() -> [Operation; 1] {
    let body = json!({ "session_id": "3d9a1f60-6c1e-4f0a-8a55-2f1f7a0c9b11", "frame_number": 1 });
    let description = "Fetched for those who may write to an active session. JPEG or PNG of 4,500,000 bytes at most.";
    let fetch = Operation::post("camera-proxy", "fetchFrame")
        .says("sessions", "One frame of the range camera", description)
        .for_callers(Preset::Standard)
        .takes::<FrameWish>(body)
        .answers::<Answer>(StatusCode::OK, "The frame.")
        .fails([
            Error::NotFound("session"),
            Error::SessionEnded("the session ended at 2026-11-21T10:30:00.000Z".into()),
            Invalid::at("/frame_number", "must be at least 1").into(),
            internal(),
            Error::UpstreamFailed { upstream: "the camera", source: "for the log".into() },
            camera::not_configured(),
            Error::UpstreamTimeout { upstream: "the camera", source: None },
        ]);
    [fetch]
}
