//! Operations on queues: URL, list, attributes, purge.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::store::Counts;
use super::{Result, Sqs, SqsError};
use crate::template::Queue;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueueName {
    queue_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NamePrefix {
    #[serde(default)]
    queue_name_prefix: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WantedAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueueUrl {
    queue_url: String,
}

impl Sqs {
    pub fn queue_url(&self, request: QueueName) -> Result<Value> {
        Ok(json!({"QueueUrl": self.queue(&request.queue_name)?.url}))
    }

    pub fn list_queues(&self, request: NamePrefix) -> Value {
        let queues = self.inner.queues.values().filter(|queue| queue.name.starts_with(&request.queue_name_prefix));
        json!({"QueueUrls": queues.map(|queue| queue.url.as_str()).collect::<Vec<_>>()})
    }

    pub async fn purge(&self, request: QueueUrl) -> Result<Value> {
        let name = self.queue(&request.queue_url)?.name.clone();
        self.with_store(move |store| store.purge(&name)).await?;
        Ok(Value::Null)
    }

    pub async fn queue_attributes(&self, request: WantedAttributes) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?;
        let name = queue.name.clone();
        let counts = self.with_store(move |store| store.counts(&name)).await?;
        let all = attributes(queue, &counts);
        if request.attribute_names.iter().any(|name| name == "All") {
            return Ok(json!({"Attributes": all}));
        }
        let mut wanted = BTreeMap::new();
        for name in &request.attribute_names {
            match all.get(name.as_str()) {
                Some(value) => wanted.insert(name, value),
                None if name == "RedrivePolicy" || name == "Policy" => None,
                None => return Err(SqsError::InvalidAttributeName(name.clone())),
            };
        }
        // SQS leaves the map out when there is nothing in it.
        Ok(if wanted.is_empty() { Value::Null } else { json!({"Attributes": wanted}) })
    }
}

/// All values are texts.
fn attributes(queue: &Queue, counts: &Counts) -> BTreeMap<&'static str, String> {
    let mut attributes = BTreeMap::from([
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
        ("DelaySeconds", queue.delay.as_secs().to_string()),
        ("MaximumMessageSize", queue.maximum_message_size.to_string()),
        ("MessageRetentionPeriod", queue.retention.as_secs().to_string()),
        ("QueueArn", queue.arn.clone()),
        ("ReceiveMessageWaitTimeSeconds", queue.receive_wait.as_secs().to_string()),
        ("SqsManagedSseEnabled", "true".to_owned()),
        ("VisibilityTimeout", queue.visibility_timeout.as_secs().to_string()),
    ]);
    if let Some(redrive) = &queue.redrive {
        let policy =
            json!({"deadLetterTargetArn": redrive.dead_letter_arn, "maxReceiveCount": redrive.max_receive_count});
        attributes.insert("RedrivePolicy", policy.to_string());
    }
    attributes
}
