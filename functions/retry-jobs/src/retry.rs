//! From the list of dead jobs back to the queue.
//!
//! A job is queued anew by a conditional write, then sent: of two callers at once each job is one's alone, and what one did not
//! come to send the sweeper sends.

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use shared::{
    Context, Result, jobs,
    store::jobs::{DeadJob, Position},
};
use tracing::info;

use crate::wish::Wish;

/// Revived, then sent, before the next.
const PORTION: usize = 100;
const CONCURRENCY: usize = 32;
/// What a call takes where nothing says when it ends.
const TIME: TimeDelta = TimeDelta::seconds(7);
/// Kept for the portion under way and the answer.
const MARGIN: TimeDelta = TimeDelta::seconds(3);

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    pub retried: u64,
    /// Dead jobs of these types that this call did not get to.
    pub remaining: u64,
}

/// Retries dead jobs, the longest dead of each type first, until there are as many as wished for, none is left, or time is.
pub async fn retry(ctx: &Context, wish: &Wish, deadline: Option<DateTime<Utc>>) -> Result<Retry> {
    let now = ctx.clock.now();
    let until = deadline.map_or(now + TIME, |deadline| deadline - MARGIN);
    let dead = ctx.jobs.count_dead(&wish.kinds).await?;
    let (mut retried, mut looked_at) = (0, 0);
    for kind in &wish.kinds {
        let mut after: Option<Position> = None;
        while retried < wish.limit && ctx.clock.now() < until {
            let portion = PORTION.min(wish.limit - retried);
            let page = ctx.jobs.dead(kind, after.as_ref(), portion, false).await?;
            // A job that dies again meanwhile is at the list's end again: it had its go.
            let jobs: Vec<_> = page.jobs.into_iter().filter(|job| job.failed_at < now).collect();
            looked_at += jobs.len();
            retried += revive(ctx, &jobs, now).await?;
            after = page.next;
            if after.is_none() || jobs.is_empty() {
                break;
            }
        }
    }
    let retry = Retry { retried: retried as u64, remaining: dead.saturating_sub(looked_at as u64) };
    info!(retried = retry.retried, remaining = retry.remaining, "jobs retried");
    Ok(retry)
}

/// How many of them are now queued by this call, and sent.
async fn revive(ctx: &Context, dead: &[DeadJob], now: DateTime<Utc>) -> Result<usize> {
    let revivals: Vec<_> = dead.iter().map(|job| ctx.jobs.revive(job, now)).collect();
    let revived: Vec<_> = stream::iter(revivals).buffer_unordered(CONCURRENCY).try_collect().await?;
    let messages: Vec<_> = revived.into_iter().flatten().collect();
    jobs::send(ctx, &messages).await?;
    Ok(messages.len())
}
