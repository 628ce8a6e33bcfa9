//! Users' health metrics: the tables Metrics and LatestMetrics.
//!
//! | table | `sk` | holds |
//! | --- | --- | --- |
//! | Metrics | `<metric>#<local date or summary id>#<connection>#<n>` | an observation |
//! | Metrics | `document#<type>#<local date or summary id>#<connection>` | as of when these observations are, and which they are: what guards them all |
//! | LatestMetrics | `<metric>#<connection>` | what the connection says of the metric at the moment, and its last days |
//!
//! Whoever writes an observation also writes the row of LatestMetrics that it concerns, under a new version, even where it
//! says the same as before: so whoever works out such a row from all observations finds its version moved if it has missed
//! one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, NaiveDate, Utc};

use super::batch_get::batch_get;
use crate::{
    aws::Aws,
    domain::metric::{Components, Metric},
    error::{Error, Result},
    ids::{ConnectionId, UserId},
};

mod daily;
mod keys;
mod latest_row;
mod origin;
mod query;
mod row;
mod write;

pub use keys::{DocumentKey, LatestKey, RowKey};
pub use latest_row::StoredLatest;
pub use row::{StoredDocument, StoredRow, storable};
pub use write::{DocumentWrite, LatestWrite, MOST_WRITES, Segment, Written};

type Item = HashMap<String, AttributeValue>;

/// The tables Metrics and LatestMetrics.
#[derive(Clone)]
pub struct Metrics {
    aws: Aws,
    table: String,
    latest: String,
}

/// What a connection says of a metric at the moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub metric: Metric,
    pub connection: ConnectionId,
    pub value: f64,
    pub observed_at: DateTime<Utc>,
    pub local_date: NaiveDate,
    /// The provider's name.
    pub source: String,
    pub components: Components,
}

/// What is stored under some keys. What is not in it is not stored.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    pub documents: HashMap<(UserId, DocumentKey), StoredDocument>,
    pub latest: HashMap<(UserId, LatestKey), StoredLatest>,
}

impl Metrics {
    pub fn new(aws: Aws, table: String, latest: String) -> Self {
        Self { aws, table, latest }
    }

    /// Everything that the user's connections say at the moment: one query, and a further one only for each megabyte.
    ///
    /// Eventually consistent, at half the price: what was true a moment ago will do for a reader, who could as well have
    /// asked a moment ago. What is written is decided on [`Metrics::standing`].
    pub async fn latest(&self, user: UserId) -> Result<Vec<Reading>> {
        let query = self.aws.dynamodb().await.query().table_name(&self.latest);
        let mut pages = query
            .key_condition_expression("user_id = :user")
            .expression_attribute_values(":user", text(user))
            .projection_expression("sk, #value, observed_at, local_date, origin, evidence, components")
            .expression_attribute_names("#value", "value")
            .into_paginator()
            .send();
        let mut readings = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(database)?.items.unwrap_or_default() {
                readings.extend(latest_row::reading(item)?);
            }
        }
        Ok(readings)
    }

    /// What is stored under these keys, strongly consistent. No key may stand there twice.
    pub async fn standing(
        &self,
        documents: &[(UserId, DocumentKey)],
        latest: &[(UserId, LatestKey)],
    ) -> Result<Standing> {
        let of_documents = documents.iter().map(|(user, key)| item_key(*user, &key.sk())).collect();
        let of_latest = latest.iter().map(|(user, key)| item_key(*user, &key.sk())).collect();
        let (document_items, latest_items) = tokio::try_join!(
            batch_get(&self.aws, &self.table, of_documents),
            batch_get(&self.aws, &self.latest, of_latest),
        )?;
        Ok(Standing {
            documents: document_items.into_iter().map(row::document).collect::<Result<_>>()?,
            latest: latest_items.into_iter().map(latest_row::stored).collect::<Result<_>>()?,
        })
    }
}

fn item_key(user: UserId, sk: &str) -> Item {
    HashMap::from([("user_id".to_owned(), text(user)), ("sk".to_owned(), text(sk))])
}

fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// What the caller hears when the database does not answer.
fn database(err: impl Into<crate::error::Cause>) -> Error {
    Error::unavailable("the database is not available, try again", err)
}
