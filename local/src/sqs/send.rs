//! SendMessage, alone and in batches.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::batch::{Batch, Entry, One, check_batch, failure, in_range};
use super::checksum::{self, MessageAttributes};
use super::store::NewMessage;
use super::{Result, Sqs, SqsError};
use crate::system;
use crate::template::Queue;

const MAX_BATCH_BYTES: usize = 1_048_576;
/// Seconds.
pub const MAX_DELAY: u64 = 900;

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

impl Sqs {
    pub async fn send(&self, request: One<Message>) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?;
        let (message, answer) = checked(&queue, request.inner)?;
        self.store(queue, vec![message]).await?;
        Ok(Value::Object(answer))
    }

    pub async fn send_batch(&self, request: Batch<Message>) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?;
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

    async fn store(&self, queue: Arc<Queue>, messages: Vec<NewMessage>) -> Result<()> {
        let live = self.live(&queue.name)?;
        self.with_store(move |store| store.send(&queue, &messages)).await?;
        live.arrived.notify_waiters();
        Ok(())
    }
}

fn checked(queue: &Queue, message: Message) -> Result<(NewMessage, Map<String, Value>)> {
    if message.message_body.is_empty() {
        return Err(SqsError::MissingParameter("MessageBody"));
    }
    if !message.message_body.chars().all(allowed) {
        return Err(SqsError::InvalidMessageContents);
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

/// What XML 1.0 allows: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Body and attributes count.
fn size(message: &Message) -> usize {
    let text = |value: &Option<String>| value.as_ref().map_or(0, String::len);
    let attributes = message.message_attributes.iter().map(|(name, attribute)| {
        name.len() + attribute.data_type.len() + text(&attribute.string_value) + text(&attribute.binary_value) / 4 * 3
    });
    message.message_body.len() + attributes.sum::<usize>()
}
