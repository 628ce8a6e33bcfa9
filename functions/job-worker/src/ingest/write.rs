//! Writing what the deliveries of a batch say, user by user.
//!
//! What is known of all users is read at once, and what little each of them needs shares transactions. Where somebody else
//! was first, or it is too much for one transaction, a user is written alone: read, worked out and written again.

use std::time::Duration;

use futures::{
    StreamExt,
    future::{join_all, try_join_all},
    stream,
};
use shared::{
    Context, Error, Result,
    jobs::Failure,
    store::metrics::{MOST_WRITES, Segment, Written},
};

use super::{
    Group, causes,
    draft::{Draft, Mine, oversize},
    standing::read,
};

/// Transactions, or users that are written alone, at the same time.
const AT_ONCE: usize = 8;
/// Attempts to write a user's deliveries while others write to the same rows.
const ATTEMPTS: u32 = 6;
/// Before the second attempt; doubled for each further one, and cut short by up to half.
const FIRST_PAUSE: Duration = Duration::from_millis(15);

/// Writes what each group says, and settles its jobs.
pub async fn all(ctx: &Context, groups: Vec<Group<'_>>) {
    let minds = match read(ctx, &groups).await {
        Ok(minds) => minds,
        Err(err) => return groups.iter().for_each(|group| fail(group, &err)),
    };
    let drafted = groups.into_iter().zip(&minds).map(async |(group, mine)| {
        let segment = together(ctx, &group, mine).await;
        (group, segment)
    });
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for (group, segment) in join_all(drafted).await {
        match segment {
            Ok(Some(segment)) => small.push((group, segment)),
            Ok(None) => large.push(group),
            Err(err) => fail(&group, &err),
        }
    }
    let written = stream::iter(packs(small)).map(|pack| shared(ctx, pack)).buffer_unordered(AT_ONCE);
    let left: Vec<_> = written.concat().await.into_iter().chain(large).collect();
    stream::iter(left).for_each_concurrent(AT_ONCE, |group| alone(ctx, group)).await;
}

/// All that the group says, if one transaction takes it.
async fn together(ctx: &Context, group: &Group<'_>, mine: &Mine) -> Result<Option<Segment>> {
    let mut draft = Draft::new(group.user);
    for version in group.newest().filter(|version| mine.is_news(version)) {
        if !draft.take(mine, version) {
            return Ok(None);
        }
    }
    finish(ctx, group, mine, draft).await.map(Some)
}

/// What the draft comes to, with the latest values that it could not tell by itself.
async fn finish(ctx: &Context, group: &Group<'_>, mine: &Mine, mut draft: Draft) -> Result<Segment> {
    let rows = draft.lacking().map(async |key| {
        let mut rows = Vec::new();
        ctx.health.rows(group.user, key, |row| rows.push(row)).await?;
        Ok::<_, Error>((key, rows))
    });
    for (key, rows) in try_join_all(rows).await? {
        draft.rebuild(key, rows);
    }
    Ok(draft.finish(mine))
}

/// Groups that share a transaction.
type Pack<'a> = Vec<(Group<'a>, Segment)>;

fn packs(groups: Vec<(Group<'_>, Segment)>) -> Vec<Pack<'_>> {
    let mut packs: Vec<Pack<'_>> = Vec::new();
    let mut room = 0;
    for (group, segment) in groups {
        match packs.last_mut() {
            Some(pack) if segment.len() <= room => {
                room -= segment.len();
                pack.push((group, segment));
            }
            _ => {
                room = MOST_WRITES.saturating_sub(segment.len());
                packs.push(vec![(group, segment)]);
            }
        }
    }
    packs
}

/// Writes groups in one transaction; gives back those that have to be written alone.
async fn shared<'a>(ctx: &Context, pack: Pack<'a>) -> Vec<Group<'a>> {
    let segments: Vec<_> = pack.iter().map(|(_, segment)| segment).collect();
    let written = ctx.health.write(&segments).await;
    let groups = pack.into_iter().map(|(group, _)| group);
    match written {
        Ok(Written::Done) => groups.for_each(|group| group.done()),
        Ok(Written::Conflict | Written::Refused) => {
            ctx.metrics.count("ingest_conflicts");
            return groups.collect();
        }
        Err(err) => groups.for_each(|group| fail(&group, &err)),
    }
    Vec::new()
}

/// Writes a group by itself; one delivery after the other where the database refuses what one of them says.
async fn alone(ctx: &Context, group: Group<'_>) {
    match attempts(ctx, &group).await {
        Ok(Written::Refused) if group.shares.len() > 1 => {
            for part in group.apart() {
                settle(&part, attempts(ctx, &part).await);
            }
        }
        outcome => settle(&group, outcome),
    }
}

fn settle(group: &Group<'_>, outcome: Result<Written>) {
    match outcome {
        Ok(Written::Done) => group.done(),
        Ok(Written::Conflict) => group.failed(|| Failure::transient("the user's metrics are being written by others")),
        Ok(Written::Refused) => group.failed(|| Failure::permanent("the database refuses what the delivery says")),
        Err(err) => fail(group, &err),
    }
}

fn fail(group: &Group<'_>, err: &Error) {
    let causes = causes(err);
    group.failed(|| Failure::transient(causes.clone()));
}

async fn attempts(ctx: &Context, group: &Group<'_>) -> Result<Written> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        let written = pass(ctx, group).await?;
        if written != Written::Conflict {
            return Ok(written);
        }
        ctx.metrics.count("ingest_conflicts");
        tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
        pause *= 2;
    }
    pass(ctx, group).await
}

/// Writes a group in as many transactions as it takes. No document is torn from the latest values that it changes, and
/// those that were written stay so, whatever becomes of the rest.
async fn pass(ctx: &Context, group: &Group<'_>) -> Result<Written> {
    let mut mine = read(ctx, std::slice::from_ref(group)).await?.pop().unwrap_or_default();
    let mut draft = Draft::new(group.user);
    for version in group.newest() {
        if !mine.is_news(version) || draft.take(&mine, version) {
            continue;
        }
        let full = std::mem::replace(&mut draft, Draft::new(group.user));
        let written = write(ctx, group, &mut mine, full).await?;
        if written != Written::Done {
            return Ok(written);
        }
        if draft.take(&mine, version) {
            continue;
        }
        let (rows, last) = oversize(group.user, &mine, version);
        for segment in rows {
            let written = ctx.health.write(&[&segment]).await?;
            if written != Written::Done {
                return Ok(written);
            }
        }
        let written = write(ctx, group, &mut mine, last).await?;
        if written != Written::Done {
            return Ok(written);
        }
    }
    write(ctx, group, &mut mine, draft).await
}

async fn write(ctx: &Context, group: &Group<'_>, mine: &mut Mine, draft: Draft) -> Result<Written> {
    let segment = finish(ctx, group, mine, draft).await?;
    let written = ctx.health.write(&[&segment]).await?;
    if written == Written::Done {
        mine.learn(segment);
    }
    Ok(written)
}
