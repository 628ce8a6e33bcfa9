//! Deliveries that waited for a connection are ingested.

use chrono::{DateTime, TimeDelta, Utc};
use shared::{
    Context,
    ids::{DeliveryId, JobId, derived},
    jobs::{self, Failure, Job, NewJob, Tally},
};

/// Deliveries that are released at once.
const PAGE: i32 = 25;
/// What releasing them may take.
const TIME_OF_A_PAGE: TimeDelta = TimeDelta::seconds(3);

/// Releases all deliveries of a Terra user who is bound now; what the time does not allow for, a further job does.
///
/// Each is ingested by a new job, and leaves quarantine only then: repeated after a crash, the same jobs are found. It is
/// no second go of the job that put it there, which has counted it.
pub async fn release(ctx: &Context, job: JobId, terra_user_id: &str, until: DateTime<Utc>) -> Result<Tally, Failure> {
    let (connection, ()) = ctx.connections.change(terra_user_id, |_| ()).await?;
    if connection.binding.is_none() {
        // They would only come back, and then no more: each is released once.
        return Ok(Tally::default());
    }
    loop {
        let deliveries = ctx.connections.quarantined(terra_user_id, PAGE).await?;
        if deliveries.is_empty() {
            return Ok(Tally::default());
        }
        let created_at = ctx.clock.now();
        if until - created_at < TIME_OF_A_PAGE {
            let id = JobId(derived("release_quarantine", &[&job.to_string()]));
            let job = Job::ReleaseQuarantine { terra_user_id: terra_user_id.to_owned() };
            jobs::submit(ctx, vec![NewJob { id, job, created_at }]).await?;
            return Ok(Tally::default());
        }
        let ingestion = deliveries.iter().map(|delivery| NewJob {
            id: ingestion_of(delivery),
            job: Job::TerraIngest { delivery_id: delivery.clone(), terra_user_id: terra_user_id.to_owned() },
            created_at,
        });
        jobs::submit(ctx, ingestion.collect()).await?;
        ctx.connections.release(terra_user_id, &deliveries).await?;
    }
}

/// The job that ingests a delivery that was in quarantine.
pub fn ingestion_of(delivery: &DeliveryId) -> JobId {
    JobId(derived("released", &[&delivery.0]))
}
