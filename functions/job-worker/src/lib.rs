//! The worker behind the queue: what each job does, and what comes by schedule.

use futures::{StreamExt, stream};
use serde_json::Value;
use shared::{
    Context, Error, Result,
    jobs::{self, Batch, Failure, Job, Leased, Tally},
};
use tracing::error;

mod binding;
mod connection;
mod delivery;
mod fleet_totals;
mod ingest;
mod large_delivery;
mod quarantine;
mod recalculation;
mod stale_sessions;

/// Jobs that are done at the same time, each by itself.
const AT_ONCE: usize = 16;
/// Large deliveries that are fetched at the same time: each is held whole. They are ingested one after the other.
const LARGE_AT_ONCE: usize = 2;

/// A webhook that is done with, and nothing scored.
const WEBHOOK: Tally = Tally { scored: 0, confident: 0, confidence_tenths: 0, webhooks: 1 };

/// Does the jobs of a batch: data events together, so that what many of them read is read at once, and every other job
/// by itself. What goes wrong in one is no other's.
pub async fn perform(ctx: &Context, batch: &Batch) {
    let (mut data, mut large, mut fetches, mut others) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for leased in &batch.jobs {
        match &leased.job {
            Job::TerraIngest { delivery_id, .. } if large_delivery::was_fetched(delivery_id) => large.push(leased),
            Job::TerraIngest { .. } => data.push(leased),
            Job::FetchLargeDelivery { .. } => fetches.push(leased),
            _ => others.push(leased),
        }
    }
    let alone = |jobs, at_once| {
        // On the heap: all that they wait for, one in the other, is more than a stack or the compiler likes to hold.
        stream::iter(jobs).for_each_concurrent(at_once, |leased: &Leased| leased.run(Box::pin(one(ctx, batch, leased))))
    };
    let data = async {
        Box::pin(ingest::all(ctx, &data)).await;
        for leased in &large {
            Box::pin(ingest::all(ctx, std::slice::from_ref(leased))).await;
        }
    };
    tokio::join!(data, alone(others, AT_ONCE), alone(fetches, LARGE_AT_ONCE));
}

async fn one(ctx: &Context, batch: &Batch, leased: &Leased) -> Result<Tally, Failure> {
    match &leased.job {
        Job::TerraIngest { .. } => Err(Failure::permanent("a data event is ingested with its batch")),
        Job::TerraConnection { delivery_id } => connection::change(ctx, delivery_id).await,
        Job::FetchLargeDelivery { delivery_id } => large_delivery::fetch(ctx, leased, delivery_id).await,
        Job::ReleaseQuarantine { terra_user_id } => {
            quarantine::release(ctx, leased.id, terra_user_id, batch.until).await
        }
        Job::ConfidenceScore { user_id, .. } => recalculation::of_user(ctx, *user_id).await,
        Job::RecalculateMetrics { operation_id, user_id, cursor } => {
            recalculation::spread(ctx, *operation_id, *user_id, cursor.as_deref()).await
        }
        Job::EndStaleSessions => Ok(stale_sessions::end(ctx).await.map(|()| Tally::default())?),
    }
}

/// What comes by schedule: `{"schedule":"…"}`.
pub async fn scheduled(ctx: &Context, event: &Value) -> Result<()> {
    match event["schedule"].as_str() {
        Some("sweep_jobs") => jobs::sweep(ctx).await,
        // Done here and now: what it leaves undone, the next one does.
        Some("end_stale_sessions") => stale_sessions::end(ctx).await,
        Some("reconcile_fleets") => fleet_totals::reconcile(ctx).await,
        name => {
            error!(schedule = name, "an event that is neither a batch of messages nor a known schedule");
            Err(Error::internal("an event that is neither a batch of messages nor a known schedule"))
        }
    }
}
