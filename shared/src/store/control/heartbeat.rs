//! `heartbeat:job-worker` {at, oldest_sent_at, empty_at}: what the worker and its sweeper last saw of the queue, since SQS'
//! API does not tell how old its oldest message is. Milliseconds. It has no `ttl`: there is one.

use std::sync::atomic::Ordering;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Control, ControlUnavailable, Item, number, read_number, text, unavailable};

const KEY: &str = "heartbeat:job-worker";
const BEAT: TimeDelta = TimeDelta::seconds(10);

/// What is known of the queue and its worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// When a worker last had a batch.
    pub at: Option<DateTime<Utc>>,
    /// When the oldest message of that batch was sent.
    pub oldest_sent_at: Option<DateTime<Utc>>,
    /// When the queue was last seen without a single message.
    pub empty_at: Option<DateTime<Utc>>,
}

impl Control {
    /// What is known of the queue and its worker.
    pub async fn heartbeat(&self) -> Result<Heartbeat, ControlUnavailable> {
        let item = self.item(KEY, self.deadlines.breaker).await?.unwrap_or_default();
        Ok(Heartbeat {
            at: read_time(&item, "at"),
            oldest_sent_at: read_time(&item, "oldest_sent_at"),
            empty_at: read_time(&item, "empty_at"),
        })
    }

    /// A worker has a batch. Told often, an instance writes it down every ten seconds only.
    pub async fn record_batch(
        &self,
        at: DateTime<Utc>,
        oldest_sent_at: DateTime<Utc>,
    ) -> Result<(), ControlUnavailable> {
        let now = at.timestamp_millis();
        let last = self.last_beat.load(Ordering::Relaxed);
        if now - last < BEAT.num_milliseconds() {
            return Ok(());
        }
        self.last_beat.store(now, Ordering::Relaxed);
        self.note("SET #at = :at, oldest_sent_at = :oldest", at, Some(oldest_sent_at)).await
    }

    /// The queue holds no message at all.
    pub async fn record_empty_queue(&self, at: DateTime<Utc>) -> Result<(), ControlUnavailable> {
        self.note("SET empty_at = :at", at, None).await
    }

    async fn note(
        &self,
        expression: &str,
        at: DateTime<Utc>,
        oldest_sent_at: Option<DateTime<Utc>>,
    ) -> Result<(), ControlUnavailable> {
        let update = self.aws.dynamodb().await.update_item().table_name(&self.table).key("key", text(KEY));
        let mut update =
            update.update_expression(expression).expression_attribute_values(":at", number(at.timestamp_millis()));
        if let Some(oldest) = oldest_sent_at {
            update = update
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":oldest", number(oldest.timestamp_millis()));
        }
        let update = update.customize().config_override(super::within(self.deadlines.breaker));
        update.send().await.map(drop).map_err(unavailable)
    }
}

fn read_time(item: &Item, name: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(read_number(item, name)?)
}
