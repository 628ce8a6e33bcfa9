//! Which document an element is, and when it was.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

use super::{
    Unplaced,
    read::{at, date, time},
};
use crate::domain::terra::DataType;

/// The longest `summary_id` that stands in a key as it is.
const LONGEST_KEY: usize = 128;
/// No day, night or activity that samples could cover is longer: beyond it a time is wrong.
const LONGEST_INTERVAL: TimeDelta = TimeDelta::hours(48);

/// Which document an element is, and when it was.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub key: String,
    pub observed_at: DateTime<Utc>,
    /// The user's own day.
    pub local_date: NaiveDate,
    pub is_nap: bool,
    start: Option<DateTime<FixedOffset>>,
    end: Option<DateTime<FixedOffset>>,
}

impl Place {
    pub(super) fn of(data_type: DataType, item: &Value) -> Result<Self, Unplaced> {
        match data_type {
            DataType::Activity => Self::by_id(item, false),
            DataType::Sleep => Self::by_id(item, true),
            DataType::Body | DataType::Daily | DataType::Menstruation | DataType::Nutrition => Self::by_date(item),
            // Nothing is read from them, so nothing depends on where they belong.
            DataType::Athlete | DataType::Hormone | DataType::PlannedWorkout => Ok(Self {
                key: data_type.name().to_owned(),
                observed_at: DateTime::default(),
                local_date: NaiveDate::default(),
                is_nap: false,
                start: None,
                end: None,
            }),
        }
    }

    /// By the date that stands in `start_time`: the user's own, whatever the offset makes of it elsewhere.
    fn by_date(item: &Value) -> Result<Self, Unplaced> {
        let text = at(item, "metadata.start_time").and_then(Value::as_str);
        let date = text.and_then(|text| date(text.get(..10)?));
        let local_date = date.ok_or(Unplaced("metadata.start_time says no date"))?;
        let (start, end) = times(item);
        // What has not ended yet says so by an end that lies ahead. It stays: nobody here knows what time it is.
        let observed_at = end.or(start).map(|time| time.to_utc());
        let observed_at = observed_at.or_else(|| Some(local_date.and_hms_opt(0, 0, 0)?.and_utc()));
        Ok(Self {
            key: local_date.to_string(),
            observed_at: observed_at.unwrap_or_default(),
            local_date,
            is_nap: false,
            start,
            end,
        })
    }

    /// By `summary_id`, or where there is none by the start. Its day is that of its end, as a night's is the morning's,
    /// or that of its start, as an activity's.
    fn by_id(item: &Value, belongs_to_its_end: bool) -> Result<Self, Unplaced> {
        let (start, end) = times(item);
        let id = at(item, "metadata.summary_id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
        let start_as_id = || Some(start?.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true));
        let id = id.or_else(start_as_id).ok_or(Unplaced("metadata has neither a summary_id nor a start_time"))?;
        let observed_at = end.or(start).ok_or(Unplaced("metadata has neither a start_time nor an end_time"))?;
        let its_day = if belongs_to_its_end { end.or(start) } else { start.or(end) };
        Ok(Self {
            key: plain(id),
            observed_at: observed_at.to_utc(),
            local_date: its_day.unwrap_or(observed_at).date_naive(),
            is_nap: at(item, "metadata.is_nap").and_then(Value::as_bool).unwrap_or(false),
            start,
            end,
        })
    }

    /// From the start to the end, where both are there and can be what they say.
    pub(super) fn interval(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let (start, end) = (self.start?.to_utc(), self.end?.to_utc());
        (TimeDelta::zero() < end - start && end - start <= LONGEST_INTERVAL).then_some((start, end))
    }

    /// From the start to the end in seconds; negative where the end comes first.
    pub(super) fn seconds(&self) -> Option<f64> {
        Some((self.end? - self.start?).as_seconds_f64())
    }
}

fn times(item: &Value) -> (Option<DateTime<FixedOffset>>, Option<DateTime<FixedOffset>>) {
    let of = |path| at(item, path).and_then(time);
    (of("metadata.start_time"), of("metadata.end_time"))
}

/// An id that others chose, as a part of a key: itself, or else its SHA-256.
fn plain(id: String) -> String {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    if id.len() <= LONGEST_KEY && id.bytes().all(harmless) {
        return id;
    }
    digest(&SHA256, id.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
