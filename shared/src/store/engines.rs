//! The Engines table: one partition an engine (`engine_key` = `<fleet>#<engine>`), and one a fleet's totals (`<fleet>#`).
//!
//! | `sk` | holds |
//! | --- | --- |
//! | `CYCLE#000123` | what the engine read over a cycle |
//! | `META` | the engine and its last prediction |
//! | `PREDICTION#<time>#<id>` | a prediction; kept for a year |
//! | `TOTALS#<shard>` | a part of the fleet's totals |
//!
//! They sort in this order, so that one query backwards from `META` reads an engine with its newest cycles. The sparse
//! index `fleet` (`fleet_id`, `predicted_rul`) holds the engines in service, the most critical first; before them, at
//! [`TOTALS_RUL`], the fleet's totals, so that one query reads a page and what the whole fleet comes to.
//!
//! An engine's `META`, its prediction and the difference to the totals are one transaction on the condition that the
//! engine's version has not moved: the totals are right at every moment.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    aws::Aws,
    domain::engine::{Engine, Prediction, Reading},
    error::{Error, Result},
    ids::{EngineId, FleetId},
};

mod edit;
mod fleet;
mod reconcile;
mod row;
mod save;
mod totals;
mod write_readings;

pub use edit::Edit;
pub use fleet::{FleetPage, Listed, Position};
pub use reconcile::Discrepancy;
pub use save::Written;

use super::batch_get::batch_get;
use row::{META, cycle_sk, item_key, key_of, text};

/// The first sort key of cycles.
const CYCLES: &str = "CYCLE#";
const PREDICTIONS: &str = "PREDICTION#";

type Item = HashMap<String, AttributeValue>;

/// The Engines table.
#[derive(Clone)]
pub struct Engines {
    aws: Aws,
    table: String,
}

impl Engines {
    pub fn new(aws: Aws, table: String) -> Self {
        Self { aws, table }
    }

    /// The engine, if it is known; strongly consistent.
    pub async fn find(&self, fleet: &FleetId, engine: &EngineId) -> Result<Option<Engine>> {
        let get = self.aws.dynamodb().await.get_item().table_name(&self.table).consistent_read(true);
        let output = get.set_key(Some(item_key(fleet, engine, META))).send().await.map_err(database)?;
        output.item.as_ref().map(row::engine).transpose()
    }

    /// Those of these engines that are known; strongly consistent. No engine may stand there twice.
    pub async fn find_all(&self, engines: &[(FleetId, EngineId)]) -> Result<Vec<Engine>> {
        let keys = engines.iter().map(|(fleet, engine)| item_key(fleet, engine, META)).collect();
        batch_get(&self.aws, &self.table, keys).await?.iter().map(row::engine).collect()
    }

    /// The engine and its newest readings, `most` at most, in the order of their cycles: one query, and a further one only
    /// for each megabyte.
    pub async fn history(
        &self,
        fleet: &FleetId,
        engine: &EngineId,
        most: usize,
    ) -> Result<(Option<Engine>, Vec<Reading>)> {
        let mut items = self.newest(fleet, engine, (CYCLES, META), most + 1).await?;
        let known = match items.first() {
            Some(item) if row::sk(item) == META => Some(row::engine(&items.remove(0))?),
            _ => None,
        };
        items.truncate(most);
        items.reverse();
        Ok((known, items.iter().map(row::reading).collect::<Result<_>>()?))
    }

    /// The engine's readings of the cycles after `after`, `most` at most, in the order of their cycles.
    pub async fn readings(&self, fleet: &FleetId, engine: &EngineId, after: u32, most: usize) -> Result<Vec<Reading>> {
        let query = self.aws.dynamodb().await.query().table_name(&self.table).consistent_read(true);
        let mut pages = query
            .key_condition_expression("engine_key = :key AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":key", text(key_of(fleet, engine)))
            .expression_attribute_values(":from", text(cycle_sk(after + 1)))
            .expression_attribute_values(":to", text(META))
            .limit(limit(most + 1))
            .into_paginator()
            .send();
        let mut readings = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(database)?.items() {
                if row::sk(item) != META && readings.len() < most {
                    readings.push(row::reading(item)?);
                }
            }
            if readings.len() >= most {
                break;
            }
        }
        Ok(readings)
    }

    /// The engine's last predictions, the newest first.
    pub async fn predictions(&self, fleet: &FleetId, engine: &EngineId, most: usize) -> Result<Vec<Prediction>> {
        let items = self.newest(fleet, engine, (PREDICTIONS, "PREDICTION$"), most).await?;
        items.iter().map(row::prediction).collect()
    }

    /// The last items of a range of sort keys, the last first; strongly consistent.
    async fn newest(
        &self,
        fleet: &FleetId,
        engine: &EngineId,
        (from, to): (&str, &str),
        most: usize,
    ) -> Result<Vec<Item>> {
        let query = self.aws.dynamodb().await.query().table_name(&self.table).consistent_read(true);
        let mut pages = query
            .key_condition_expression("engine_key = :key AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":key", text(key_of(fleet, engine)))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .scan_index_forward(false)
            .limit(limit(most))
            .into_paginator()
            .send();
        let mut items = Vec::new();
        while items.len() < most
            && let Some(page) = pages.next().await
        {
            items.extend(page.map_err(database)?.items.unwrap_or_default());
        }
        items.truncate(most);
        Ok(items)
    }
}

fn limit(most: usize) -> i32 {
    i32::try_from(most).unwrap_or(i32::MAX)
}

/// What the caller hears when the database does not answer.
fn database(err: impl Into<crate::error::Cause>) -> Error {
    Error::unavailable("the database is not available, try again", err)
}
