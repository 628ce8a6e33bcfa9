//! A large delivery is brought into our own bucket, and from there into its job.

use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use shared::{
    Context,
    domain::terra::{Event, Handling},
    ids::DeliveryId,
    jobs::{self, Failure, Job, Leased, NewJob, Tally},
    provider::terra::{self, NAME, Payload, permitted},
    store::{
        objects::sha256_hex,
        webhooks::{Delivery, NewDelivery, Stored},
    },
};
use tracing::warn;

use crate::{WEBHOOK, delivery::load};

/// A link lives for about ten minutes: after this, asking is in vain.
const LIVES_FOR: TimeDelta = TimeDelta::minutes(8);
/// Between the five attempts, so that all of them lie within the link's life.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(45), Duration::from_secs(120)];
/// Of the body's `type`, as it is stored.
const LONGEST_KIND: usize = 64;
/// What the ids of fetched bodies end with.
const SUFFIX: &str = ".payload";
/// To store the body: it may be 32 MiB.
const TO_STORE: Duration = Duration::from_secs(8);

/// Fetches what the delivery points to, stores it as a delivery of its own that is as old as this one, and has it worked on.
pub async fn fetch(ctx: &Context, leased: &Leased, id: &DeliveryId) -> Result<Tally, Failure> {
    let ping = load(ctx, id).await?;
    let event = Event::parse(&ping.body).map_err(|invalid| Failure::permanent(invalid.to_string()))?;
    let link = event.url.ok_or_else(|| Failure::permanent("/url is required"))?;
    let url = permitted(&link, &ctx.config.terra.payload_hosts).map_err(|why| Failure::permanent(why.to_string()))?;
    // Who asks for a retry knows more, or the link was made to live again.
    if !leased.retried && ctx.clock.now() - ping.received_at > LIVES_FOR {
        return Err(expired(ctx, "it is too late"));
    }
    let gate = ctx.breakers.gate(NAME).await;
    match terra::fetch(ctx, &gate, &url).await {
        Ok(Payload::Body(body)) => keep(ctx, &ping, body).await,
        Ok(Payload::Gone(status)) => Err(expired(ctx, &format!("status {status}"))),
        Ok(Payload::TooLarge) => Err(Failure::permanent("the delivery is too large")),
        Err(err) => Err(soon(leased, err)),
    }
}

/// Whether a delivery was fetched, and so may be larger than any that was pushed.
pub fn was_fetched(id: &DeliveryId) -> bool {
    id.0.ends_with(SUFFIX)
}

fn expired(ctx: &Context, why: &str) -> Failure {
    ctx.metrics.count("large_deliveries_expired");
    Failure::permanent(format!("the link to the delivery has expired: {why}"))
}

/// Again, before the link expires.
fn soon(leased: &Leased, err: shared::Error) -> Failure {
    let failed = usize::try_from(leased.attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    Failure::Transient { cause: err.into(), after: PAUSES.get(failed).copied() }
}

/// Stores the body and has it worked on. The webhook counts as done when that is done.
async fn keep(ctx: &Context, ping: &Delivery, body: Bytes) -> Result<Tally, Failure> {
    let id = DeliveryId(format!("{}{SUFFIX}", ping.id));
    let event = Event::parse(&body);
    let (kind, user) = event.as_ref().map(|event| (event.kind.clone(), event.user.clone())).unwrap_or_default();
    let terra_user_id = user.map(|user| user.user_id);
    let delivery = NewDelivery {
        id: id.clone(),
        kind: kind.chars().take(LONGEST_KIND).collect(),
        terra_user_id: terra_user_id.clone(),
        body: body.clone(),
        sha256: sha256_hex(&body),
        received_at: ping.received_at,
        as_of: ping.as_of.clone(),
        receipt: ctx.ids.uuid(),
    };
    if let Stored::Known { sha256, .. } = ctx.webhooks.store(&delivery, TO_STORE).await?
        && sha256 != delivery.sha256
    {
        warn!(delivery_id = %id, "a large delivery was fetched twice and was not the same; the first stays");
    }
    let job = match event.map_err(|invalid| Failure::permanent(invalid.to_string()))?.handling {
        Handling::Ingest(_) => {
            Job::TerraIngest { delivery_id: id.clone(), terra_user_id: terra_user_id.unwrap_or_default() }
        }
        Handling::Connect(_) => Job::TerraConnection { delivery_id: id.clone() },
        Handling::Fetch => return Err(Failure::permanent("a large delivery that points to another one")),
        Handling::Record | Handling::Unknown => return Ok(WEBHOOK),
    };
    jobs::submit(ctx, vec![NewJob { id: job.id_of_delivery(&id), job, created_at: ctx.clock.now() }]).await?;
    Ok(Tally::default())
}
