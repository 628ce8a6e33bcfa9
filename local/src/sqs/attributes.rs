//! GetQueueAttributes and SetQueueAttributes. What is set lasts until the stack ends: the template says how it begins.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::live::LiveQueue;
use super::receive::{MAX_VISIBILITY, MAX_WAIT};
use super::send::MAX_DELAY;
use super::store::Counts;
use super::{Result, Sqs, SqsError};
use crate::template::{Queue, Redrive};

/// Attributes that SQS knows and a queue of the stack need not have.
const OPTIONAL: [&str; 9] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "Policy",
    "RedriveAllowPolicy",
    "RedrivePolicy",
];
/// Seconds: a minute to 14 days.
const RETENTION: RangeInclusive<u64> = 60..=1_209_600;
/// Bytes: 1 KiB to 1 MiB.
const MESSAGE_SIZE: RangeInclusive<u64> = 1_024..=1_048_576;
const RECEIVE_COUNT: RangeInclusive<u64> = 1..=1_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WantedAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NewAttributes {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

impl Sqs {
    pub async fn queue_attributes(&self, request: WantedAttributes) -> Result<Value> {
        let live = self.live(&request.queue_url)?;
        let counts = self.counts(&request.queue_url).await?;
        let all = attributes(live, counts);
        if request.attribute_names.iter().any(|name| name == "All") {
            return Ok(json!({"Attributes": all}));
        }
        let mut wanted = BTreeMap::new();
        for name in &request.attribute_names {
            match all.get(name.as_str()) {
                Some(value) => wanted.insert(name, value),
                None if OPTIONAL.contains(&name.as_str()) => None,
                None => return Err(SqsError::InvalidAttributeName(name.clone())),
            };
        }
        // SQS leaves the map out when there is nothing in it.
        Ok(if wanted.is_empty() { Value::Null } else { json!({"Attributes": wanted}) })
    }

    /// All of them or, where one is wrong, none.
    pub async fn set_attributes(&self, request: NewAttributes) -> Result<Value> {
        let live = self.live(&request.queue_url)?;
        let mut queue = Queue::clone(&*live.queue());
        for (name, value) in &request.attributes {
            self.set_one(&mut queue, name, value)?;
        }
        if request.attributes.contains_key("MessageRetentionPeriod") {
            let (name, retention) = (queue.name.clone(), queue.retention);
            self.with_store(move |store| store.change_retention(&name, retention)).await?;
        }
        live.change(queue);
        Ok(Value::Null)
    }

    fn set_one(&self, queue: &mut Queue, name: &str, value: &str) -> Result<()> {
        let number = |range| number(name, value, range);
        match name {
            "VisibilityTimeout" => queue.visibility_timeout = Duration::from_secs(number(0..=MAX_VISIBILITY)?),
            "DelaySeconds" => queue.delay = Duration::from_secs(number(0..=MAX_DELAY)?),
            "MessageRetentionPeriod" => queue.retention = Duration::from_secs(number(RETENTION)?),
            "ReceiveMessageWaitTimeSeconds" => queue.receive_wait = Duration::from_secs(number(0..=MAX_WAIT)?),
            "MaximumMessageSize" => {
                queue.maximum_message_size = usize::try_from(number(MESSAGE_SIZE)?).unwrap_or(usize::MAX);
            }
            // An empty text takes a policy away.
            "RedrivePolicy" if value.is_empty() => queue.redrive = None,
            "RedrivePolicy" => queue.redrive = Some(self.redrive(queue, value)?),
            "RedriveAllowPolicy" if value.is_empty() => queue.redrive_allow = None,
            "RedriveAllowPolicy" => queue.redrive_allow = Some(redrive_allow(value)?),
            _ => return Err(SqsError::InvalidAttributeName(name.to_owned())),
        }
        Ok(())
    }

    fn redrive(&self, queue: &Queue, policy: &str) -> Result<Redrive> {
        let invalid = |reason: &str| invalid("RedrivePolicy", policy, reason);
        let json: Value =
            serde_json::from_str(policy).map_err(|_| invalid("Redrive policy is not a valid JSON map."))?;
        let missing = || invalid("Redrive policy does not contain mandatory attribute: maxReceiveCount.");
        let count = json.get("maxReceiveCount").ok_or_else(missing)?;
        let text = count.as_str().map_or_else(|| count.to_string(), str::to_owned);
        let count = text.parse().ok().filter(|count| RECEIVE_COUNT.contains(count));
        let count = count.and_then(|count| u32::try_from(count).ok()).ok_or_else(|| {
            invalid(&format!(
                "Invalid value for maxReceiveCount: {text}, valid values are from 1 to 1000 both inclusive."
            ))
        })?;
        let arn = json.get("deadLetterTargetArn").and_then(Value::as_str);
        let arn =
            arn.ok_or_else(|| invalid("Redrive policy does not contain mandatory attribute: deadLetterTargetArn."))?;
        let dead_letters = self.by_arn(arn).ok_or_else(|| invalid("Dead letter target does not exist."))?;
        if !dead_letters.queue().takes_dead_letters_of(&queue.arn) {
            return Err(invalid("Dead letter target does not allow it."));
        }
        Ok(Redrive { dead_letter_arn: arn.to_owned(), max_receive_count: count })
    }
}

fn number(name: &str, value: &str, range: RangeInclusive<u64>) -> Result<u64> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| SqsError::InvalidAttributeValue(name.to_owned()))
}

fn redrive_allow(policy: &str) -> Result<Value> {
    let json: Value = serde_json::from_str(policy).unwrap_or_default();
    match json.get("redrivePermission").and_then(Value::as_str) {
        Some("allowAll" | "denyAll" | "byQueue") => Ok(json),
        _ => Err(invalid("RedriveAllowPolicy", policy, "Amazon SQS can't create the redrive allow policy.")),
    }
}

fn invalid(name: &str, value: &str, reason: &str) -> SqsError {
    SqsError::InvalidParameter(format!("Value {value} for parameter {name} is invalid. Reason: {reason}"))
}

/// All values are texts.
fn attributes(live: &LiveQueue, counts: Counts) -> BTreeMap<&'static str, String> {
    let queue = live.queue();
    let mut attributes = BTreeMap::from([
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
        ("CreatedTimestamp", live.created_at.to_string()),
        ("LastModifiedTimestamp", live.modified_at().to_string()),
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
    if let Some(policy) = &queue.redrive_allow {
        attributes.insert("RedriveAllowPolicy", policy.to_string());
    }
    attributes
}
