//! What becomes of messages once it is clear what they come to: decided first, then told to SQS.

use std::time::Duration;

use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue};
use chrono::{DateTime, Utc};
use futures::future::join_all;
use tracing::{error, warn};

use super::{
    decision::Unusable,
    record::{REPORTED_AS, Record},
    runner::{Answer, ItemFailure},
    send::{AT_ONCE, queue},
};
use crate::{
    Context,
    error::{Error, Result},
};

/// What SQS takes in a message, attributes included.
const MAX_SENT: usize = 1024 * 1024;
/// More than the name, type and value of the one attribute that we add.
const ATTRIBUTE: usize = 1024;
/// Until what the dead-letter queue did not take is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// After the first receive; doubled for each further one, up to the limit.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// What becomes of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is deleted: there is nothing left to do.
    Acknowledge,
    /// It comes back after exactly this.
    BackIn(Duration),
    /// What its job needs does not answer. It comes back after a pause that grows with its receives: SQS gives up a message
    /// that is received too often, and an hour's failure of the database is no fault of the job's.
    Away,
    /// It comes back when its visibility timeout ends.
    Back,
    /// It goes to the dead-letter queue, whole.
    DeadLetter(Unusable),
}

impl Effect {
    /// The longest that SQS keeps a message invisible.
    pub(super) const LONGEST: Duration = Duration::from_secs(12 * 3600);
}

/// A message with what becomes of it.
pub(super) type Outcome<'a> = (&'a Record, Effect);

/// Tells SQS, as far as it can be told until `deadline`, and answers the event source mapping. What SQS does not hear comes
/// back by its visibility timeout, and finds its job as it now is.
pub(super) async fn apply(ctx: &Context, mut outcomes: Vec<Outcome<'_>>, deadline: DateTime<Utc>) -> Answer {
    let left = (deadline - ctx.clock.now()).to_std().unwrap_or_default();
    let told = async {
        bury(ctx, &mut outcomes).await;
        let jitter = || rand::random_range(0.5..=1.0);
        let later: Vec<_> = outcomes.iter().filter_map(|(record, effect)| change(record, effect, jitter())).collect();
        join_all(later.chunks(AT_ONCE).map(|changes| set_visibility(ctx, changes))).await;
    };
    if tokio::time::timeout(left, told).await.is_err() {
        warn!("the queue did not hear when its messages are to come back");
    }
    answer(&outcomes)
}

/// All but what is acknowledged comes back; a letter that is still to be sent, too.
fn answer(outcomes: &[Outcome<'_>]) -> Answer {
    let back = outcomes.iter().filter(|(record, effect)| {
        // A message without an id can't be named, and an empty name would fail the whole batch.
        *effect != Effect::Acknowledge && !record.message_id.is_empty()
    });
    Answer { failures: back.map(|(record, _)| ItemFailure { message_id: record.message_id.clone() }).collect() }
}

/// Sends what goes to the dead-letter queue; sent, it is acknowledged here.
async fn bury(ctx: &Context, outcomes: &mut [Outcome<'_>]) {
    let letters = outcomes.iter_mut().filter_map(|(record, effect)| match effect {
        Effect::DeadLetter(unusable) => Some((*record, unusable.reason, effect)),
        _ => None,
    });
    join_all(letters.map(|(record, reason, effect)| async move {
        error!(message_id = record.message_id, reason, "a message is no job: it goes to the dead-letter queue");
        *effect = match send_letter(ctx, record).await {
            Ok(()) => Effect::Acknowledge,
            Err(err) => {
                error!(error = &err as &dyn std::error::Error, message_id = record.message_id, "letter not sent");
                Effect::BackIn(AGAIN)
            }
        };
    }))
    .await;
}

async fn send_letter(ctx: &Context, record: &Record) -> Result<()> {
    let send = ctx.aws.sqs().await.send_message().queue_url(&ctx.config.job_dead_letter_queue_url);
    let send = send.message_body(&record.body);
    // Without room for its id, a message that is sent twice is listed twice.
    let send = if record.message_id.is_empty() || record.body.len() + ATTRIBUTE > MAX_SENT {
        send
    } else {
        let id = MessageAttributeValue::builder().data_type("String").string_value(&record.message_id).build();
        send.message_attributes(REPORTED_AS, id.map_err(Error::internal)?)
    };
    send.send().await.map(drop).map_err(queue)
}

/// The change of visibility that a message asks for. `jitter`: 0.5 to 1.
fn change<'a>(record: &'a Record, effect: &Effect, jitter: f64) -> Option<(&'a str, i32)> {
    let pause = match effect {
        Effect::BackIn(pause) => *pause,
        Effect::Away => {
            let doubled = 2_u32.saturating_pow(record.receives.saturating_sub(1));
            FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE).mul_f64(jitter)
        }
        Effect::Acknowledge | Effect::Back | Effect::DeadLetter(_) => return None,
    };
    let whole = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
    let seconds = i32::try_from(whole.min(Effect::LONGEST.as_secs())).unwrap_or_default();
    (!record.receipt_handle.is_empty()).then_some((&record.receipt_handle, seconds))
}

/// Ten at most.
async fn set_visibility(ctx: &Context, changes: &[(&str, i32)]) {
    let entries = changes.iter().enumerate().map(|(at, (receipt, seconds))| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string()).receipt_handle(*receipt);
        entry.visibility_timeout(*seconds).build()
    });
    // A builder fails only for want of a field.
    let entries: Vec<_> = entries.filter_map(|entry| entry.ok()).collect();
    let change = ctx.aws.sqs().await.change_message_visibility_batch().queue_url(&ctx.config.job_queue_url);
    match change.set_entries(Some(entries)).send().await {
        Ok(output) => {
            if let Some(failed) = output.failed.first() {
                warn!(code = failed.code, messages = output.failed.len(), "visibility not set");
            }
        }
        Err(err) => warn!(error = &queue(err) as &dyn std::error::Error, "visibility not set"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::fake_queue::FakeQueue;

    fn record(id: &str) -> Record {
        Record {
            message_id: id.into(),
            receipt_handle: format!("r-{id}"),
            body: "{}".into(),
            sent_at: None,
            receives: 1,
            is_dead_letter: false,
            reported_as: None,
        }
    }

    #[test]
    fn all_but_what_is_acknowledged_is_asked_back() {
        let records = ["a", "b", "c", "d", ""].map(record);
        let effects = [
            Effect::Acknowledge,
            Effect::BackIn(Duration::ZERO),
            Effect::Back,
            Effect::DeadLetter(Unusable::unknown()),
            Effect::Back,
        ];
        let outcomes: Vec<_> = records.iter().zip(effects).collect();
        let json = serde_json::to_value(answer(&outcomes)).unwrap();
        let expected = ["b", "c", "d"].map(|id| serde_json::json!({ "itemIdentifier": id }));
        assert_eq!(json, serde_json::json!({ "batchItemFailures": expected }));
    }

    #[tokio::test]
    async fn the_queue_is_told_what_comes_back_and_the_dead_letter_queue_gets_what_is_no_job() {
        let queue = FakeQueue::start(|_, _| Some((200, "{}".into()))).await;
        let records: Vec<_> = (0..14).map(|at| record(&at.to_string())).collect();
        let effect = |at| match at {
            0..11 => Effect::BackIn(AGAIN),
            11 => Effect::DeadLetter(Unusable::unknown()),
            12 => Effect::Back,
            _ => Effect::Acknowledge,
        };
        let outcomes = records.iter().zip((0..14).map(effect)).collect();
        let deadline = queue.ctx.clock.now() + chrono::TimeDelta::seconds(20);
        let answer = apply(&queue.ctx, outcomes, deadline).await;
        assert_eq!(answer.failures.len(), 12, "a letter that is sent is acknowledged");
        let visibility = "ChangeMessageVisibilityBatch";
        assert_eq!(queue.calls(), ["SendMessage", visibility, visibility]);
    }

    #[tokio::test]
    async fn a_letter_that_is_not_sent_stays_on_its_queue() {
        let queue = FakeQueue::start(|operation, _| {
            let status = if operation == "SendMessage" { 400 } else { 200 };
            Some((status, "{}".into()))
        })
        .await;
        let records = [record("a")];
        let outcomes = vec![(&records[0], Effect::DeadLetter(Unusable::unknown()))];
        let deadline = queue.ctx.clock.now() + chrono::TimeDelta::seconds(20);
        assert_eq!(apply(&queue.ctx, outcomes, deadline).await.failures.len(), 1);
        assert_eq!(queue.calls(), ["SendMessage", "ChangeMessageVisibilityBatch"]);
    }

    #[tokio::test]
    async fn a_queue_that_does_not_answer_does_not_keep_the_answer_back() {
        let queue = FakeQueue::start(|_, _| None).await;
        let records = [record("a"), record("b")];
        let outcomes = records.iter().zip([Effect::BackIn(AGAIN), Effect::Acknowledge]).collect();
        let deadline = queue.ctx.clock.now() + chrono::TimeDelta::milliseconds(50);
        assert_eq!(apply(&queue.ctx, outcomes, deadline).await.failures.len(), 1);
    }

    #[test]
    fn only_what_comes_back_at_a_time_of_its_own_has_its_visibility_set() {
        let record = record("a");
        for (effect, expected) in [
            (Effect::Acknowledge, None),
            (Effect::Back, None),
            (Effect::DeadLetter(Unusable::unknown()), None),
            (Effect::BackIn(Duration::ZERO), Some(("r-a", 0))),
            (Effect::BackIn(Duration::from_millis(8_001)), Some(("r-a", 9))),
            (Effect::BackIn(Duration::from_secs(u64::MAX)), Some(("r-a", 43_200))),
            (Effect::Away, Some(("r-a", 10))),
        ] {
            assert_eq!(change(&record, &effect, 1.0), expected, "{effect:?}");
        }
        assert_eq!(change(&Record { receipt_handle: String::new(), ..record }, &Effect::BackIn(AGAIN), 1.0), None);
    }

    #[test]
    fn a_long_failure_of_the_database_does_not_use_up_a_message_s_receives() {
        let pause = |receives, jitter| {
            let record = Record { receives, ..record("a") };
            change(&record, &Effect::Away, jitter).unwrap().1
        };
        let pauses = [1, 2, 3, 7, 8, 1_000].map(|receives| pause(receives, 1.0));
        assert_eq!(pauses, [10, 20, 40, 640, 900, 900]);
        assert_eq!(pause(1, 0.5), 5);
        let all: i32 = (1..20).map(|receives| pause(receives, 0.5)).sum();
        assert!(all > 90 * 60, "{all} s");
    }
}
