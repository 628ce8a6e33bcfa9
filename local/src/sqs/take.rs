//! Receiving from the store: which messages, how many, and which have been received too often.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction, params};

use super::store::{Received, millis, visible};
use crate::system;
use crate::template::Queue;

/// Messages of a standard queue that may be in flight at once.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
pub const IN_FLIGHT_LIMIT: usize = 120_000;

/// What one receive asks for.
#[derive(Debug, Clone, Copy)]
pub struct Take {
    pub limit: usize,
    pub visibility: Duration,
    /// Room for the messages, each as large as `size` says.
    pub bytes: usize,
    pub size: fn(&Received) -> usize,
    /// Whether the first is taken whatever its size.
    pub at_least_one: bool,
}

/// What it got.
#[derive(Debug, Default)]
pub struct Taken {
    pub messages: Vec<Received>,
    /// The next message did not fit into the room that was left.
    pub full: bool,
    /// Some went to the dead letters instead.
    pub buried: bool,
    /// No more may be in flight.
    pub over_limit: bool,
    /// When the next of those that are not visible yet will be.
    pub next_visible: Option<i64>,
}

impl Take {
    pub fn up_to(limit: usize, visibility: Duration) -> Self {
        Self { limit, visibility, bytes: usize::MAX, size: |_| 0, at_least_one: true }
    }

    pub(super) fn run(
        &self,
        transaction: &Transaction,
        queue: &Queue,
        dead_letters: Option<&Queue>,
        now: i64,
    ) -> rusqlite::Result<Taken> {
        let room = IN_FLIGHT_LIMIT - in_flight(transaction, &queue.name, now)?;
        let mut taken = Taken { over_limit: room == 0, ..Taken::default() };
        let candidates = loop {
            let candidates = visible(transaction, &queue.name, now, self.limit.min(room))?;
            if !bury(transaction, queue, dead_letters, &candidates)? {
                break candidates;
            }
            taken.buried = true;
        };
        let mut bytes = self.bytes;
        for message in candidates {
            let message = received_now(message, now);
            let size = (self.size)(&message);
            let exempt = self.at_least_one && taken.messages.is_empty();
            if size > bytes && !exempt {
                taken.full = true;
                break;
            }
            bytes = bytes.saturating_sub(size);
            hide(transaction, &message, now + millis(self.visibility))?;
            taken.messages.push(message);
        }
        if taken.messages.len() < self.limit {
            taken.next_visible = next_visible(transaction, &queue.name, now)?;
        }
        Ok(taken)
    }
}

/// At most [`IN_FLIGHT_LIMIT`].
fn in_flight(transaction: &Transaction, queue: &str, now: i64) -> rusqlite::Result<usize> {
    let query = "SELECT count(*) FROM
        (SELECT 1 FROM messages WHERE queue = ?1 AND visible_at > ?2 AND receive_count > 0 LIMIT ?3)";
    transaction.prepare_cached(query)?.query_row(params![queue, now, IN_FLIGHT_LIMIT], |row| row.get(0))
}

/// Moves those that have been received as often as they may be. Whether there were any.
fn bury(
    transaction: &Transaction,
    queue: &Queue,
    dead_letters: Option<&Queue>,
    candidates: &[Received],
) -> rusqlite::Result<bool> {
    let (Some(redrive), Some(dead_letters)) = (&queue.redrive, dead_letters) else { return Ok(false) };
    let mut buried = false;
    for message in candidates.iter().filter(|message| message.receive_count >= redrive.max_receive_count) {
        // Retention goes on counting from when the message was sent, as for standard queues on AWS.
        let statement = "UPDATE messages SET queue = ?1, dead_letter_source = ?2, receive_count = 0, receipt = NULL,
                             first_received_at = NULL, expires_at = sent_at + ?3 WHERE id = ?4";
        let values = params![dead_letters.name, queue.arn, millis(dead_letters.retention), message.id];
        transaction.prepare_cached(statement)?.execute(values)?;
        buried = true;
    }
    Ok(buried)
}

/// The message as whoever receives it now sees it.
fn received_now(message: Received, now: i64) -> Received {
    let first = message.receive_count == 0;
    Received {
        receive_count: message.receive_count + 1,
        first_received_at: if first { now } else { message.first_received_at },
        receipt: system::new_id().to_string(),
        ..message
    }
}

fn hide(transaction: &Transaction, message: &Received, visible_at: i64) -> rusqlite::Result<()> {
    let statement =
        "UPDATE messages SET visible_at = ?1, receipt = ?2, receive_count = ?3, first_received_at = ?4 WHERE id = ?5";
    let Received { id, receipt, receive_count, first_received_at, .. } = message;
    let values = params![visible_at, receipt, receive_count, first_received_at, id];
    transaction.prepare_cached(statement)?.execute(values).map(drop)
}

fn next_visible(transaction: &Transaction, queue: &str, now: i64) -> rusqlite::Result<Option<i64>> {
    let query = "SELECT visible_at FROM messages WHERE queue = ?1 AND visible_at > ?2 ORDER BY visible_at LIMIT 1";
    transaction.prepare_cached(query)?.query_row(params![queue, now], |row| row.get(0)).optional()
}

#[cfg(test)]
mod tests {
    use crate::sqs::Sqs;
    use crate::sqs::store::NewMessage;
    use crate::template::{Queue, Site, Template};

    use super::*;

    fn queue() -> Queue {
        let [region, account, stack, api_id, sqs_url] = ["r", "a", "s", "i", "http://sqs"].map(str::to_owned);
        let site = Site { region, account, stack, api_id, sqs_url };
        let template = Template::parse("Resources: { Q: { Type: AWS::SQS::Queue } }").unwrap();
        template.resolve(&site, &Default::default()).unwrap().queues.remove(0)
    }

    fn message() -> NewMessage {
        let message_id = system::new_id().to_string();
        NewMessage { message_id, body: "b".to_owned(), attributes: "{}".to_owned(), trace: None, delay: Duration::ZERO }
    }

    async fn receive(sqs: &Sqs, wait: u64) -> String {
        let request = format!(r#"{{"QueueUrl":"http://sqs/a/s-Q","WaitTimeSeconds":{wait}}}"#);
        let answer = sqs.answer("ReceiveMessage", &request.into()).await;
        let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn no_more_messages_are_in_flight_than_sqs_allows() {
        let queue = queue();
        let sqs = Sqs::open(None, std::slice::from_ref(&queue)).unwrap();
        let messages: Vec<_> = std::iter::repeat_with(message).take(IN_FLIGHT_LIMIT + 1).collect();
        let sent = queue.clone();
        sqs.with_store(move |store| store.send(&sent, &messages)).await.unwrap();
        let taken = sqs.take(&queue, Take::up_to(usize::MAX, Duration::from_secs(60))).await.unwrap();
        assert_eq!(taken.messages.len(), IN_FLIGHT_LIMIT);
        assert!(receive(&sqs, 0).await.contains("#OverLimit"));
        // Who waits is not told, only not served.
        assert_eq!(receive(&sqs, 1).await, "{}");
        let one = &taken.messages[0];
        sqs.delete_taken(&queue.name, vec![(one.id, one.receipt.clone())]).await.unwrap();
        assert!(receive(&sqs, 0).await.contains("\"Body\":\"b\""));
    }
}
