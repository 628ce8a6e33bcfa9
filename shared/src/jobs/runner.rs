//! From a batch of messages to jobs that are done, dead, or back on the queue.
//!
//! read their rows → take what is to be done under one lease → do it together → write down what became of it → tell SQS what
//! is to come back. Between any two of these the worker may vanish: the row then says what is left to do, and its message
//! comes back by itself.

use std::{panic::AssertUnwindSafe, time::Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, future::join_all};
use serde::Serialize;
use serde_json::Value;
use tracing::warn;

use super::{
    Leased,
    closing::{BatchEnd, Worked, close},
    conclusion::Ending,
    dead_letters,
    effect::{Outcome, apply},
    intake::{Held, Intake, Task},
    record::{Record, records, source},
    report::Report,
};
use crate::{Context, store::jobs::Lease, telemetry::InvocationRecord};

/// The jobs of one invocation that this worker holds the leases of.
#[derive(Debug)]
pub struct Batch {
    pub jobs: Vec<Leased>,
    /// Until then what is being done should be done.
    pub until: DateTime<Utc>,
}

/// What SQS' event source mapping is told: which messages are to come back.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<ItemFailure>,
}

/// A message that comes back.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ItemFailure {
    #[serde(rename = "itemIdentifier")]
    pub message_id: String,
}

/// Messages that are worked on together, from their leases to what they came to; what a batch has beyond waits. A worker that dies,
/// or whose time is up, takes no more than these along.
const TOGETHER: usize = 16;
/// Kept of an invocation's time for writing down what it came to; of a short one a quarter.
const MARGIN: TimeDelta = TimeDelta::milliseconds(1_500);
/// A lease outlives its invocation by this, so that nobody takes a job from a worker that is still writing.
const LEASE_BEYOND: TimeDelta = TimeDelta::seconds(2);

/// An invocation's time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    deadline: DateTime<Utc>,
    /// Work ends.
    pub(super) until: DateTime<Utc>,
    /// What the jobs came to is written.
    written: DateTime<Utc>,
    /// SQS has been told.
    told: DateTime<Utc>,
    latest_start: DateTime<Utc>,
}

impl Times {
    pub(super) fn of(now: DateTime<Utc>, deadline: DateTime<Utc>) -> Self {
        let margin = MARGIN.min((deadline - now) / 4).max(TimeDelta::zero());
        let until = deadline - margin;
        Self {
            deadline,
            until,
            written: until + margin * 2 / 3,
            told: until + margin * 9 / 10,
            latest_start: until - margin,
        }
    }
}

/// Runs one batch, an event of SQS as Lambda hands it over, that has to be done by `deadline`.
pub async fn respond<P>(ctx: &Context, perform: &P, event: Value, deadline: DateTime<Utc>) -> Answer
where
    P: AsyncFn(&Context, &Batch),
{
    let records = records(&event, &ctx.config.job_dead_letter_queue_url).unwrap_or_default();
    run(ctx, perform, &records, deadline, "").await
}

/// Runs one batch, and leaves one closing log line and its metrics.
pub(super) async fn run<P>(
    ctx: &Context,
    perform: &P,
    records: &[Record],
    deadline: DateTime<Utc>,
    request_id: &str,
) -> Answer
where
    P: AsyncFn(&Context, &Batch),
{
    let started = Instant::now();
    let times = Times::of(ctx.clock.now(), deadline);
    let (letters, messages): (Vec<_>, Vec<_>) = records.iter().partition(|record| record.is_dead_letter);
    let mut of_letters = Report::default();
    let ((mut outcomes, mut report), buried, ()) = futures::join!(
        work(ctx, perform, &messages, times),
        dead_letters::receive(ctx, &letters, &mut of_letters),
        beat(ctx, &messages),
    );
    outcomes.extend(buried);
    report.add(of_letters);
    let answer = apply(ctx, outcomes, times.told).await;
    let (duration, failed, messages) = (started.elapsed(), report.broken, records.len());
    if report.scored > 0 {
        ctx.metrics.count_many("metrics_scored", report.scored);
        ctx.metrics.count_many("metrics_low_confidence", report.scored - report.confident);
        ctx.metrics.count_many("metrics_confidence_tenths", report.confidence_tenths);
    }
    let record = InvocationRecord {
        source: source(records),
        request_id,
        messages: messages as u64,
        failed,
        duration,
        cold_start: ctx.metrics.cold_start(),
    };
    ctx.metrics.invocation(record, report.close(messages, duration));
    answer
}

/// Does what is to be done, and says what becomes of each message.
async fn work<'a, P>(ctx: &Context, perform: &P, messages: &[&'a Record], times: Times) -> (Vec<Outcome<'a>>, Report)
where
    P: AsyncFn(&Context, &Batch),
{
    let lease = Lease { token: ctx.ids.uuid(), until: times.deadline + LEASE_BEYOND };
    let (outcomes, report) = (Vec::with_capacity(messages.len()), Report::default());
    let mut intake = Intake { ctx, lease, latest_start: times.latest_start, outcomes, report };
    for portion in messages.chunks(TOGETHER) {
        let held = intake.take(portion).await;
        if !held.is_empty() {
            let worked = work_on(ctx, perform, held, times.until).await;
            let closed = close(ctx, worked, &lease, times.written, &mut intake.report).await;
            intake.outcomes.extend(closed);
        }
    }
    (intake.outcomes, intake.report)
}

/// Does all jobs together; the few that are not for the worker beside them.
async fn work_on<'a, P>(ctx: &Context, perform: &P, held: Vec<Held<'a>>, until: DateTime<Utc>) -> Vec<Worked<'a>>
where
    P: AsyncFn(&Context, &Batch),
{
    let started = Instant::now();
    let (mut jobs, mut others, mut leased) = (Vec::new(), Vec::new(), Vec::new());
    for mut held in held {
        match std::mem::replace(&mut held.task, Task::Unparsable) {
            Task::Job(job) => {
                let Held { row, .. } = &held;
                let attempt = row.attempts + 1;
                leased.push(Leased::new(row.id, job, row.epoch, attempt, row.created_at, row.retried_at.is_some()));
                jobs.push(held);
            }
            task => others.push((held, task)),
        }
    }
    let batch = Batch { jobs: leased, until };
    let (end, others) = futures::join!(
        perform_until(ctx, perform, &batch),
        join_all(others.into_iter().map(async |(held, task)| {
            let outcome = match task {
                Task::Unreadable(why) => Err(super::Failure::Permanent(why)),
                Task::Unparsable | Task::Job(_) => dead_letters::reconsider(ctx, &held.row).await,
            };
            Worked { held, operation_id: None, ending: Ending::settled(outcome), duration: started.elapsed() }
        }))
    );
    let jobs = jobs.into_iter().zip(&batch.jobs).map(|(held, job)| {
        let duration = job.duration();
        Worked { held, operation_id: job.job.operation_id(), ending: Ending::of(job, end), duration }
    });
    jobs.chain(others).collect()
}

async fn perform_until<P>(ctx: &Context, perform: &P, batch: &Batch) -> BatchEnd
where
    P: AsyncFn(&Context, &Batch),
{
    if batch.jobs.is_empty() {
        return BatchEnd::Returned;
    }
    let left = (batch.until - ctx.clock.now()).to_std().unwrap_or_default();
    let performed = AssertUnwindSafe(async { perform(ctx, batch).await }).catch_unwind();
    match tokio::time::timeout(left, performed).await {
        Ok(Ok(())) => BatchEnd::Returned,
        // The panic hook has logged it, with its place.
        Ok(Err(_panic)) => BatchEnd::Panicked,
        Err(_) => {
            warn!(jobs = batch.jobs.len(), "the batch's time is up");
            BatchEnd::TimeUp
        }
    }
}

/// Tells how old the oldest message was: best effort, beside the work.
async fn beat(ctx: &Context, messages: &[&Record]) {
    let Some(oldest) = messages.iter().filter_map(|record| record.sent_at).min() else { return };
    if let Err(err) = ctx.control.record_batch(ctx.clock.now(), oldest).await {
        warn!(error = &err as &dyn std::error::Error, "no heartbeat");
    }
}
