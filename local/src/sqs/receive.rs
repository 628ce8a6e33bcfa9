//! ReceiveMessage.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::batch::in_range;
use super::checksum::{self, MessageAttributes};
use super::store::Received;
use super::take::Take;
use super::{Result, Sqs, SqsError};
use crate::{ACCOUNT, system};

const MAX_MESSAGES: usize = 10;
/// Seconds, as [`MAX_WAIT`].
pub const MAX_VISIBILITY: u64 = 43_200;
pub const MAX_WAIT: u64 = 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Receive {
    queue_url: String,
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u64>,
    wait_time_seconds: Option<u64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

impl Sqs {
    /// Long polling: as soon as there is a message, or with none when the time is over.
    pub async fn receive(&self, request: Receive) -> Result<Value> {
        let live = self.live(&request.queue_url)?;
        let queue = live.queue();
        let limit = in_range("MaxNumberOfMessages", request.max_number_of_messages.unwrap_or(1), 1, MAX_MESSAGES)?;
        let visibility = request.visibility_timeout.unwrap_or(queue.visibility_timeout.as_secs());
        let visibility = Duration::from_secs(in_range("VisibilityTimeout", visibility, 0, MAX_VISIBILITY)?);
        let wait = request.wait_time_seconds.unwrap_or(queue.receive_wait.as_secs());
        let wait = Duration::from_secs(in_range("WaitTimeSeconds", wait, 0, MAX_WAIT)?);
        let deadline = Instant::now() + wait;
        loop {
            let arrived = live.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            let taken = self.take(&queue, Take::up_to(limit, visibility)).await?;
            if !taken.messages.is_empty() {
                let messages: Vec<Value> = taken.messages.iter().map(|message| rendered(message, &request)).collect();
                return Ok(json!({"Messages": messages}));
            }
            // Only short polling is told: whoever waits gets nothing until there is room.
            if taken.over_limit && wait.is_zero() {
                return Err(SqsError::OverLimit);
            }
            if Instant::now() >= deadline {
                return Ok(Value::Null);
            }
            let until = taken.next_visible.map_or(deadline, |at| deadline.min(system::instant_at(at)));
            tokio::select! {
                () = arrived => {}
                () = tokio::time::sleep_until(until.into()) => {}
            }
        }
    }
}

fn rendered(message: &Received, request: &Receive) -> Value {
    let mut rendered = json!({
        "MessageId": message.message_id,
        "ReceiptHandle": message.handle(),
        "Body": message.body,
        "MD5OfBody": checksum::of_body(&message.body),
    });
    let system = system_attributes(message, request);
    if !system.is_empty() {
        rendered["Attributes"] = Value::Object(system);
    }
    let mut attributes = message.message_attributes();
    attributes.retain(|name, _| {
        request.message_attribute_names.iter().any(|wanted| {
            let prefix = wanted.strip_suffix(".*").or_else(|| wanted.strip_suffix('*'));
            wanted == "All" || wanted == name || prefix.is_some_and(|prefix| name.starts_with(prefix))
        })
    });
    if let Some(digest) = checksum::of_attributes(&attributes) {
        rendered["MD5OfMessageAttributes"] = json!(digest);
        rendered["MessageAttributes"] = json!(attributes);
    }
    rendered
}

impl Received {
    /// A receipt handle is the message's number and the receive's id.
    pub(crate) fn handle(&self) -> String {
        format!("{}.{}", self.id, self.receipt)
    }

    /// The attributes that SQS itself gives, with those that the message has.
    pub(crate) fn system_attributes(&self) -> impl Iterator<Item = (&'static str, String)> {
        [
            ("SenderId", Some(ACCOUNT.to_owned())),
            ("SentTimestamp", Some(self.sent_at.to_string())),
            ("ApproximateReceiveCount", Some(self.receive_count.to_string())),
            ("ApproximateFirstReceiveTimestamp", Some(self.first_received_at.to_string())),
            ("AWSTraceHeader", self.trace.clone()),
            ("DeadLetterQueueSourceArn", self.dead_letter_source.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    pub(crate) fn message_attributes(&self) -> MessageAttributes {
        serde_json::from_str(&self.attributes).unwrap_or_default()
    }
}

fn system_attributes(message: &Received, request: &Receive) -> Map<String, Value> {
    let wanted = |name: &str| {
        let names = request.attribute_names.iter().chain(&request.message_system_attribute_names);
        names.into_iter().any(|wanted| wanted == "All" || wanted == name)
    };
    let all = message.system_attributes().filter(|(name, _)| wanted(name));
    all.map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}
