//! The range camera.
//!
//! `GET {CAMERA_API_URL}/v1/frames/{frame_number}?session_id=…` with `Authorization: Bearer <camera_api_key>` answers
//! 200 with the frame's bytes, and `X-Frame-Timestamp` (RFC 3339) says when it was taken.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Call, Failure, body, keyed, retry_after};
use crate::{
    Context,
    breaker::Gate,
    config::{CameraConfig, Secret},
    domain::{
        frame::{DecodedFrame, FrameInfo},
        session::FrameNumber,
    },
    error::{Error, RETRY_AFTER, Result},
    ids::SessionId,
};

pub const NAME: &str = "camera";
const CALL: Call = Call { provider: NAME, deadline: Duration::from_secs(5) };
/// Largest frame that is passed on: with its base64 it just passes Lambda's limit.
pub const MAX_FRAME_BYTES: usize = 4_500_000;

/// A frame as the camera gave it, known to be a whole JPEG or PNG.
#[derive(Debug)]
pub struct CameraFrame {
    pub bytes: Vec<u8>,
    pub info: FrameInfo,
    /// By the camera's clock, or the time at which the frame arrived.
    pub captured_at: DateTime<Utc>,
}

/// Fetches one frame.
///
/// # Errors
/// `UpstreamTimeout` after 5 s, `Unavailable` while the camera can't be reached, `UpstreamFailed` for an error of the
/// camera's or an answer that is no frame.
pub async fn fetch(
    ctx: &Context,
    camera: &CameraConfig,
    gate: &Gate,
    session: SessionId,
    number: FrameNumber,
) -> Result<CameraFrame> {
    let url = format!("{}/v1/frames/{number}?session_id={session}", camera.url);
    let attempt = |key| attempt(ctx, &url, key);
    CALL.run(ctx, gate, || keyed(ctx, |secrets| secrets.camera_api_key.as_ref(), attempt)).await
}

async fn attempt(ctx: &Context, url: &str, key: Secret) -> Result<CameraFrame, Failure> {
    let response = ctx.http.get(url)?.bearer_auth(key.expose()).send().await.map_err(Failure::of_http)?;
    match response.status().as_u16() {
        200 => frame(response, ctx.clock.now()).await,
        status @ (429 | 502..=504) => Err(Failure::Overloaded { status, retry_after: retry_after(&response) }),
        status @ 500.. => Err(Failure::Broken { status }),
        status => Err(Failure::Refused { status, message: String::new() }),
    }
}

async fn frame(response: reqwest::Response, arrived: DateTime<Utc>) -> Result<CameraFrame, Failure> {
    let stamp = response.headers().get("x-frame-timestamp").and_then(|value| value.to_str().ok());
    let stamp = stamp.and_then(|text| DateTime::parse_from_rfc3339(text).ok()).map(|time| time.to_utc());
    let bytes = body(response, MAX_FRAME_BYTES).await?;
    let (bytes, info) =
        tokio::task::spawn_blocking(move || DecodedFrame::decode(&bytes).map(|frame| (bytes, frame.info)))
            .await
            .map_err(|err| Failure::Unusable(err.to_string()))?
            .map_err(|err| Failure::Unusable(err.to_string()))?;
    Ok(CameraFrame { bytes, info, captured_at: stamp.unwrap_or(arrived) })
}

/// What the caller hears where there is no camera.
pub fn not_configured() -> Error {
    Error::Unavailable { detail: "no camera is configured".into(), retry_after: RETRY_AFTER, source: None }
}
