//! The items of LatestMetrics.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Item, LatestKey, Reading, daily, origin,
    row::{foreign, from_item, from_json, instant, json, to_item},
};
use crate::{
    clock::rfc3339,
    domain::metric::{Components, Evidence, Latest, Newest},
    error::Result,
    ids::UserId,
};

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
        Self { components: components(&latest), latest, version }
    }

    /// Whether it says the same as `latest`, worked out by today's rules.
    pub fn says(&self, latest: &Latest) -> bool {
        self.latest == *latest && self.components == components(latest)
    }
}

#[derive(Serialize)]
struct LatestItem {
    user_id: UserId,
    sk: String,
    version: Uuid,
    #[serde(flatten)]
    newest: Option<NewestItem>,
    daily: String,
}

#[derive(Serialize)]
struct NewestItem {
    value: f64,
    observed_at: String,
    local_date: NaiveDate,
    /// Key and ordinal of its row, and as of when it is.
    origin: String,
    evidence: String,
    components: String,
}

/// An item as it is read, whole or what a reader asks for of it. Without a newest observation its fields are not there.
#[derive(Deserialize)]
struct ReadItem {
    user_id: Option<UserId>,
    sk: String,
    version: Option<Uuid>,
    value: Option<f64>,
    observed_at: Option<String>,
    local_date: Option<NaiveDate>,
    origin: Option<String>,
    evidence: Option<String>,
    components: Option<String>,
    daily: Option<String>,
}

pub(super) fn item(user: UserId, key: LatestKey, latest: &Latest, version: Uuid) -> Result<Item> {
    let newest = latest.newest.as_ref().zip(components(latest));
    let newest = newest.map(|(newest, components)| newest_item(newest, components)).transpose()?;
    to_item(LatestItem { user_id: user, sk: key.sk(), version, newest, daily: daily::write(&latest.daily) })
}

fn newest_item(newest: &Newest, components: String) -> Result<NewestItem> {
    Ok(NewestItem {
        value: newest.value,
        observed_at: rfc3339(newest.observed_at),
        local_date: newest.local_date,
        origin: origin::write(&newest.row, &newest.as_of).ok_or_else(|| foreign(&newest.row))?,
        evidence: json(&newest.evidence)?,
        components,
    })
}

/// As they are stored: to six digits, which are read back exactly.
fn components(latest: &Latest) -> Option<String> {
    let digits = |share: f64| (share * 1e6).round() / 1e6;
    let Components { completeness, source, plausibility, sufficiency } = latest.components()?;
    let [completeness, source, plausibility, sufficiency] =
        [completeness, source, plausibility, sufficiency].map(digits);
    json(&Components { completeness, source, plausibility, sufficiency }).ok()
}

pub(super) fn stored(item: Item) -> Result<((UserId, LatestKey), StoredLatest)> {
    let item: ReadItem = from_item(item)?;
    let key = LatestKey::parse(&item.sk).ok_or_else(|| foreign(&item.sk))?;
    let newest = item.newest(key)?;
    let (Some(user), Some(version), Some(daily)) = (item.user_id, item.version, item.daily) else {
        return Err(foreign(&item.sk));
    };
    let daily = daily::read(&daily, key).ok_or_else(|| foreign(&item.sk))?;
    let latest = Latest { metric: key.metric, newest, daily };
    Ok(((user, key), StoredLatest { latest, version, components: item.components }))
}

/// What a reader is told; nothing where there is no newest observation.
pub(super) fn reading(item: Item) -> Result<Option<Reading>> {
    let item: ReadItem = from_item(item)?;
    let key = LatestKey::parse(&item.sk).ok_or_else(|| foreign(&item.sk))?;
    let LatestKey { metric, connection } = key;
    let (Some(Newest { value, observed_at, local_date, evidence, .. }), Some(components)) =
        (item.newest(key)?, &item.components)
    else {
        return Ok(None);
    };
    let (source, components) = (evidence.provider, from_json(components)?);
    Ok(Some(Reading { metric, connection, value, observed_at, local_date, source, components }))
}

impl ReadItem {
    fn newest(&self, key: LatestKey) -> Result<Option<Newest>> {
        let Some(origin) = &self.origin else { return Ok(None) };
        let (Some(value), Some(observed_at), Some(local_date), Some(evidence)) =
            (self.value, &self.observed_at, self.local_date, &self.evidence)
        else {
            return Err(foreign(&self.sk));
        };
        let (row, as_of) = origin::read(origin, key).ok_or_else(|| foreign(&self.sk))?;
        let (observed_at, evidence) = (instant(observed_at)?, from_json::<Evidence>(evidence)?);
        Ok(Some(Newest { value, observed_at, local_date, as_of, row, evidence }))
    }
}
