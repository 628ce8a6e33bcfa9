//! Working out anew what users' metrics say at the moment: from the observations that are kept, by today's rules.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use shared::{
    Context, Result,
    domain::metric::Latest,
    ids::{JobId, UserId, derived},
    jobs::{self, Failure, Job, NewJob, Tally},
    store::metrics::{LatestKey, LatestWrite, Segment, Written},
};
use tracing::info;
use uuid::Uuid;

/// Attempts while the user's metrics are being written.
const ATTEMPTS: u32 = 6;
/// Rows that are written at the same time.
const AT_ONCE: usize = 8;

/// One user's latest metrics. What says the same as before is left alone, and what nothing stands behind goes.
pub async fn of_user(ctx: &Context, user: UserId) -> Result<Tally, Failure> {
    for _ in 0..ATTEMPTS {
        let changes = changes(ctx, user).await?;
        // Each by itself: a metric that is being written keeps no other from being put right.
        let written = stream::iter(changes).map(async |change| {
            let segment = Segment { latest: vec![change], ..Segment::new(user) };
            ctx.health.write(&[&segment]).await
        });
        let written: Vec<_> = written.buffer_unordered(AT_ONCE).try_collect().await?;
        if written.iter().all(|written| *written == Written::Done) {
            return Ok(Tally::default());
        }
    }
    Err(Failure::transient("the user's metrics are being written by others"))
}

async fn changes(ctx: &Context, user: UserId) -> Result<Vec<LatestWrite>> {
    // In this order: whoever writes an observation after it was missed here moves the version that was read before.
    let kept = ctx.health.all_latest(user).await?;
    let mut made: BTreeMap<LatestKey, Latest> = kept.keys().map(|key| (*key, Latest::new(key.metric))).collect();
    ctx.health
        .all_rows(user, |row| {
            let latest = made.entry(row.key.latest()).or_insert_with_key(|key| Latest::new(key.metric));
            // Nothing can be lacking: each row is offered once.
            let _ = latest.offer(&row.key.sk(), &row.observation, &row.as_of);
        })
        .await?;
    let writes = made.into_iter().map(|(key, latest)| {
        let read = kept.get(&key).map(|kept| kept.version);
        LatestWrite { key, latest, read, version: ctx.ids.uuid() }
    });
    let as_kept = |write: &LatestWrite| match kept.get(&write.key) {
        Some(kept) => !write.says_nothing() && kept.says(&write.latest),
        None => write.says_nothing(),
    };
    Ok(writes.filter(|write| !as_kept(write)).collect())
}

/// Has it done for one user; or for all users of a page of connections, and then for the next page.
pub async fn spread(
    ctx: &Context,
    operation_id: Uuid,
    user: Option<UserId>,
    cursor: Option<&str>,
) -> Result<Tally, Failure> {
    let page = match user {
        Some(user) => shared::store::connections::Page { users: BTreeSet::from([user]), cursor: None },
        None => ctx.connections.users(cursor).await?,
    };
    let created_at = ctx.clock.now();
    let operation = operation_id.to_string();
    let users = page.users.into_iter().map(|user_id| NewJob {
        // A user with several connections is met on several pages, and done once.
        id: JobId(derived("confidence_score", &[&operation, &user_id.to_string()])),
        job: Job::ConfidenceScore { user_id, operation_id },
        created_at,
    });
    let next = page.cursor.map(|cursor| NewJob {
        id: JobId(derived("recalculate_metrics", &[&operation, &cursor])),
        job: Job::RecalculateMetrics { operation_id, user_id: None, cursor: Some(cursor) },
        created_at,
    });
    let more = next.is_some();
    let jobs: Vec<_> = users.chain(next).collect();
    info!(%operation_id, jobs = jobs.len(), more, "recalculation goes on");
    jobs::submit(ctx, jobs).await?;
    Ok(Tally::default())
}
