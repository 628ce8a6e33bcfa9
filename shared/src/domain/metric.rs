//! Unified metrics: which there are, how a provider's measurements become observations, and how far each is to be
//! trusted.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{domain::terra::DataType, ids::DeliveryId};

mod confidence;
mod latest;
mod normalise;
mod table;
mod tally;

pub use confidence::{Components, Confidence, History, Quality};
pub use latest::{Daily, Fit, Latest, Newest};
pub use normalise::normalise;
pub use table::Metric;
pub use tally::{Scores, tally};

/// When a delivery was true, so that of two the newer wins whichever comes first: the sender's time, then the
/// delivery's id. Sorts as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AsOf(String);

impl AsOf {
    /// `at` is the ordering timestamp, or the receipt where there is none.
    pub fn new(at: DateTime<Utc>, delivery: &DeliveryId) -> Self {
        Self(format!("{:015}#{delivery}", at.timestamp_millis().max(0)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The time in it.
    pub fn at(&self) -> DateTime<Utc> {
        let millis = self.0.split('#').next().and_then(|text| text.parse().ok());
        millis.and_then(DateTime::from_timestamp_millis).unwrap_or_default()
    }
}

/// How a value came about, as Terra's `upload_type` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadType {
    #[default]
    Unknown,
    Automatic,
    Manual,
    Update,
    External,
    Pending,
    ThirdParty,
}

/// The stretch of time that a value stands for. A run's average heart rate says nothing about a night's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stretch {
    Day,
    Night,
    Activity,
    /// A measurement at a moment, as on a scale.
    Moment,
}

/// What speaks for and against a value, out of its own payload: the input of its confidence, kept so that it can be
/// worked out again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub provider: String,
    pub upload_type: UploadType,
    pub stretch: Stretch,
    /// Fields that the event has of those that it should have.
    pub fields_present: u16,
    pub fields_expected: u16,
    /// Share of the day, night or activity that samples cover, 0 to 1; where there are any, and it has a beginning and
    /// an end.
    pub coverage: Option<f64>,
    /// Samples behind the value; 0 where only the summary came.
    pub samples: u32,
    /// What else in the same payload says that it can't be.
    pub contradictions: u8,
}

/// One value of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    pub metric: Metric,
    pub value: f64,
    pub observed_at: DateTime<Utc>,
    /// The user's own day that it stands for.
    pub local_date: NaiveDate,
    /// Tells apart what lies under one key of one metric, in all the documents that share the key: `n` of the row's
    /// key.
    pub ordinal: u32,
    pub evidence: Evidence,
    /// Whether it stands for a whole day or night: naps and activities are no part of a user's usual values, and no nap
    /// is the latest night.
    pub usual: bool,
    /// Whether it may stand as the latest value of its metric.
    pub current: bool,
}

/// What one element of an event's `data` comes to. It replaces what came before under the same key.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub data_type: DataType,
    /// `summary_id`, or the local date: the `<local date or summary_id>` of the rows' keys.
    pub key: String,
    pub observations: Vec<Observation>,
}

/// Why an element of `data` can't be placed, e.g. it says neither when it was nor which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unplaced(pub &'static str);
