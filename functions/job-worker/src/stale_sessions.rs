//! Sessions that nobody ended are ended.

use futures::{StreamExt, stream};
use shared::{
    Context, Error, Result,
    domain::session::{End, EndReason, IDLE_LIMIT},
    ids::SessionId,
    store::sessions::{Ending, Written},
};
use tracing::{error, info};

/// Sessions that are looked at at the same time.
const AT_ONCE: usize = 8;

/// Ends every session that has shown no frame for [`IDLE_LIMIT`], with the statistics that its shots come to. One that
/// can't be ended keeps no other from it; whoever asks for a report of it has it drawn then.
pub async fn end(ctx: &Context) -> Result<()> {
    let sessions = ctx.sessions.started_before(ctx.clock.now() - IDLE_LIMIT).await?;
    let ended = stream::iter(sessions).map(async |id| (id, end_one(ctx, id).await)).buffer_unordered(AT_ONCE);
    let mut last = Ok(());
    for (id, outcome) in ended.collect::<Vec<_>>().await {
        match outcome {
            Ok(false) => {}
            Ok(true) => info!(session_id = %id, "session ended, nobody did"),
            Err(err) => {
                error!(error = &err as &dyn std::error::Error, session_id = %id, "stale session not ended");
                last = Err(err);
            }
        }
    }
    last
}

async fn end_one(ctx: &Context, id: SessionId) -> Result<bool, Error> {
    let Some(loaded) = ctx.sessions.load(id).await? else { return Ok(false) };
    let now = ctx.clock.now();
    if !loaded.session.is_abandoned(now) {
        return Ok(false);
    }
    let ending = Ending::of(&loaded, End { at: now, reason: EndReason::Timeout });
    // A conflict is a frame, or an end of its owner's: in either case it is not abandoned.
    Ok(ctx.sessions.end(&loaded.session, &ending).await? == Written::Done)
}
