//! What requests have in common: the queue beside the rest, batches with an id for each entry, ranges.
//! Limits: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>

use std::collections::BTreeSet;
use std::fmt::Display;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Result, SqsError};

const MAX_BATCH: usize = 10;

/// A batch of `T`, each with an id of its own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Batch<T> {
    pub queue_url: String,
    #[serde(default = "Vec::new")]
    pub entries: Vec<Entry<T>>,
}

#[derive(Debug, Deserialize)]
pub struct Entry<T> {
    #[serde(rename = "Id")]
    pub id: String,
    #[serde(flatten)]
    pub inner: T,
}

/// A request for one `T`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct One<T> {
    pub queue_url: String,
    #[serde(flatten)]
    pub inner: T,
}

pub fn check_batch<T>(entries: &[Entry<T>], kind: &'static str) -> Result<()> {
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

pub fn failure(id: &str, error: &SqsError) -> Value {
    json!({"Id": id, "Code": error.code(), "Message": error.to_string(), "SenderFault": true})
}

pub fn in_range<T: PartialOrd + Display>(name: &str, value: T, low: T, high: T) -> Result<T> {
    if value >= low && value <= high {
        return Ok(value);
    }
    Err(SqsError::InvalidParameter(format!(
        "Value {value} for parameter {name} is invalid. Reason: Must be >= {low} and <= {high}, if provided."
    )))
}
