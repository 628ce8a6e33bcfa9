//! A fleet, the most critical engine first, out of the index.

use super::{
    Engines, Item, database, limit,
    row::{self, META, UNKNOWN_RUL, key_of, number, read_number, text},
    totals::{SHARDS, TOTALS_RUL, totals},
};
use crate::{
    domain::engine::{Engine, Totals},
    error::Result,
    ids::{EngineId, FleetId},
};

/// A page of a fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetPage {
    pub engines: Vec<Listed>,
    /// The fleet's totals, where the page is the first one.
    pub totals: Option<Totals>,
    /// Whether there are further engines.
    pub more: bool,
}

/// An engine in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    pub engine: Engine,
    pub position: Position,
}

/// A place in a fleet's list: that of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub rul: u32,
    pub engine_id: EngineId,
}

impl Engines {
    /// A page of at most `most` engines in service, the most critical first, after a position: one query. Eventually
    /// consistent, as indexes are.
    pub async fn fleet(&self, fleet: &FleetId, after: Option<&Position>, most: usize) -> Result<FleetPage> {
        let totals_before = if after.is_none() { usize::from(SHARDS) } else { 0 };
        let wanted = totals_before + most + 1;
        let query = self.aws.dynamodb().await.query().table_name(&self.table).index_name("fleet");
        let mut pages = query
            .key_condition_expression("fleet_id = :fleet")
            .expression_attribute_values(":fleet", text(fleet))
            .set_exclusive_start_key(after.map(|after| start_key(fleet, after)))
            .limit(limit(wanted))
            .into_paginator()
            .send();
        let (mut items, mut sums) = (Vec::new(), Totals::default());
        // One page, unless that is more than a megabyte.
        while items.len() <= most
            && let Some(page) = pages.next().await
        {
            let page = page.map_err(database)?;
            let full = page.items().len() < wanted;
            for item in page.items.unwrap_or_default() {
                match place(&item) {
                    Some(TOTALS_RUL) => sums = sums + totals(&item).0,
                    _ => items.push(item),
                }
            }
            if full && page.last_evaluated_key.is_none() {
                break;
            }
        }
        let more = items.len() > most;
        let engines = items.iter().take(most).map(listed).collect::<Result<_>>()?;
        Ok(FleetPage { engines, totals: after.is_none().then_some(sums), more })
    }
}

fn place(item: &Item) -> Option<i32> {
    read_number(item, "predicted_rul")
}

fn listed(item: &Item) -> Result<Listed> {
    let engine = row::engine(item)?;
    let rul = read_number(item, "predicted_rul").unwrap_or(UNKNOWN_RUL);
    let position = Position { rul, engine_id: engine.engine_id.clone() };
    Ok(Listed { engine, position })
}

fn start_key(fleet: &FleetId, after: &Position) -> Item {
    Item::from([
        ("engine_key".to_owned(), text(key_of(fleet, &after.engine_id))),
        ("sk".to_owned(), text(META)),
        ("fleet_id".to_owned(), text(fleet)),
        ("predicted_rul".to_owned(), number(after.rul)),
    ])
}
