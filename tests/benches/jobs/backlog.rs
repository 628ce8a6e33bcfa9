//! Fills the queue as webhook-terra does, past HTTP, where no sender may send so much in a minute.

use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use local::{Stack, terra::Webhook};
use shared::{
    Context,
    domain::metric::AsOf,
    ids::DeliveryId,
    jobs::{self, Job, NewJob},
    store::{objects::sha256_hex, webhooks::NewDelivery},
};

use super::{deliveries::Deliveries, stored};

/// Webhooks that are stored at once.
const AT_ONCE: usize = 16;
const JOBS_AT_ONCE: usize = 100;
const DEADLINE: Duration = Duration::from_secs(10);

/// Stores all webhooks with their jobs, and puts these on the queue.
pub async fn fill(stack: &Stack, deliveries: &Deliveries) -> Duration {
    let started = Instant::now();
    let ctx = stored::context(stack);
    let numbers: Vec<usize> = (0..deliveries.len()).collect();
    for numbers in numbers.chunks(JOBS_AT_ONCE) {
        let received = stream::iter(numbers).map(|n| store(&ctx, deliveries.get(*n)));
        let new: Vec<NewJob> = received.buffered(AT_ONCE).try_collect().await.unwrap();
        jobs::submit(&ctx, new).await.unwrap();
    }
    let counts = stack.queue_counts("JobQueue").await.unwrap();
    assert_eq!(counts.visible, i64::try_from(deliveries.len()).unwrap(), "{counts:?}");
    started.elapsed()
}

async fn store(ctx: &Context, webhook: Webhook) -> shared::Result<NewJob> {
    let id = DeliveryId(webhook.trace_id.unwrap());
    let body: serde_json::Value = serde_json::from_slice(&webhook.body).unwrap();
    let terra_user_id = body["user"]["user_id"].as_str().unwrap().to_owned();
    let now = ctx.clock.now();
    let at = webhook.ordered_at.and_then(DateTime::<Utc>::from_timestamp_millis).unwrap();
    let delivery = NewDelivery {
        kind: body["type"].as_str().unwrap().to_owned(),
        terra_user_id: Some(terra_user_id.clone()),
        sha256: sha256_hex(&webhook.body),
        body: Bytes::from_owner(webhook.body),
        received_at: now,
        as_of: AsOf::new(at, &id),
        receipt: ctx.ids.uuid(),
        id: id.clone(),
    };
    ctx.webhooks.store(&delivery, DEADLINE).await?;
    let job = Job::TerraIngest { delivery_id: id.clone(), terra_user_id };
    Ok(NewJob { id: job.id_of_delivery(&id), job, created_at: now })
}
