//! The items of an engine's partition.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{CYCLES, Item, PREDICTIONS};
use crate::{
    clock::rfc3339,
    domain::engine::{Engine, Prediction, Reading, Status},
    error::{Error, Result},
    ids::{EngineId, FleetId},
};

pub(super) const META: &str = "META";

/// Where an engine without a prediction stands in the index: behind all others. No prediction is as long.
pub(super) const UNKNOWN_RUL: u32 = 1_000;

pub(super) fn key_of(fleet: &FleetId, engine: &EngineId) -> String {
    format!("{fleet}#{engine}")
}

pub(super) fn item_key(fleet: &FleetId, engine: &EngineId, sk: &str) -> Item {
    Item::from([("engine_key".to_owned(), text(key_of(fleet, engine))), ("sk".to_owned(), text(sk))])
}

pub(super) fn cycle_sk(cycle: u32) -> String {
    format!("{CYCLES}{cycle:06}")
}

pub(super) fn engine_item(engine: &Engine) -> Result<Item> {
    let mut item = item_key(&engine.fleet_id, &engine.engine_id, META);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put("fleet_id", text(&engine.fleet_id));
    put("engine_id", text(&engine.engine_id));
    put("status", text(engine.status.name()));
    put("created_at", text(rfc3339(engine.created_at)));
    put("version", number(engine.version));
    if let Some(unit) = engine.unit_number {
        put("unit_number", number(unit));
    }
    if let Some(at) = &engine.last_maintenance {
        put("last_maintenance", text(at));
    }
    if let Some(latest) = &engine.latest {
        put("prediction", text(json(latest)?));
    }
    // Without it, the engine is not in the index.
    if engine.status != Status::Retired {
        put("predicted_rul", number(engine.latest.as_ref().map_or(UNKNOWN_RUL, |latest| latest.predicted_rul)));
    }
    Ok(item)
}

/// An engine, out of its item or out of the index, which holds all of it but `created_at` and `version`.
pub(super) fn engine(item: &Item) -> Result<Engine> {
    let read = || {
        Some(Engine {
            fleet_id: FleetId::parse(read_text(item, "fleet_id")?).ok()?,
            engine_id: EngineId::parse(read_text(item, "engine_id")?).ok()?,
            status: Status::from_name(read_text(item, "status")?)?,
            unit_number: read_number(item, "unit_number"),
            last_maintenance: read_text(item, "last_maintenance").map(Into::into),
            created_at: read_text(item, "created_at").map_or(Some(DateTime::UNIX_EPOCH), |at| at.parse().ok())?,
            latest: match read_text(item, "prediction") {
                Some(json) => Some(serde_json::from_str(json).ok()?),
                None => None,
            },
            version: read_number(item, "version").unwrap_or_default(),
        })
    };
    read().ok_or_else(|| Error::internal(format!("an engine's row can't be read: {:?}", item.get("engine_key"))))
}

/// The numbers of a reading as one JSON list: a history is a thousand of them, and seventeen attributes each would be
/// most of the time that it takes to read it.
pub(super) fn reading_item(fleet: &FleetId, engine: &EngineId, reading: &Reading) -> Result<Item> {
    let mut item = item_key(fleet, engine, &cycle_sk(reading.cycle));
    let values: Vec<f64> = reading.values().collect();
    item.insert("reading".to_owned(), text(json(&values)?));
    Ok(item)
}

pub(super) fn reading(item: &Item) -> Result<Reading> {
    let read = || {
        let cycle = sk(item).strip_prefix(CYCLES)?.parse().ok()?;
        let values: [f64; 17] = serde_json::from_str(read_text(item, "reading")?).ok()?;
        let (settings, sensors) = values.split_first_chunk::<3>()?;
        Some(Reading { cycle, settings: *settings, sensors: sensors.try_into().ok()? })
    };
    read().ok_or_else(|| Error::internal(format!("a reading's row can't be read: {}", sk(item))))
}

pub(super) fn prediction_item(engine: &Engine, prediction: &Prediction, id: Uuid, ttl: DateTime<Utc>) -> Result<Item> {
    let sk = format!("{PREDICTIONS}{}#{id}", rfc3339(prediction.at));
    let mut item = item_key(&engine.fleet_id, &engine.engine_id, &sk);
    item.insert("prediction".to_owned(), text(json(prediction)?));
    item.insert("ttl".to_owned(), number(ttl.timestamp()));
    Ok(item)
}

pub(super) fn prediction(item: &Item) -> Result<Prediction> {
    parse(read_text(item, "prediction").unwrap_or_default())
}

pub(super) fn sk(item: &Item) -> &str {
    read_text(item, "sk").unwrap_or_default()
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(Error::internal)
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
