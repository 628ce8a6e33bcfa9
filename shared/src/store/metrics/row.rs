//! The items of Metrics.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{DocumentKey, Item, RowKey};
use crate::{
    clock::rfc3339,
    domain::metric::{AsOf, Observation},
    error::{Error, Result},
    ids::UserId,
};

/// DynamoDB's numbers end at 1e126. No observation that is worth anything comes near.
const LARGEST: f64 = 1e100;
/// And begin at 1e-130.
const SMALLEST: f64 = 1e-100;

/// An observation as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRow {
    pub key: RowKey,
    pub observation: Observation,
    pub as_of: AsOf,
}

/// Which observations a document has, and as of when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    pub as_of: AsOf,
    pub rows: BTreeSet<RowKey>,
    /// Whether its rows may be of several versions: it is more than one transaction takes, and is being written, or its writer has
    /// crashed. `rows` then are those of all these versions.
    pub unfinished: bool,
}

#[derive(Serialize, Deserialize)]
struct ObservationItem {
    user_id: UserId,
    sk: String,
    value: f64,
    observed_at: String,
    local_date: NaiveDate,
    as_of: AsOf,
    evidence: String,
    /// What most are is left out: the fewer attributes, the less there is to store, send and read.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    usual: bool,
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    current: bool,
}

fn yes() -> bool {
    true
}

#[derive(Serialize, Deserialize)]
struct DocumentItem {
    user_id: UserId,
    sk: String,
    as_of: AsOf,
    /// `<metric>#<n>`, apart by spaces: the rest of a row's key is the document's own.
    rows: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unfinished: bool,
}

/// The observation as it comes back from the table, so that it is the same before it was stored and after: times to the
/// millisecond and of years that have four digits, numbers that the database takes.
pub fn storable(mut observation: Observation) -> Observation {
    let value = observation.value;
    observation.value = if value.abs() < SMALLEST { 0.0 } else { value.clamp(-LARGEST, LARGEST) };
    let (first, last) = (DateTime::UNIX_EPOCH, DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default());
    observation.observed_at = observation.observed_at.trunc_subsecs(3).clamp(first, last);
    // Few digits are read back exactly.
    let coverage = &mut observation.evidence.coverage;
    *coverage = coverage.map(|share| (share * 1e4).round() / 1e4);
    observation
}

pub(super) fn observation_item(user: UserId, row: &StoredRow) -> Result<Item> {
    let StoredRow { key, observation, as_of } = row;
    to_item(ObservationItem {
        user_id: user,
        sk: key.sk(),
        value: observation.value,
        observed_at: rfc3339(observation.observed_at),
        local_date: observation.local_date,
        as_of: as_of.clone(),
        evidence: json(&observation.evidence)?,
        usual: observation.usual,
        current: observation.current,
    })
}

/// An observation; none for a document's row.
pub(super) fn observation(item: Item) -> Result<Option<StoredRow>> {
    let sk = item.get("sk").and_then(|sk| sk.as_s().ok()).map(String::as_str).unwrap_or_default();
    if sk.starts_with(DocumentKey::PREFIX) {
        return Ok(None);
    }
    let row: ObservationItem = from_item(item)?;
    let key = RowKey::parse(&row.sk).ok_or_else(|| foreign(&row.sk))?;
    let observation = Observation {
        metric: key.metric,
        value: row.value,
        observed_at: instant(&row.observed_at)?,
        local_date: row.local_date,
        ordinal: key.n,
        evidence: from_json(&row.evidence)?,
        usual: row.usual,
        current: row.current,
    };
    Ok(Some(StoredRow { key, observation, as_of: row.as_of }))
}

pub(super) fn document_item(user: UserId, key: &DocumentKey, document: &StoredDocument) -> Result<Item> {
    let rows: Vec<_> = document.rows.iter().map(|row| format!("{}#{}", row.metric.name(), row.n)).collect();
    to_item(DocumentItem {
        user_id: user,
        sk: key.sk(),
        as_of: document.as_of.clone(),
        rows: rows.join(" "),
        unfinished: document.unfinished,
    })
}

pub(super) fn document(item: Item) -> Result<((UserId, DocumentKey), StoredDocument)> {
    let row: DocumentItem = from_item(item)?;
    let key = DocumentKey::parse(&row.sk).ok_or_else(|| foreign(&row.sk))?;
    let rows = row.rows.split_terminator(' ').map(|name| {
        let (metric, n) = name.split_once('#')?;
        Some(key.row(crate::domain::metric::Metric::from_name(metric)?, n.parse().ok()?))
    });
    let rows = rows.collect::<Option<_>>().ok_or_else(|| foreign(&row.sk))?;
    Ok(((row.user_id, key), StoredDocument { as_of: row.as_of, rows, unfinished: row.unfinished }))
}

pub(super) fn foreign(sk: &str) -> Error {
    Error::internal(format!("a row that was not written here: {sk}"))
}

pub(super) fn instant(text: &str) -> Result<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()).map_err(Error::internal)
}

pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

pub(super) fn to_item(row: impl Serialize) -> Result<Item> {
    serde_dynamo::to_item(row).map_err(Error::internal)
}

pub(super) fn from_item<T: DeserializeOwned>(item: Item) -> Result<T> {
    serde_dynamo::from_item(item).map_err(Error::internal)
}
