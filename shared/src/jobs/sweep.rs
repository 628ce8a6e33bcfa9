//! The sweeper: jobs that are queued and have no message, since whoever stored them did not come to send it, get one.

use aws_sdk_sqs::types::QueueAttributeName;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use tracing::{info, warn};

use super::send::{queue, send};
use crate::{
    Context,
    error::{Error, Result},
};

/// Most jobs of one run.
const AT_MOST: usize = 1_000;
/// Claimed, then sent, before the next: what a run that is cut short has claimed and not sent waits for the overdue time again.
const PORTION: usize = 100;
const CONCURRENCY: usize = 16;

/// Messages of the queue, by SQS' own approximate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    /// Waiting to be received.
    visible: u64,
    /// In the hands of a worker, or put off.
    hidden: u64,
}

/// Sends again what is queued and overdue. While messages wait in the queue, a job may just be waiting its turn: then only what
/// should have had its turn before those that the worker had last.
pub async fn sweep(ctx: &Context) -> Result<()> {
    let now = ctx.clock.now();
    let waiting = waiting(ctx).await?;
    if waiting == (Waiting { visible: 0, hidden: 0 })
        && let Err(err) = ctx.control.record_empty_queue(now).await
    {
        warn!(error = &err as &dyn std::error::Error, "the empty queue is not recorded");
    }
    let oldest_sent_at = if waiting.visible == 0 {
        None
    } else {
        match ctx.control.heartbeat().await.map_err(unavailable)?.oldest_sent_at {
            Some(oldest) => Some(oldest),
            // Messages wait and no worker was ever seen: it is not the messages that are missing.
            None => return Ok(()),
        }
    };
    let Some(before) = cutoff(now, oldest_sent_at, ctx.config.job_overdue_after) else { return Ok(()) };
    let overdue = ctx.jobs.overdue(before, AT_MOST).await?;
    let mut sent = 0;
    for portion in overdue.chunks(PORTION) {
        let claims = portion.iter().map(|job| ctx.jobs.claim_overdue(*job, before, now));
        let claimed: Vec<_> = stream::iter(claims).buffer_unordered(CONCURRENCY).try_collect().await?;
        let messages: Vec<_> = claimed.into_iter().flatten().collect();
        send(ctx, &messages).await?;
        sent += messages.len();
    }
    if sent > 0 {
        ctx.metrics.count_many("jobs_swept", sent as u64);
        warn!(jobs = sent, "jobs had no message: sent again");
    } else {
        info!(visible = waiting.visible, hidden = waiting.hidden, "no job without a message");
    }
    Ok(())
}

/// What was due before then should have been worked on. `oldest_sent_at`: of the messages that the worker had last, where
/// messages wait in the queue.
fn cutoff(
    now: DateTime<Utc>,
    oldest_sent_at: Option<DateTime<Utc>>,
    overdue_after: std::time::Duration,
) -> Option<DateTime<Utc>> {
    let reached = oldest_sent_at.map_or(now, |oldest| oldest.min(now));
    reached.checked_sub_signed(chrono::TimeDelta::from_std(overdue_after).ok()?)
}

async fn waiting(ctx: &Context) -> Result<Waiting> {
    use QueueAttributeName as Name;
    let names = [
        Name::ApproximateNumberOfMessages,
        Name::ApproximateNumberOfMessagesNotVisible,
        Name::ApproximateNumberOfMessagesDelayed,
    ];
    let get = ctx.aws.sqs().await.get_queue_attributes().queue_url(&ctx.config.job_queue_url);
    let output = get.set_attribute_names(Some(names.to_vec())).send().await.map_err(queue)?;
    let counts = output.attributes.unwrap_or_default();
    let count = |name: &Name| {
        let count = counts.get(name).and_then(|count| count.parse::<u64>().ok());
        count.ok_or_else(|| queue(format!("no {name}")))
    };
    let [visible, in_flight, delayed] = &names;
    Ok(Waiting { visible: count(visible)?, hidden: count(in_flight)? + count(delayed)? })
}

fn unavailable(err: impl Into<crate::error::Cause>) -> Error {
    Error::unavailable("the database is not available, try again", err)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;

    use super::*;
    use crate::jobs::fake_queue::FakeQueue;

    /// Where `visible` messages wait, one job is overdue, and the worker last had messages of `oldest_sent_at`.
    async fn swept(visible: u64, oldest_sent_at: Option<i64>, claimed: bool) -> Vec<String> {
        let queue = FakeQueue::start(move |operation, _| {
            let answer = match operation {
                "GetQueueAttributes" => format!(
                    r#"{{"Attributes":{{"ApproximateNumberOfMessages":"{visible}",
                        "ApproximateNumberOfMessagesNotVisible":"0","ApproximateNumberOfMessagesDelayed":"0"}}}}"#
                ),
                "GetItem" => match oldest_sent_at {
                    Some(at) => format!(r#"{{"Item":{{"oldest_sent_at":{{"N":"{at}"}}}}}}"#),
                    None => "{}".into(),
                },
                "Query" => r#"{"Count":1,"Items":[{"job_id":{"S":"00000000-0000-0000-0000-000000000000"},
                    "epoch":{"N":"1"}}]}"#
                    .into(),
                "UpdateItem" if visible > 0 && !claimed => {
                    let failed = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
                    return Some((400, format!(r#"{{"__type":"{failed}"}}"#)));
                }
                _ => "{}".into(),
            };
            Some((200, answer))
        })
        .await;
        sweep(&queue.ctx).await.unwrap();
        let mut calls = queue.calls();
        calls.sort();
        calls.dedup();
        calls
    }

    #[tokio::test]
    async fn a_queue_without_messages_is_recorded_and_what_is_overdue_is_sent() {
        assert_eq!(swept(0, None, true).await, ["GetQueueAttributes", "Query", "SendMessageBatch", "UpdateItem"]);
    }

    #[tokio::test]
    async fn a_job_that_somebody_else_claims_is_not_sent() {
        assert_eq!(swept(3, Some(0), false).await, ["GetItem", "GetQueueAttributes", "Query", "UpdateItem"]);
        let all = ["GetItem", "GetQueueAttributes", "Query", "SendMessageBatch", "UpdateItem"];
        assert_eq!(swept(3, Some(0), true).await, all);
    }

    #[tokio::test]
    async fn where_no_worker_was_seen_the_messages_that_wait_are_not_multiplied() {
        assert_eq!(swept(3, None, true).await, ["GetItem", "GetQueueAttributes"]);
    }

    #[test]
    fn a_backlog_is_not_taken_for_lost_messages() {
        let now: DateTime<Utc> = "2026-11-21T09:00:00Z".parse().unwrap();
        let ago = |minutes| now - TimeDelta::minutes(minutes);
        for (oldest_sent_at, expected) in [
            (None, Some(ago(15))),
            (Some(ago(0)), Some(ago(15))),
            (Some(ago(60)), Some(ago(75))),
            // A clock that is ahead.
            (Some(ago(-5)), Some(ago(15))),
        ] {
            assert_eq!(cutoff(now, oldest_sent_at, Duration::from_secs(15 * 60)), expected, "{oldest_sent_at:?}");
        }
        assert_eq!(cutoff(now, None, Duration::MAX), None);
    }
}
