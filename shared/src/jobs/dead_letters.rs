//! The dead-letter queue's consumer, and what becomes of a message that was no job when somebody retries it.
//!
//! What arrives there is either what a worker could do nothing with, or a message that was received too often because no
//! worker could even write down what became of its job. Both are put where the dead jobs are: one list shows all.

use bytes::Bytes;
use futures::future::join_all;
use tracing::error;

use super::{
    Failure, Message, Tally,
    decision::{Decision, Unusable, decide},
    effect::{Effect, Outcome},
    record::Record,
    report::Report,
    send::send,
};
use crate::{
    Context,
    error::Result,
    ids::{JobId, derived},
    store::jobs::{MAX_PAYLOAD, Payload, Row, Written},
};

const TOO_OFTEN: &str = "its message was received too often, and nobody wrote down why";

/// Puts dead letters where the dead jobs are. What can't be written comes back by the queue's own visibility timeout.
pub(super) async fn receive<'a>(ctx: &Context, letters: &[&'a Record], report: &mut Report) -> Vec<Outcome<'a>> {
    if letters.is_empty() {
        return Vec::new();
    }
    let messages: Vec<_> = letters.iter().map(|letter| Message::parse(&letter.body)).collect();
    let ids = messages.iter().flatten().map(|message| message.job_id);
    let rows = match ctx.jobs.read(ids).await {
        Ok(rows) => rows,
        Err(err) => {
            error!(error = &err as &dyn std::error::Error, "jobs not read");
            report.broken = true;
            return letters.iter().map(|letter| (*letter, Effect::Back)).collect();
        }
    };
    let received = letters.iter().zip(messages).map(async |(letter, message)| {
        let row = message.as_ref().ok().and_then(|message| rows.get(&message.job_id));
        let received = match (message, row) {
            (Ok(message), Some(row)) => bury(ctx, letter, &message, row).await,
            (Ok(_), None) => keep(ctx, letter, &Unusable::unknown()).await,
            (Err(unusable), _) => keep(ctx, letter, &unusable).await,
        };
        received.unwrap_or_else(|err| {
            error!(error = &err as &dyn std::error::Error, message_id = letter.message_id, "dead letter not kept");
            Received::Later
        })
    });
    let received = join_all(received).await;
    letters.iter().zip(received).map(|(letter, received)| (*letter, received.noted(report))).collect()
}

/// What came of a dead letter.
enum Received<'r> {
    Settled,
    Died(&'r Row),
    Later,
}

impl Received<'_> {
    fn noted(self, report: &mut Report) -> Effect {
        match self {
            Self::Settled => Effect::Acknowledge,
            Self::Died(row) => {
                report.buried(row, TOO_OFTEN);
                Effect::Acknowledge
            }
            Self::Later => {
                report.put_off += 1;
                Effect::Back
            }
        }
    }
}

/// Declares the job dead that nobody could write about, unless it has gone on since.
async fn bury<'r>(ctx: &Context, letter: &Record, message: &Message, row: &'r Row) -> Result<Received<'r>> {
    let now = ctx.clock.now();
    // A worker knew of no such job: by now there is one, and it has a message of its own.
    if letter.reported_as.is_some() {
        return Ok(Received::Settled);
    }
    match decide(message.epoch, false, Some(row), now) {
        Decision::Acknowledge | Decision::Unknown => return Ok(Received::Settled),
        Decision::Held(_) => return Ok(Received::Later),
        Decision::Take | Decision::NotDue(_) | Decision::GiveUp => {}
    }
    let error =
        row.last_error.as_ref().map_or_else(|| TOO_OFTEN.to_owned(), |last| format!("{TOO_OFTEN}; before: {last}"));
    Ok(match ctx.jobs.bury(row, &error, &ctx.control, now).await? {
        Written::Done => Received::Died(row),
        Written::Lost(_) | Written::Busy => Received::Later,
    })
}

/// Lists a message that is no job as a dead one, with its whole body.
async fn keep<'r>(ctx: &Context, letter: &Record, unusable: &Unusable) -> Result<Received<'r>> {
    let message_id = letter.reported_as.as_ref().unwrap_or(&letter.message_id);
    let id = JobId(derived(super::UNPARSABLE, &[message_id, &letter.body]));
    let payload = if letter.body.len() > MAX_PAYLOAD {
        let key = format!("jobs/{id}");
        ctx.objects.put(&key, Bytes::copy_from_slice(letter.body.as_bytes()), "application/octet-stream").await?;
        Payload::Object(key)
    } else {
        Payload::Text(letter.body.clone())
    };
    ctx.jobs.put_unparsable(id, &payload, &unusable.detail, ctx.clock.now()).await?;
    Ok(Received::Settled)
}

/// Looks again at a message that was no job: somebody retries it, perhaps with a version that knows more. If it is one now, it
/// goes back to the queue as it is.
pub(super) async fn reconsider(ctx: &Context, row: &Row) -> Result<Tally, Failure> {
    let body = match &row.payload {
        Payload::Text(body) => body,
        Payload::Object(key) => return Err(Failure::permanent(format!("larger than a job may be; it lies in {key}"))),
    };
    let message = Message::parse(body).map_err(|unusable| Failure::Permanent(unusable.detail))?;
    if message.job.is_none() && ctx.jobs.read([message.job_id]).await?.is_empty() {
        return Err(Failure::Permanent(Unusable::unknown().detail));
    }
    send(ctx, &[message]).await?;
    Ok(Tally::default())
}
