//! The items of the Webhooks table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::{Delivery, NewDelivery, Stored};
use crate::{
    clock::rfc3339,
    domain::metric::AsOf,
    error::{Error, Result},
    ids::DeliveryId,
    store::objects::webhook_key,
};

/// How long a delivery is kept.
const KEPT_FOR: TimeDelta = TimeDelta::days(90);
/// Longest body that stands in its row.
const MAX_INLINE: usize = 4 * 1024;

pub(super) type Item = HashMap<String, AttributeValue>;

/// Where a delivery's body goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Row(&'a str),
    /// The object's key.
    Object(String),
}

/// A row as it is read; some have a body, the others an object's key.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    delivery_id: DeliveryId,
    kind: String,
    sha256: String,
    received_at: String,
    as_of: AsOf,
    receipt: Option<String>,
    pub body: Option<String>,
    pub object_key: Option<String>,
}

impl<'a> Place<'a> {
    pub(super) fn of(delivery: &'a NewDelivery) -> Self {
        // What is no text comes back from an object exactly as it was.
        match std::str::from_utf8(&delivery.body) {
            Ok(text) if text.len() <= MAX_INLINE => Self::Row(text),
            _ => Self::Object(webhook_key(delivery.terra_user_id.as_deref(), &delivery.id)),
        }
    }
}

/// Everything but the body.
pub(super) fn item(delivery: &NewDelivery) -> Item {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let mut item = Item::from([
        ("delivery_id".to_owned(), text(&delivery.id.0)),
        ("kind".to_owned(), text(&delivery.kind)),
        ("sha256".to_owned(), text(&delivery.sha256)),
        ("received_at".to_owned(), text(&rfc3339(delivery.received_at))),
        ("as_of".to_owned(), text(delivery.as_of.as_str())),
        ("receipt".to_owned(), AttributeValue::S(delivery.receipt.to_string())),
        ("ttl".to_owned(), AttributeValue::N((delivery.received_at + KEPT_FOR).timestamp().to_string())),
    ]);
    if let Some(user) = &delivery.terra_user_id {
        item.insert("terra_user_id".to_owned(), text(user));
    }
    item
}

pub(super) fn read(item: Item) -> Result<Row> {
    serde_dynamo::from_item(item).map_err(Error::internal)
}

/// What a row says that was there before; new where it is this receipt's own.
pub(super) fn known(item: Item, receipt: Uuid) -> Result<Stored> {
    let row = read(item)?;
    if row.receipt.as_deref() == Some(receipt.to_string().as_str()) {
        return Ok(Stored::New);
    }
    let received_at = row.received_at()?;
    Ok(Stored::Known { sha256: row.sha256, received_at, as_of: row.as_of })
}

impl Row {
    pub(super) fn with(self, body: Bytes) -> Result<Delivery> {
        let received_at = self.received_at()?;
        Ok(Delivery { id: self.delivery_id, kind: self.kind, body, received_at, as_of: self.as_of })
    }

    fn received_at(&self) -> Result<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(&self.received_at).map(|at| at.to_utc()).map_err(Error::internal)
    }
}
