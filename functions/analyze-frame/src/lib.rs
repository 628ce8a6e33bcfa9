//! `POST analyze-frame`: finds the shots on a frame, matches them with those that are known, and counts what is new.
//!
//! Calls in sequence: everything that is read is read at once; the frame's upload runs beside the detector; one
//! transaction writes what the frame changes. Only where another frame was written in between is it all read again.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::value::RawValue;
use shared::{
    Context, Error, Result,
    access::{must_be_active, writable},
    auth::Caller,
    domain::{
        frame::{DecodedFrame, FrameError},
        invalid::Invalid,
    },
    http::{self, Request, Response},
    rate_limit::Preset,
    store::{
        objects::{frame_key, sha256_hex},
        sessions::{FrameRow, FrameWrite, Loaded, Written},
    },
};

pub mod detector;

mod answer;
pub mod api;
mod counting;
mod request;

use answer::{Analysis, Answer};
use counting::count;
use detector::{Detector, Findings};
use request::{Frame, SubmittedFrame};

/// Attempts to write a frame while other frames of the session are being written.
const ATTEMPTS: u32 = 6;

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    let detector = Detector::configured(ctx);
    let (frame, found, before, gate) = request
        .limited(ctx, &caller, Preset::Standard, async {
            let frame = SubmittedFrame::parse(&request.json()?)?.check()?;
            let (found, before, gate) = futures::join!(
                ctx.sessions.load(frame.session_id),
                ctx.sessions.frame(frame.session_id, frame.number),
                detector.gate(ctx),
            );
            Ok((frame, found?, before?, gate))
        })
        .await?;
    let loaded = writable(&caller, found)?;
    must_be_active(&loaded.session)?;
    let sha256 = sha256_hex(&frame.bytes);
    if let Some(before) = before {
        return repeated(&frame, &before, &sha256);
    }

    let started = Instant::now();
    let picture = decode(frame.bytes.clone()).await?;
    let key = frame_key(frame.session_id, &sha256, frame.format);
    let (stored, findings) = futures::join!(
        ctx.objects.put(&key, frame.bytes.clone(), frame.format.media_type()),
        detector.detect(ctx, gate, &frame.bytes, picture, loaded.session.target_type()),
    );
    stored?;
    let seen = Seen { findings: findings?, sha256, key, took: started.elapsed() };
    commit(ctx, &caller, &frame, loaded, &seen).await
}

/// What was seen on the frame, whatever the session holds.
struct Seen {
    findings: Findings,
    sha256: String,
    key: String,
    took: Duration,
}

/// The same frame again gets the answer that it got; another one of the same number is refused.
fn repeated(frame: &Frame, before: &FrameRow, sha256: &str) -> Result<Response> {
    if before.sha256 == sha256 {
        return Ok(http::ok(Answer::of(frame.session_id, before)));
    }
    Err(Error::FrameConflict(format!("frame {} was analysed before, with other bytes", before.number)))
}

/// Decoding takes tens of milliseconds: not on the thread that the calls run on.
async fn decode(bytes: Bytes) -> Result<DecodedFrame> {
    let decoded = tokio::task::spawn_blocking(move || DecodedFrame::decode(&bytes)).await.map_err(Error::internal)?;
    decoded.map_err(unusable)
}

/// Why a frame can't be used, as the API says it.
fn unusable(err: FrameError) -> Error {
    match err {
        FrameError::UnsupportedMediaType => Error::UnsupportedMediaType(err.to_string()),
        FrameError::TooManyPixels { .. } | FrameError::Truncated | FrameError::Corrupt(_) => {
            Invalid::at("/frame_data", err.to_string()).into()
        }
    }
}

/// Counts what was seen against the session as it stands and writes it; reads again where another frame came first.
async fn commit(ctx: &Context, caller: &Caller, frame: &Frame, mut loaded: Loaded, seen: &Seen) -> Result<Response> {
    for attempt in 1..=ATTEMPTS {
        let counted = count(&loaded, &seen.findings, frame.number, ctx.ids);
        let analysis = Analysis::of(&loaded.session, frame.number, seen, &counted);
        let row = FrameRow {
            number: frame.number,
            sha256: seen.sha256.clone(),
            object_key: seen.key.clone(),
            analysed_at: ctx.clock.now(),
            analysis: raw(&analysis)?,
        };
        let write = FrameWrite {
            session: &loaded.session,
            frame: &row,
            new_shots: &counted.new,
            earlier: &counted.earlier,
            now: row.analysed_at,
        };
        if ctx.sessions.write_frame(&write).await? == Written::Done {
            return Ok(http::ok(Answer::of(frame.session_id, &row)));
        }
        tracing::info!(session_id = %frame.session_id, frame_number = %frame.number, attempt, "session moved, reading again");
        tokio::time::sleep(jitter(attempt)).await;
        let (found, before) = futures::try_join!(
            ctx.sessions.load(frame.session_id),
            ctx.sessions.frame(frame.session_id, frame.number),
        )?;
        loaded = writable(caller, found)?;
        if let Some(before) = before {
            return repeated(frame, &before, &seen.sha256);
        }
        must_be_active(&loaded.session)?;
    }
    Err(Error::unavailable(
        "other frames are being written to the session, try again",
        "version moved at every attempt",
    ))
}

/// Full jitter, up to 20 ms doubled each time: two that met once should not meet again.
fn jitter(attempt: u32) -> Duration {
    Duration::from_millis(rand::random_range(1..=20 << attempt.min(5)))
}

fn raw(analysis: &Analysis) -> Result<Box<RawValue>> {
    serde_json::value::to_raw_value(analysis).map_err(Error::internal)
}
