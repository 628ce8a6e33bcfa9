//! ReceiveMessage.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::batch::in_range;
use super::checksum::{self, MessageAttributes};
use super::store::Received;
use super::{Result, Sqs};
use crate::system;
use crate::template::Queue;

const MAX_MESSAGES: usize = 10;
/// Seconds, as [`MAX_WAIT`].
pub const MAX_VISIBILITY: u64 = 43_200;
const MAX_WAIT: u64 = 20;

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
        let queue = self.queue(&request.queue_url)?.clone();
        let limit = in_range("MaxNumberOfMessages", request.max_number_of_messages.unwrap_or(1), 1, MAX_MESSAGES)?;
        let visibility = request.visibility_timeout.unwrap_or(queue.visibility_timeout.as_secs());
        let visibility = Duration::from_secs(in_range("VisibilityTimeout", visibility, 0, MAX_VISIBILITY)?);
        let wait = request.wait_time_seconds.unwrap_or(queue.receive_wait.as_secs());
        let deadline = Instant::now() + Duration::from_secs(in_range("WaitTimeSeconds", wait, 0, MAX_WAIT)?);
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let received = self.take(&queue, limit, visibility).await?;
            if !received.is_empty() {
                let messages: Vec<Value> = received.iter().map(|message| rendered(message, &request)).collect();
                return Ok(json!({"Messages": messages}));
            }
            if Instant::now() >= deadline {
                return Ok(Value::Null);
            }
            let name = queue.name.clone();
            let next = self.with_store(move |store| store.next_visible(&name)).await?;
            let until_next = next.map(|at| Duration::from_millis(u64::try_from(at - system::now_ms()).unwrap_or(0)));
            let until_next = until_next.map_or(deadline, |wait| deadline.min(Instant::now() + wait));
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(until_next.into()) => {}
            }
        }
    }

    async fn take(&self, queue: &Queue, limit: usize, visibility: Duration) -> Result<Vec<Received>> {
        let dead_letters = queue.redrive.as_ref().and_then(|redrive| {
            self.inner.queues.values().find(|candidate| candidate.arn == redrive.dead_letter_arn).cloned()
        });
        let queue = queue.clone();
        self.with_store(move |store| store.receive(&queue, dead_letters.as_ref(), limit, visibility)).await
    }
}

fn rendered(message: &Received, request: &Receive) -> Value {
    let mut rendered = json!({
        "MessageId": message.message_id,
        "ReceiptHandle": format!("{}.{}", message.id, message.receipt),
        "Body": message.body,
        "MD5OfBody": checksum::of_body(&message.body),
    });
    let system = system_attributes(message, request);
    if !system.is_empty() {
        rendered["Attributes"] = Value::Object(system);
    }
    let mut attributes: MessageAttributes = serde_json::from_str(&message.attributes).unwrap_or_default();
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

fn system_attributes(message: &Received, request: &Receive) -> Map<String, Value> {
    let all = [
        ("SenderId", Some("000000000000".to_owned())),
        ("SentTimestamp", Some(message.sent_at.to_string())),
        ("ApproximateReceiveCount", Some(message.receive_count.to_string())),
        ("ApproximateFirstReceiveTimestamp", Some(message.first_received_at.to_string())),
        ("AWSTraceHeader", message.trace.clone()),
        ("DeadLetterQueueSourceArn", message.dead_letter_source.clone()),
    ];
    let wanted = |name: &str| {
        let names = request.attribute_names.iter().chain(&request.message_system_attribute_names);
        names.into_iter().any(|wanted| wanted == "All" || wanted == name)
    };
    all.into_iter()
        .filter(|(name, _)| wanted(name))
        .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))))
        .collect()
}
