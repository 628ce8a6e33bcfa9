//! A job's row.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use tracing::error;
use uuid::Uuid;

use super::State;
use crate::{
    clock::rfc3339,
    error::{Error, Result},
    ids::JobId,
    jobs::{NewJob, UNPARSABLE},
};

pub(super) type Item = HashMap<String, AttributeValue>;

/// Most bytes of a payload in a row: a hundred such rows stay below the 4 MB that one transaction may touch.
pub const MAX_PAYLOAD: usize = 32 * 1024;
/// The index `queued` is spread over this many partitions.
pub(super) const SHARDS: u8 = 8;
/// How long a row stays after it last changed its state.
const KEPT_FOR: TimeDelta = TimeDelta::days(30);
/// Most characters of an error that are kept.
const ERROR_LENGTH: usize = 500;

/// A job as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: JobId,
    /// The job's type, or [`UNPARSABLE`].
    pub kind: String,
    pub payload: Payload,
    pub state: State,
    pub epoch: u64,
    /// Failed attempts of this epoch.
    pub attempts: u32,
    /// Runs of this epoch that ended without a word.
    pub crashes: u32,
    /// Until when a worker holds it, where its state is running.
    pub leased_until: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// When it is to be worked on, where its state is queued.
    pub due_at: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
    pub retried_at: Option<DateTime<Utc>>,
}

/// What a row holds of its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The job as JSON, or a message that is none.
    Text(String),
    /// The key of an object that holds it.
    Object(String),
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Queued, Self::Running, Self::Done, Self::Dead].into_iter().find(|state| state.name() == name)
    }
}

impl Row {
    /// Of a job that comes into being under a lease.
    pub(crate) fn of_new(job: &NewJob, epoch: u64) -> Self {
        Self {
            id: job.id,
            kind: job.job.kind().into(),
            payload: Payload::Text(String::new()),
            state: State::Running,
            epoch,
            attempts: 0,
            crashes: 0,
            leased_until: None,
            created_at: job.created_at,
            due_at: None,
            last_error: None,
            retried_at: None,
        }
    }

    /// Reads a row. One that makes no sense counts as none and is logged: its message then ends where the others end that
    /// nobody can do anything with, and is not lost.
    pub(super) fn read(item: &Item) -> Option<Self> {
        let row = Self::try_read(item);
        if row.is_none() {
            error!(job_id = read_text(item, "job_id"), "a job's row can't be read");
        }
        row
    }

    fn try_read(item: &Item) -> Option<Self> {
        let payload = match (read_text(item, "payload"), read_text(item, "payload_key")) {
            (Some(payload), _) => Payload::Text(payload.into()),
            (None, Some(key)) => Payload::Object(key.into()),
            (None, None) => return None,
        };
        Some(Self {
            id: JobId(Uuid::try_parse(read_text(item, "job_id")?).ok()?),
            kind: read_text(item, "type")?.into(),
            payload,
            state: State::parse(read_text(item, "state")?)?,
            epoch: read_number(item, "epoch")?,
            attempts: read_number(item, "attempts").unwrap_or_default(),
            crashes: read_number(item, "crashes").unwrap_or_default(),
            leased_until: read_time(item, "leased_until"),
            created_at: read_time(item, "created_at")?,
            due_at: read_time(item, "due_at"),
            last_error: read_text(item, "last_error").map(Into::into),
            retried_at: read_time(item, "retried_at"),
        })
    }
}

/// A new job's row, queued.
pub(super) fn new_item(job: &NewJob) -> Result<Item> {
    let mut item = base_item(job, 1)?;
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put("state", text(State::Queued.name()));
    put("due_at", text(rfc3339(job.created_at)));
    put("queued_shard", number(shard(job.id)));
    Ok(item)
}

/// What stands in every job's row.
///
/// # Errors
/// `TooLarge`
pub(super) fn base_item(job: &NewJob, epoch: u64) -> Result<Item> {
    let payload = serde_json::to_string(&job.job).map_err(Error::internal)?;
    if payload.len() > MAX_PAYLOAD {
        return Err(Error::TooLarge(format!("a job of {} bytes; {MAX_PAYLOAD} at most", payload.len())));
    }
    let mut item = Item::from([
        ("job_id".to_owned(), text(job.id)),
        ("type".to_owned(), text(job.job.kind())),
        ("payload".to_owned(), text(payload)),
        ("epoch".to_owned(), number(epoch)),
        ("attempts".to_owned(), number(0)),
        ("crashes".to_owned(), number(0)),
        ("created_at".to_owned(), text(rfc3339(job.created_at))),
        ("ttl".to_owned(), number(expires(job.created_at))),
    ]);
    if let Some(operation) = job.job.operation_id() {
        item.insert("operation_id".to_owned(), text(operation));
    }
    Ok(item)
}

/// A message that is no job, as a dead job of its own.
pub(super) fn unparsable_item(id: JobId, payload: &Payload, why: &str, now: DateTime<Utc>) -> Item {
    let (name, value) = match payload {
        Payload::Text(body) => ("payload", body),
        Payload::Object(key) => ("payload_key", key),
    };
    Item::from([
        ("job_id".to_owned(), text(id)),
        ("type".to_owned(), text(UNPARSABLE)),
        (name.to_owned(), text(value)),
        ("state".to_owned(), text(State::Dead.name())),
        ("dead_type".to_owned(), text(UNPARSABLE)),
        ("epoch".to_owned(), number(1)),
        ("attempts".to_owned(), number(0)),
        ("crashes".to_owned(), number(0)),
        ("last_error".to_owned(), text(cut(why))),
        ("failed_at".to_owned(), text(rfc3339(now))),
        ("created_at".to_owned(), text(rfc3339(now))),
        ("ttl".to_owned(), number(expires(now))),
    ])
}

/// Spread by the id's last byte, which is random in ours; of hand-made ids any may be taken.
pub(super) fn shard(id: JobId) -> u8 {
    let [.., last] = *id.0.as_bytes();
    last % SHARDS
}

/// When a row that changes its state now may be deleted.
pub(super) fn expires(now: DateTime<Utc>) -> i64 {
    (now + KEPT_FOR).timestamp()
}

/// An error's text as a row keeps it.
pub(super) fn cut(error: &str) -> String {
    match error.char_indices().nth(ERROR_LENGTH) {
        Some((end, _)) => format!("{}…", error.get(..end).unwrap_or_default()),
        None => error.to_owned(),
    }
}

pub(super) fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn read_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(super) fn read_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(super) fn read_time(item: &Item, name: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(read_text(item, name)?).ok().map(|at| at.to_utc())
}
