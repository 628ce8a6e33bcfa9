//! `POST webhook-terra`: a delivery is verified, stored, enqueued, and then acknowledged.
//!
//! A failure anywhere answers 5xx, and Terra sends again: storing twice and enqueueing twice are harmless, since the
//! delivery's id is the key of both.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    Context, Error, Result,
    http::{self, Request, Response},
    jobs::{self, Message, NewJob},
    rate_limit::Preset,
    secrets::Values,
    store::{
        jobs::{self as job_rows, State},
        webhooks,
    },
};
use tokio::time::timeout;
use tracing::{info, warn};
use utoipa::ToSchema;

pub mod api;
mod content;
mod delivery;
pub mod signature;

use delivery::{Received, Unnamed};
use signature::Refusal;

/// What storing may take, and then what enqueueing may: together well below the 8 s that Terra waits.
const STORE: Duration = Duration::from_millis(500);
const ENQUEUE: Duration = Duration::from_millis(300);

/// What became of a delivery.
#[derive(Debug, Serialize, ToSchema)]
struct Answer {
    success: bool,
    /// `queued`; `duplicate` where it came before; `ignored` where its type is not known, and it is only kept.
    status: &'static str,
}

/// A delivery that is stored.
struct Accepted {
    status: &'static str,
    /// What wakes a worker for its job; none where there is no job, or nothing left to do of it.
    message: Option<Message>,
}

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let now = ctx.clock.now();
    verify(ctx, &request, now).await?;
    let accepted = request.limited_by_address(ctx, Preset::Webhook, accept(ctx, &request, now)).await?;
    if let Some(message) = &accepted.message {
        within(ENQUEUE, jobs::send_one(ctx, message, ENQUEUE)).await?;
    }
    Ok(http::ok(Answer { success: true, status: accepted.status }))
}

/// Refuses what Terra did not sign, before anything of it is looked at.
async fn verify(ctx: &Context, request: &Request, now: DateTime<Utc>) -> Result<()> {
    let known = ctx.secrets.current().await?;
    let verified = match signed(request, &known, now) {
        // Any other refusal is the header's fault: no secret would mend it.
        Err(Refusal::Mismatch) => match ctx.secrets.renewed(&known).await {
            Some(renewed) => signed(request, &renewed, now),
            None => Err(Refusal::Mismatch),
        },
        verified => verified,
    };
    verified.map_err(|refusal| {
        ctx.metrics.count("webhook_signature_failures");
        warn!(reason = refusal.name(), address = %request.address(), "webhook refused: its signature does not verify");
        Error::Unauthenticated("the signature is missing, stale or wrong")
    })
}

fn signed(request: &Request, secrets: &Values, now: DateTime<Utc>) -> Result<(), Refusal> {
    let values = signature::HEADERS.iter().flat_map(|name| request.headers().get_all(*name));
    let values = values.map(|value| value.to_str().ok());
    signature::verify(values, request.body(), &secrets.terra_signing_secrets(), now)
}

/// Stores a delivery and its job.
async fn accept(ctx: &Context, request: &Request, now: DateTime<Utc>) -> Result<Accepted> {
    let unnamed = Unnamed::read(request, now)?;
    let stored = async {
        let received = unnamed.named(ctx);
        let (stored, job) = store(ctx, &received).await?;
        match stored {
            webhooks::Stored::Known { sha256, .. } if sha256 != unnamed.sha256() => {
                warn!(delivery_id = %received.delivery.id, "an id that another body came under before");
                let received = unnamed.named_apart(ctx);
                let (stored, job) = store(ctx, &received).await?;
                Ok((received, stored, job))
            }
            stored => Ok((received, stored, job)),
        }
    };
    let (received, stored, job) = within(STORE, stored).await?;
    let status = match (&stored, &received.job) {
        (webhooks::Stored::Known { .. }, _) => "duplicate",
        (webhooks::Stored::New, Some(_)) => "queued",
        (webhooks::Stored::New, None) => "ignored",
    };
    info!(delivery_id = %received.delivery.id, kind = received.delivery.kind, status, "delivery stored");
    Ok(Accepted { status, message: received.job.as_ref().zip(job).and_then(|(job, stored)| message(job, stored)) })
}

/// Both at once: a job without its delivery does nothing, and a delivery without its job was not accepted.
async fn store(ctx: &Context, received: &Received) -> Result<(webhooks::Stored, Option<job_rows::Stored>)> {
    let job = async {
        match &received.job {
            Some(job) => ctx.jobs.insert_within(job, STORE).await.map(Some),
            None => Ok(None),
        }
    };
    tokio::try_join!(ctx.webhooks.store(&received.delivery, STORE), job)
}

/// The message for a job, unless nothing would be done for it. One too many does no harm; one too few would have to wait
/// for the sweeper.
fn message(job: &NewJob, stored: job_rows::Stored) -> Option<Message> {
    let epoch = match stored {
        job_rows::Stored::New => 1,
        job_rows::Stored::Known { state: State::Queued | State::Running, epoch } => epoch,
        job_rows::Stored::Known { state: State::Done | State::Dead, .. } => return None,
    };
    Some(Message { job_id: job.id, epoch, job: None })
}

/// The SDK's own deadlines hold for each call; this one holds for all of it.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Error::unavailable("the delivery could not be stored in time, send it again", "deadline");
    timeout(limit, work).await.unwrap_or_else(|elapsed| Err(late(elapsed)))
}
