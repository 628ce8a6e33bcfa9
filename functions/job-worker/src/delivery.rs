//! The deliveries that jobs work on.

use shared::{Context, ids::DeliveryId, jobs::Failure, store::webhooks::Delivery};

/// The delivery of a job.
pub async fn load(ctx: &Context, id: &DeliveryId) -> Result<Delivery, Failure> {
    let mut found = ctx.webhooks.read(std::slice::from_ref(id)).await?;
    Ok(found.remove(id).ok_or(NEVER_STORED)??)
}

/// Its job was stored and it was not: whoever sent it was told so, and sends it again.
pub const NEVER_STORED: Failure = Failure::Void("its delivery was never stored");
