//! What a user event changes.

use shared::{
    Context,
    domain::{
        connection::{Change, Claim},
        terra::{Event, Handling},
    },
    ids::DeliveryId,
    jobs::{Failure, Tally},
};

use crate::{WEBHOOK, binding, delivery};

/// Changes the connection, or the two of a reauthentication, as the event says.
pub async fn change(ctx: &Context, id: &DeliveryId) -> Result<Tally, Failure> {
    let delivery = delivery::load(ctx, id).await?;
    let event = Event::parse(&delivery.body).map_err(|invalid| Failure::permanent(invalid.to_string()))?;
    let (Handling::Connect(kind), Some(user)) = (event.handling, &event.user) else {
        // An authentication that did not come about.
        return Ok(WEBHOOK);
    };
    let mut changed = Vec::new();
    for change in Change::of_event(kind, user, event.old_user.as_ref(), &delivery.as_of) {
        let (connection, claim) =
            ctx.connections.change(&change.terra_user_id, |connection| connection.apply(&change)).await?;
        if claim == Claim::Refused {
            binding::conflict(ctx, &change.terra_user_id, id);
        }
        changed.push(connection);
    }
    // Only now, with the links of both in place: a binding that comes meanwhile finds them.
    for connection in changed.into_iter().filter(|connection| connection.unspread) {
        binding::spread(ctx, connection, id).await?;
    }
    Ok(WEBHOOK)
}
