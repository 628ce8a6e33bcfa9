//! The Control table: small items that all instances share and that outlive none of their purposes.
//!
//! One attribute `key` names an item, its prefix says what it is:
//!
//! | key | holds | file |
//! | --- | --- | --- |
//! | `user:<id>#<route>#<window>`, `addr:<ip>#<route>#<window>` | requests of a caller in a window | `window` |
//! | `addr:<ip>#failed_auth#<window>` | failed authentications of an address in a window | `window` |
//! | `block:<ip>` | until when an address is blocked | `block` |
//! | `breaker:<provider>` | a circuit breaker's state | `breaker` |
//! | `count:<hour>#<shard>` | what jobs came to in an hour | `counters` |
//! | `heartbeat:job-worker` | what the worker last saw of the queue | `heartbeat` |
//! | `idem:<user>#<key>` | what an idempotency key was answered with | `store::sessions` |
//!
//! `ttl` is in epoch seconds, as DynamoDB wants it. It deletes late, so whoever reads asks the item for its own time.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use aws_sdk_dynamodb::{
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    types::AttributeValue,
};

use crate::{aws::Aws, error::Cause};

mod block;
mod breaker;
mod counters;
mod heartbeat;
mod window;

pub use breaker::Claim;
pub use counters::Counts;
pub use heartbeat::Heartbeat;

/// How long the callers of this table wait for it before they go on without.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// For what stands beside a request's own work: the limiter's counts, blocks.
    pub limiter: Duration,
    /// A breaker's state is worth a longer wait: not knowing it may cost the provider's whole deadline.
    pub breaker: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { limiter: Duration::from_millis(200), breaker: Duration::from_millis(500) }
    }
}

/// Of a health check.
const PING: Duration = Duration::from_millis(500);

type Item = HashMap<String, AttributeValue>;

/// The Control table.
#[derive(Clone)]
pub struct Control {
    aws: Aws,
    table: String,
    deadlines: Deadlines,
    /// When this instance last wrote its heartbeat, in milliseconds.
    last_beat: Arc<AtomicI64>,
}

/// Why Control could not be asked; the caller goes on without it.
#[derive(Debug, thiserror::Error)]
#[error("the control table did not answer: {0}")]
pub struct ControlUnavailable(#[source] Cause);

impl Control {
    pub fn new(aws: Aws, table: String) -> Self {
        Self { aws, table, deadlines: Deadlines::default(), last_beat: Arc::default() }
    }

    /// The same table, waited for longer or less long: a test on a busy machine must not take it for away.
    pub fn with_deadlines(self, deadlines: Deadlines) -> Self {
        Self { deadlines, ..self }
    }

    pub fn table(&self) -> &str {
        &self.table
    }

    /// Whether the table answers.
    pub async fn ping(&self) -> Result<(), ControlUnavailable> {
        self.item("ping", PING).await.map(drop)
    }

    /// One item as it stands, strongly consistent, in one attempt.
    async fn item(&self, key: &str, deadline: Duration) -> Result<Option<Item>, ControlUnavailable> {
        let get = self.aws.dynamodb().await.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("key", text(key)).customize().config_override(within(deadline));
        Ok(get.send().await.map_err(unavailable)?.item)
    }
}

/// One attempt within `deadline`. The rest of the client's configuration, and with it its connections, stays.
fn within(deadline: Duration) -> Builder {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(deadline).operation_timeout(deadline).build();
    Builder::new().timeout_config(timeouts).retry_config(RetryConfig::disabled())
}

fn unavailable(err: impl Into<Cause>) -> ControlUnavailable {
    ControlUnavailable(err.into())
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A number of an item; what is missing or no number reads as none.
fn read_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}
