//! Binding Terra users to ours, and what a binding brings about.

use std::collections::BTreeSet;

use shared::{
    Context, Result,
    domain::connection::{Binding, Change, Claim, Connection},
    ids::JobId,
    ids::{DeliveryId, derived},
    jobs::{self, Job, NewJob},
    store::connections::{Known, Quarantined},
};
use tracing::warn;

/// Deliveries of measurements by one Terra user, each with whom it names.
pub struct Data<'a> {
    pub terra_user_id: &'a str,
    pub deliveries: Vec<(DeliveryId, Change)>,
}

/// Whose data it is: by the connection, or by the first of the deliveries that names one of our users. Where none does,
/// they are put into quarantine, and there is no binding.
pub async fn of_data(ctx: &Context, known: Option<Known>, data: &Data<'_>) -> Result<Option<Binding>> {
    let known = known.unwrap_or_else(|| Known::nothing_of(data.terra_user_id));
    let names_someone = data.deliveries.iter().any(|(_, change)| change.names.is_some());
    if known.connection.binding.is_none() && !names_someone {
        let ids: Vec<_> = data.deliveries.iter().map(|(id, _)| id.clone()).collect();
        return match ctx.connections.quarantine(data.terra_user_id, &ids, ctx.clock.now()).await? {
            Quarantined::Waiting => Ok(None),
            Quarantined::Bound => Ok(ctx.connections.change(data.terra_user_id, |_| ()).await?.0.binding),
        };
    }
    let claims = |connection: &mut Connection| -> Vec<Claim> {
        data.deliveries.iter().map(|(_, change)| connection.apply(change)).collect()
    };
    let (connection, claims) = ctx.connections.change_known(known, claims).await?;
    for ((delivery, _), _) in data.deliveries.iter().zip(claims).filter(|(_, claim)| *claim == Claim::Refused) {
        conflict(ctx, data.terra_user_id, delivery);
    }
    let binding = connection.binding;
    if let Some((delivery, _)) = data.deliveries.first().filter(|_| connection.unspread) {
        spread(ctx, connection, delivery).await?;
    }
    Ok(binding)
}

/// Has a binding reach the Terra users who are the same person, and what waits of them all in quarantine. `by` is the
/// delivery that brought it about.
///
/// A crash on the way loses nothing: the connection that it starts from is the last to be marked as done with, and until then
/// whoever comes upon it begins again.
pub async fn spread(ctx: &Context, start: Connection, by: &DeliveryId) -> Result<()> {
    let mut seen = BTreeSet::from([start.terra_user_id.clone()]);
    let mut reached = vec![start];
    let mut at = 0;
    while let Some(connection) = reached.get(at).cloned() {
        at += 1;
        for linked in connection.linked().filter(|id| seen.insert((*id).clone())) {
            let (neighbour, claim) = ctx.connections.change(linked, |neighbour| neighbour.adopt(&connection)).await?;
            if claim == Claim::Refused {
                conflict(ctx, linked, by);
            } else if neighbour.unspread {
                reached.push(neighbour);
            }
        }
    }
    for connection in reached.iter().rev() {
        if connection.waiting {
            jobs::submit(ctx, vec![release(ctx, &connection.terra_user_id, by)]).await?;
        }
        ctx.connections.change(&connection.terra_user_id, Connection::spread).await?;
    }
    Ok(())
}

/// The job that has ingested what waits. The same for the same binding: a second attempt finds the first one's.
fn release(ctx: &Context, terra_user_id: &str, by: &DeliveryId) -> NewJob {
    NewJob {
        id: JobId(derived("release_quarantine", &[terra_user_id, &by.0])),
        job: Job::ReleaseQuarantine { terra_user_id: terra_user_id.to_owned() },
        created_at: ctx.clock.now(),
    }
}

/// Somebody's data would have become somebody else's.
pub fn conflict(ctx: &Context, terra_user_id: &str, delivery: &DeliveryId) {
    warn!(
        security_event = "connection_conflict",
        terra_user_id,
        delivery_id = %delivery,
        "a delivery names another user than the one that the connection is bound to; the connection stays as it is"
    );
    ctx.metrics.count("connection_conflicts");
}
