//! Writing down what became of the jobs that an invocation held.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use tracing::error;
use uuid::Uuid;

use super::{
    Failure, Leased, Tally,
    conclusion::{Ending, Standing, conclude},
    decision::{Decision, GRACE, decide},
    effect::{Effect, Outcome},
    intake::Held,
    report::{Ended, Report},
};
use crate::{
    Context,
    store::jobs::{Jobs, Lease, Settlement, Written},
};

/// A job whose work has ended.
pub(super) struct Worked<'a> {
    pub(super) held: Held<'a>,
    pub(super) operation_id: Option<Uuid>,
    pub(super) ending: Ending,
    pub(super) duration: Duration,
}

/// How the batch ended, for those jobs of which nobody said anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BatchEnd {
    Returned,
    TimeUp,
    Panicked,
}

impl Ending {
    pub(super) fn of(job: &Leased, end: BatchEnd) -> Self {
        let silent = |why: &str| Self::Settled(Err(Failure::transient(why.to_owned())));
        match (job.take(), end) {
            (Some(outcome), _) => Self::Settled(outcome),
            (None, BatchEnd::TimeUp) if !job.has_begun() => Self::NotBegun,
            (None, BatchEnd::TimeUp) => silent("its time was up"),
            (None, BatchEnd::Panicked) => silent("its batch panicked"),
            (None, BatchEnd::Returned) => silent("nobody said what became of it"),
        }
    }

    pub(super) fn settled(outcome: Result<Tally, Failure>) -> Self {
        Self::Settled(outcome)
    }
}

/// Writes what became of them until `by` at the latest, and says what becomes of their messages.
pub(super) async fn close<'a>(
    ctx: &Context,
    worked: Vec<Worked<'a>>,
    lease: &Lease,
    by: DateTime<Utc>,
    report: &mut Report,
) -> Vec<Outcome<'a>> {
    let now = ctx.clock.now();
    let concluded: Vec<_> = worked.into_iter().map(|worked| Concluded::of(worked, now)).collect();
    let settlements: Vec<_> = concluded.iter().map(|concluded| concluded.settlement.clone()).collect();
    let settled = join_all(settlements.chunks(Jobs::SETTLED_AT_ONCE).map(|settlements| {
        let settled = ctx.jobs.settle(settlements, lease, &ctx.control, now);
        settled_by(settled, settlements.len(), (by - now).to_std().unwrap_or_default())
    }));
    let settled = settled.await.concat();
    let mut outcomes = Vec::with_capacity(concluded.len());
    for (concluded, settled) in concluded.into_iter().zip(settled) {
        if settled == Some(Written::Done) {
            report.ended(&concluded.ended(now));
        }
        let effect = after(settled, &concluded, lease, now);
        outcomes.extend(concluded.held.records.into_iter().map(|record| (record, effect.clone())));
    }
    outcomes
}

/// What was written of each; nothing where that is not known.
async fn settled_by(
    settled: impl Future<Output = crate::Result<Vec<Written>>>,
    count: usize,
    left: Duration,
) -> Vec<Option<Written>> {
    match tokio::time::timeout(left, settled).await {
        Ok(Ok(settled)) => settled.into_iter().map(Some).collect(),
        Ok(Err(err)) => {
            error!(error = &err as &dyn std::error::Error, jobs = count, "what became of jobs is not written");
            vec![None; count]
        }
        Err(_) => {
            error!(jobs = count, "what became of jobs is not written: no time left");
            vec![None; count]
        }
    }
}

fn after(settled: Option<Written>, concluded: &Concluded<'_>, lease: &Lease, now: DateTime<Utc>) -> Effect {
    match settled {
        Some(Written::Done) => concluded.effect.clone(),
        // Another took it once the lease had run out: it is theirs.
        Some(Written::Lost(row)) => match decide(concluded.held.row.epoch, false, row.as_ref(), now) {
            Decision::Held(rest) | Decision::NotDue(rest) => Effect::BackIn(rest),
            Decision::Acknowledge | Decision::Unknown => Effect::Acknowledge,
            Decision::Take | Decision::GiveUp => Effect::BackIn(Duration::ZERO),
        },
        // The row stays as it is until the lease runs out; then the job is done again.
        Some(Written::Busy) | None => Effect::BackIn((lease.until - now + GRACE).to_std().unwrap_or_default()),
    }
}

struct Concluded<'a> {
    held: Held<'a>,
    operation_id: Option<Uuid>,
    duration: Duration,
    settlement: Settlement,
    effect: Effect,
}

impl<'a> Concluded<'a> {
    fn of(worked: Worked<'a>, now: DateTime<Utc>) -> Self {
        let Worked { held, operation_id, ending, duration } = worked;
        let standing = Standing { attempt: held.row.attempts + 1, crashes: held.crashes };
        let (change, effect) = conclude(standing, ending, now, rand::random_range(0.5..=1.0));
        let settlement = Settlement { id: held.row.id, kind: held.row.kind.clone(), change };
        Self { held, operation_id, duration, settlement, effect }
    }

    fn ended(&self, now: DateTime<Utc>) -> Ended<'_> {
        let sent_at = self.held.records.iter().filter_map(|record| record.sent_at).min();
        let Self { operation_id, duration, settlement, .. } = self;
        Ended { settlement, row: &self.held.row, operation_id: *operation_id, duration: *duration, sent_at, now }
    }
}
