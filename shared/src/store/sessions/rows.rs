//! The items of a session's partition.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Loaded;
use crate::{
    clock::rfc3339,
    domain::{
        advice::{Advice, advise},
        position::Position,
        session::{End, EndReason, FrameNumber, Metadata, Session, SessionType},
        shot::{Shot, in_firing_order},
        statistics::Statistics,
        target::{Score, mm_to_um, um_to_mm},
    },
    error::{Error, Result},
    ids::{SessionId, UserId},
};

type Item = HashMap<String, AttributeValue>;

pub(super) const META: &str = "META";
/// The sparse index `active` is spread over this many partitions.
pub(super) const ACTIVE_SHARDS: u8 = 8;

/// Where a session was started from: stored, never returned.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    pub user_agent: Option<String>,
    pub address: Option<String>,
}

/// What the end of a session stores, so that every further call gives the same figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    pub end: End,
    pub statistics: Statistics,
    pub advice: Advice,
}

impl Ending {
    /// What a session's shots come to when it ends like this.
    pub fn of(loaded: &Loaded, end: End) -> Self {
        let session = loaded.session.clone().ended(end.reason, end.at);
        let shots = in_firing_order(loaded.shots.clone());
        let target = session.target_type();
        let statistics = Statistics::of(&shots, target.rings(), session.duration(end.at));
        Self { end, statistics, advice: advise(&shots, target) }
    }
}

/// A frame that was analysed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrameRow {
    pub number: FrameNumber,
    /// Lower-case hexadecimal.
    pub sha256: String,
    pub object_key: String,
    #[serde(with = "instant_serde")]
    pub analysed_at: DateTime<Utc>,
    /// The answer as it was given, so that a repeated call gets the same one.
    #[serde(with = "json_text")]
    pub analysis: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct MetaRow {
    session_id: SessionId,
    sk: String,
    user_id: UserId,
    started_by: UserId,
    session_type: SessionType,
    #[serde(with = "instant_serde")]
    created_at: DateTime<Utc>,
    /// As JSON text: the caller's own numbers come back exactly as they were given.
    metadata: String,
    version: u64,
    total_shots: u32,
    total_tenths: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_frame_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    active_shard: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_reason: Option<EndReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    statistics: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ShotRow {
    session_id: SessionId,
    sk: String,
    shot_id: Uuid,
    x_um: i64,
    y_um: i64,
    tenths: u16,
    first_frame: FrameNumber,
    confidence: f64,
    diameter_um: i64,
}

#[derive(Serialize)]
struct KeyedFrame<'a> {
    session_id: SessionId,
    sk: String,
    #[serde(flatten)]
    frame: &'a FrameRow,
}

pub(super) fn frame_sk(number: FrameNumber) -> String {
    format!("FRAME#{:06}", number.get())
}

pub(super) fn shot_sk(shot: &Shot) -> String {
    format!("SHOT#{}", shot.id)
}

pub(super) fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

pub(super) fn meta_item(session: &Session, origin: &Origin) -> Result<Item> {
    to_item(&MetaRow {
        session_id: session.id,
        sk: META.into(),
        user_id: session.user_id,
        started_by: session.started_by,
        session_type: session.session_type,
        created_at: session.created_at,
        metadata: json(&session.metadata)?,
        version: session.version,
        total_shots: session.total_shots,
        total_tenths: session.total_tenths,
        last_frame_at: session.last_frame_at.map(rfc3339),
        active_shard: session.end.is_none().then_some(active_shard(session.id)),
        user_agent: origin.user_agent.clone(),
        address: origin.address.clone(),
        ended_at: session.end.map(|end| rfc3339(end.at)),
        end_reason: session.end.map(|end| end.reason),
        statistics: None,
        advice: None,
    })
}

/// Spread by the id's first byte, which is random.
fn active_shard(id: SessionId) -> u8 {
    let [first, ..] = *id.0.as_bytes();
    first % ACTIVE_SHARDS
}

pub(super) fn frame_item(session_id: SessionId, frame: &FrameRow) -> Result<Item> {
    to_item(&KeyedFrame { session_id, sk: frame_sk(frame.number), frame })
}

pub(super) fn shot_item(session_id: SessionId, shot: &Shot) -> Result<Item> {
    to_item(&ShotRow {
        session_id,
        sk: shot_sk(shot),
        shot_id: shot.id,
        x_um: mm_to_um(shot.position.x_mm),
        y_um: mm_to_um(shot.position.y_mm),
        tenths: shot.score.tenths(),
        first_frame: shot.first_frame,
        confidence: shot.confidence,
        diameter_um: mm_to_um(shot.diameter_mm),
    })
}

fn shot(row: &ShotRow) -> Shot {
    Shot {
        id: row.shot_id,
        position: Position::new(um_to_mm(row.x_um), um_to_mm(row.y_um)),
        score: Score::from_tenths(row.tenths),
        first_frame: row.first_frame,
        confidence: row.confidence,
        diameter_mm: um_to_mm(row.diameter_um),
    }
}

/// A partition from `META` on: the session first, then its shots.
pub(super) fn loaded(items: Vec<Item>) -> Result<Option<Loaded>> {
    let mut items = items.into_iter();
    let Some(meta) =
        items.next().filter(|item| item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk == META))
    else {
        return Ok(None);
    };
    let (session, ending) = session(meta)?;
    let shots = items.map(|item| from_item(item).map(|row| shot(&row))).collect::<Result<_>>()?;
    Ok(Some(Loaded { session, shots, ending }))
}

pub(super) fn session(item: Item) -> Result<(Session, Option<Ending>)> {
    let row: MetaRow = from_item(item)?;
    let end = match (row.ended_at, row.end_reason) {
        (Some(at), Some(reason)) => Some(End { at: parse_instant(&at)?, reason }),
        _ => None,
    };
    let ending = match (end, row.statistics, row.advice) {
        (Some(end), Some(statistics), Some(advice)) => {
            Some(Ending { end, statistics: from_json(&statistics)?, advice: from_json(&advice)? })
        }
        _ => None,
    };
    let session = Session {
        id: row.session_id,
        user_id: row.user_id,
        started_by: row.started_by,
        session_type: row.session_type,
        created_at: row.created_at,
        metadata: from_json::<Metadata>(&row.metadata)?,
        version: row.version,
        total_shots: row.total_shots,
        total_tenths: row.total_tenths,
        last_frame_at: row.last_frame_at.as_deref().map(parse_instant).transpose()?,
        end,
    };
    Ok((session, ending))
}

fn parse_instant(text: &str) -> Result<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()).map_err(Error::internal)
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

fn to_item(row: &impl Serialize) -> Result<Item> {
    serde_dynamo::to_item(row).map_err(Error::internal)
}

pub(super) fn from_item<T: DeserializeOwned>(item: Item) -> Result<T> {
    serde_dynamo::from_item(item).map_err(Error::internal)
}

mod instant_serde {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::rfc3339(*at))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text).map(|at| at.to_utc()).map_err(D::Error::custom)
    }
}

mod json_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use serde_json::value::RawValue;

    pub fn serialize<S: Serializer>(json: &RawValue, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(json.get())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<RawValue>, D::Error> {
        RawValue::from_string(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
