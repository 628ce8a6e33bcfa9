//! The items of Metrics and LatestMetrics.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{DocumentKey, Item, LatestKey, Reading, RowKey, daily};
use crate::{
    clock::rfc3339,
    domain::metric::{AsOf, Components, Latest, Newest, Observation},
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

/// What a connection says of a metric, with the version that it is.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredLatest {
    pub latest: Latest,
    pub version: Uuid,
    /// As they were when it was written.
    components: Option<String>,
}

impl StoredLatest {
    /// As [`Metrics::write`](super::Metrics::write) has stored it.
    pub fn new(latest: Latest, version: Uuid) -> Self {
        Self { components: latest.components().and_then(|components| json(&components).ok()), latest, version }
    }

    /// Whether it says the same as `latest`, worked out by today's rules.
    pub fn says(&self, latest: &Latest) -> bool {
        self.latest == *latest && self.components == latest.components().and_then(|components| json(&components).ok())
    }
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
    usual: bool,
    current: bool,
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

#[derive(Serialize, Deserialize)]
struct LatestItem {
    user_id: UserId,
    sk: String,
    version: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none", flatten)]
    newest: Option<NewestItem>,
    daily: String,
}

#[derive(Serialize, Deserialize)]
struct NewestItem {
    value: f64,
    observed_at: String,
    local_date: NaiveDate,
    as_of: AsOf,
    row: String,
    provider: String,
    evidence: String,
    components: String,
}

/// What [`Reading`] needs of a [`LatestItem`]; without a newest observation there is nothing to read.
#[derive(Deserialize)]
struct ReadingItem {
    sk: String,
    value: Option<f64>,
    observed_at: Option<String>,
    local_date: Option<NaiveDate>,
    provider: Option<String>,
    components: Option<String>,
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

pub(super) fn latest_item(user: UserId, key: LatestKey, latest: &Latest, version: Uuid) -> Result<Item> {
    let newest = latest.newest.clone().zip(latest.components());
    let newest = newest.map(|(newest, components)| newest_item(newest, &components)).transpose()?;
    to_item(LatestItem { user_id: user, sk: key.sk(), version, newest, daily: daily::write(&latest.daily) })
}

fn newest_item(newest: Newest, components: &Components) -> Result<NewestItem> {
    Ok(NewestItem {
        value: newest.value,
        observed_at: rfc3339(newest.observed_at),
        local_date: newest.local_date,
        as_of: newest.as_of,
        row: newest.row,
        provider: newest.evidence.provider.clone(),
        evidence: json(&newest.evidence)?,
        components: json(components)?,
    })
}

pub(super) fn latest(item: Item) -> Result<((UserId, LatestKey), StoredLatest)> {
    let row: LatestItem = from_item(item)?;
    let key = LatestKey::parse(&row.sk).ok_or_else(|| foreign(&row.sk))?;
    let components = row.newest.as_ref().map(|newest| newest.components.clone());
    let newest = row.newest.map(|newest| {
        Ok::<_, Error>(Newest {
            value: newest.value,
            observed_at: instant(&newest.observed_at)?,
            local_date: newest.local_date,
            as_of: newest.as_of,
            row: newest.row,
            evidence: from_json(&newest.evidence)?,
        })
    });
    let daily = daily::read(&row.daily, key).ok_or_else(|| foreign(&row.sk))?;
    let latest = Latest { metric: key.metric, newest: newest.transpose()?, daily };
    Ok(((row.user_id, key), StoredLatest { latest, version: row.version, components }))
}

pub(super) fn reading(item: Item) -> Result<Option<Reading>> {
    let row: ReadingItem = from_item(item)?;
    let LatestKey { metric, connection } = LatestKey::parse(&row.sk).ok_or_else(|| foreign(&row.sk))?;
    let (Some(value), Some(observed_at), Some(local_date), Some(source), Some(components)) =
        (row.value, row.observed_at, row.local_date, row.provider, row.components)
    else {
        return Ok(None);
    };
    let (observed_at, components) = (instant(&observed_at)?, from_json(&components)?);
    Ok(Some(Reading { metric, connection, value, observed_at, local_date, source, components }))
}

fn foreign(sk: &str) -> Error {
    Error::internal(format!("a row that was not written here: {sk}"))
}

fn instant(text: &str) -> Result<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()).map_err(Error::internal)
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

fn to_item(row: impl Serialize) -> Result<Item> {
    serde_dynamo::to_item(row).map_err(Error::internal)
}

fn from_item<T: DeserializeOwned>(item: Item) -> Result<T> {
    serde_dynamo::from_item(item).map_err(Error::internal)
}
