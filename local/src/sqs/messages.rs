//! Operations on messages: send, receive, delete, change of visibility, each alone and in batches.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::checksum::{self, MessageAttributes};
use super::store::{NewMessage, Received};
use super::{Result, Sqs, SqsError};
use crate::system;
use crate::template::Queue;

/// Limits: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const MAX_BATCH: usize = 10;
const MAX_BATCH_BYTES: usize = 1_048_576;
const MAX_DELAY: u64 = 900;
const MAX_VISIBILITY: u64 = 43_200;
const MAX_WAIT: u64 = 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    #[serde(default)]
    message_body: String,
    delay_seconds: Option<u64>,
    #[serde(default)]
    message_attributes: MessageAttributes,
    #[serde(default)]
    message_system_attributes: MessageAttributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Send {
    queue_url: String,
    #[serde(flatten)]
    message: Message,
}

/// A batch of `T`, each with an id of its own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Batch<T> {
    queue_url: String,
    #[serde(default = "Vec::new")]
    entries: Vec<Entry<T>>,
}

#[derive(Debug, Deserialize)]
struct Entry<T> {
    #[serde(rename = "Id")]
    id: String,
    #[serde(flatten)]
    inner: T,
}

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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Handle {
    receipt_handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Visibility {
    receipt_handle: String,
    visibility_timeout: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct One<T> {
    queue_url: String,
    #[serde(flatten)]
    inner: T,
}

impl Sqs {
    pub async fn send(&self, request: Send) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?.clone();
        let (message, answer) = checked(&queue, request.message)?;
        self.store(queue, vec![message]).await?;
        Ok(Value::Object(answer))
    }

    pub async fn send_batch(&self, request: Batch<Message>) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?.clone();
        check_batch(&request.entries, "SendMessageBatchRequestEntry")?;
        let sent = request.entries.iter().map(|entry| size(&entry.inner)).sum();
        if sent > MAX_BATCH_BYTES {
            return Err(SqsError::BatchTooLong { limit: MAX_BATCH_BYTES, sent });
        }
        let (mut messages, mut successful, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for Entry { id, inner } in request.entries {
            match checked(&queue, inner) {
                Ok((message, mut answer)) => {
                    answer.insert("Id".to_owned(), json!(id));
                    messages.push(message);
                    successful.push(Value::Object(answer));
                }
                Err(error) => failed.push(failure(&id, &error)),
            }
        }
        self.store(queue, messages).await?;
        Ok(json!({"Successful": successful, "Failed": failed}))
    }

    async fn store(&self, queue: Queue, messages: Vec<NewMessage>) -> Result<()> {
        self.with_store(move |store| store.send(&queue, &messages)).await?;
        self.inner.changed.notify_waiters();
        Ok(())
    }

    /// Long polling: as soon as there is a message, or with none when the time is over.
    pub async fn receive(&self, request: Receive) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?.clone();
        let limit = in_range("MaxNumberOfMessages", request.max_number_of_messages.unwrap_or(1), 1, MAX_BATCH)?;
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

    pub async fn delete(&self, request: One<Handle>) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?.name.clone();
        self.delete_one(queue, &request.inner.receipt_handle).await?;
        Ok(Value::Null)
    }

    pub async fn delete_batch(&self, request: Batch<Handle>) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?.name.clone();
        check_batch(&request.entries, "DeleteMessageBatchRequestEntry")?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for Entry { id, inner } in request.entries {
            match self.delete_one(queue.clone(), &inner.receipt_handle).await {
                Ok(()) => successful.push(json!({"Id": id})),
                Err(error) => failed.push(failure(&id, &error)),
            }
        }
        Ok(json!({"Successful": successful, "Failed": failed}))
    }

    async fn delete_one(&self, queue: String, handle: &str) -> Result<()> {
        let (id, receipt) = receipt(handle)?;
        self.with_store(move |store| store.delete(&queue, id, &receipt)).await
    }

    pub async fn change_visibility(&self, request: One<Visibility>) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?.name.clone();
        self.change_one(queue, request.inner).await?;
        Ok(Value::Null)
    }

    pub async fn change_visibility_batch(&self, request: Batch<Visibility>) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?.name.clone();
        check_batch(&request.entries, "ChangeMessageVisibilityBatchRequestEntry")?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for Entry { id, inner } in request.entries {
            match self.change_one(queue.clone(), inner).await {
                Ok(()) => successful.push(json!({"Id": id})),
                Err(error) => failed.push(failure(&id, &error)),
            }
        }
        Ok(json!({"Successful": successful, "Failed": failed}))
    }

    async fn change_one(&self, queue: String, request: Visibility) -> Result<()> {
        let seconds = request.visibility_timeout.ok_or(SqsError::MissingParameter("VisibilityTimeout"))?;
        let visibility = Duration::from_secs(in_range("VisibilityTimeout", seconds, 0, MAX_VISIBILITY)?);
        let (id, latest) = receipt(&request.receipt_handle)?;
        let changed = self.with_store(move |store| store.change_visibility(&queue, id, &latest, visibility)).await?;
        self.inner.changed.notify_waiters();
        if changed { Ok(()) } else { Err(SqsError::NotInFlight(request.receipt_handle)) }
    }
}

fn checked(queue: &Queue, message: Message) -> Result<(NewMessage, Map<String, Value>)> {
    if message.message_body.is_empty() {
        return Err(SqsError::MissingParameter("MessageBody"));
    }
    let limit = queue.maximum_message_size;
    if size(&message) > limit {
        let reason = format!("One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes.");
        return Err(SqsError::InvalidParameter(reason));
    }
    let delay = in_range("DelaySeconds", message.delay_seconds.unwrap_or(queue.delay.as_secs()), 0, MAX_DELAY)?;
    let message_id = system::new_id().to_string();
    let mut answer = Map::new();
    answer.insert("MessageId".to_owned(), json!(message_id));
    answer.insert("MD5OfMessageBody".to_owned(), json!(checksum::of_body(&message.message_body)));
    if let Some(digest) = checksum::of_attributes(&message.message_attributes) {
        answer.insert("MD5OfMessageAttributes".to_owned(), json!(digest));
    }
    let trace = message.message_system_attributes.get("AWSTraceHeader");
    let message = NewMessage {
        message_id,
        attributes: serde_json::to_string(&message.message_attributes)
            .map_err(|error| SqsError::Internal(error.to_string()))?,
        trace: trace.and_then(|trace| trace.string_value.clone()),
        body: message.message_body,
        delay: Duration::from_secs(delay),
    };
    Ok((message, answer))
}

/// Body and attributes count.
fn size(message: &Message) -> usize {
    let text = |value: &Option<String>| value.as_ref().map_or(0, String::len);
    let attributes = message.message_attributes.iter().map(|(name, attribute)| {
        name.len() + attribute.data_type.len() + text(&attribute.string_value) + text(&attribute.binary_value) / 4 * 3
    });
    message.message_body.len() + attributes.sum::<usize>()
}

fn check_batch<T>(entries: &[Entry<T>], kind: &'static str) -> Result<()> {
    match entries.len() {
        0 => return Err(SqsError::EmptyBatch(kind)),
        count if count > MAX_BATCH => return Err(SqsError::TooManyEntries(count)),
        _ => {}
    }
    let mut seen = BTreeSet::new();
    for Entry { id, .. } in entries {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || id.len() > 80 || !id.chars().all(valid) {
            return Err(SqsError::InvalidEntryId);
        }
        if !seen.insert(id) {
            return Err(SqsError::IdsNotDistinct(id.clone()));
        }
    }
    Ok(())
}

fn failure(id: &str, error: &SqsError) -> Value {
    json!({"Id": id, "Code": error.code(), "Message": error.to_string(), "SenderFault": true})
}

fn in_range<T: PartialOrd + std::fmt::Display>(name: &str, value: T, low: T, high: T) -> Result<T> {
    if value >= low && value <= high {
        return Ok(value);
    }
    Err(SqsError::InvalidParameter(format!(
        "Value {value} for parameter {name} is invalid. Reason: Must be >= {low} and <= {high}, if provided."
    )))
}

/// A receipt handle is the message's number and the receive's id.
fn receipt(handle: &str) -> Result<(i64, String)> {
    let (id, receipt) = handle.split_once('.').ok_or(SqsError::InvalidReceiptHandle)?;
    Ok((id.parse().map_err(|_| SqsError::InvalidReceiptHandle)?, receipt.to_owned()))
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
