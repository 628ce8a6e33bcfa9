//! `POST camera-proxy`: one frame of the range camera, for a session that is being shot.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use shared::{
    Context, Error, Result,
    access::{must_be_active, writable},
    config::CameraFallback,
    domain::frame::FrameInfo,
    http::{self, Request, Response},
    provider::camera,
    rate_limit::Preset,
    store::objects::{frame_key, sha256_hex},
};

mod answer;
pub mod api;
mod request;

use answer::Answer;
use request::{Delivery, FrameWish};

/// Served where no camera is configured and the configuration asks for it; always marked as a test.
const TEST_FRAME: &[u8] = include_bytes!("../test-frame.jpg");

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    let (wish, session, gate) = request
        .limited(ctx, &caller, Preset::Standard, async {
            let wish = FrameWish::parse(&request.json()?)?;
            let (session, gate) = tokio::join!(ctx.sessions.find(wish.session_id), ctx.breakers.gate(camera::NAME));
            Ok((wish, session?, gate))
        })
        .await?;
    let session = writable(&caller, session)?;
    must_be_active(&session)?;

    let frame = match &ctx.config.camera {
        Some(camera) => Frame::from(camera::fetch(ctx, camera, &gate, wish.session_id, wish.frame_number).await?),
        None if ctx.config.camera_fallback == CameraFallback::TestFrame => Frame::test(ctx)?,
        None => return Err(camera::not_configured()),
    };
    answer(ctx, &wish, &frame).await
}

/// A frame that was looked at: its format and size are those of its bytes.
struct Frame {
    bytes: Vec<u8>,
    info: FrameInfo,
    timestamp: DateTime<Utc>,
    source: &'static str,
}

impl From<camera::CameraFrame> for Frame {
    fn from(frame: camera::CameraFrame) -> Self {
        Self { bytes: frame.bytes, info: frame.info, timestamp: frame.captured_at, source: "hardware" }
    }
}

impl Frame {
    fn test(ctx: &Context) -> Result<Self> {
        tracing::warn!("no camera is configured: serving the test frame");
        ctx.metrics.fallback_used(camera::NAME);
        let info = FrameInfo::read(TEST_FRAME).map_err(Error::internal)?;
        Ok(Self { bytes: TEST_FRAME.to_vec(), info, timestamp: ctx.clock.now(), source: "test" })
    }
}

async fn answer(ctx: &Context, wish: &FrameWish, frame: &Frame) -> Result<Response> {
    let mut answer = Answer::new(wish, frame);
    match wish.delivery {
        Delivery::Inline => answer.frame_data = Some(STANDARD.encode(&frame.bytes)),
        Delivery::Url => {
            let key = frame_key(wish.session_id, &sha256_hex(&frame.bytes), frame.info.format);
            ctx.objects.put(&key, frame.bytes.clone(), frame.info.format.media_type()).await?;
            answer.frame_url = Some(ctx.objects.signed_url(&key).await?);
        }
    }
    Ok(http::ok(&answer))
}
