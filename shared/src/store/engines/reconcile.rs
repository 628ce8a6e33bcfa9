//! Holding the fleets' totals against their engines. The totals change with every engine in one transaction; what could
//! part them all the same is a restored table or a hand that edits it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Engines, Item, database,
    row::{UNKNOWN_RUL, number, read_number, read_text, sk, text},
    save::Written,
    totals::{SHARDS, TOTALS_RUL, shard_key, totals},
};
use crate::{
    domain::engine::Totals,
    error::{Error, Result},
    ids::FleetId,
};

/// An index may lag: a fleet that changed this lately is left to the next time.
const QUIET_FOR: TimeDelta = TimeDelta::minutes(1);

/// What a fleet's totals lack.
#[derive(Debug, Clone)]
pub struct Discrepancy {
    pub fleet: FleetId,
    pub lacks: Totals,
}

impl Engines {
    /// The fleets whose totals are not what their engines come to, as far as the index knows. Reads the whole index.
    pub async fn discrepancies(&self) -> Result<Vec<Discrepancy>> {
        let scan = self.aws.dynamodb().await.scan().table_name(&self.table).index_name("fleet");
        let mut pages = scan
            .projection_expression("fleet_id, predicted_rul, #total, predicted, critical, warning, rul_sum")
            .expression_attribute_names("#total", "total")
            .into_paginator()
            .send();
        let mut lacking: BTreeMap<String, Totals> = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(database)?.items() {
                let lacks = lacking.entry(read_text(item, "fleet_id").unwrap_or_default().to_owned()).or_default();
                *lacks = match read_number(item, "predicted_rul") {
                    Some(TOTALS_RUL) => *lacks - totals(item).0,
                    rul => *lacks + engine_in_index(rul),
                };
            }
        }
        let found = lacking.into_iter().filter(|(_, lacks)| !lacks.is_nothing());
        Ok(found.filter_map(|(id, lacks)| Some(Discrepancy { fleet: FleetId::parse(&id).ok()?, lacks })).collect())
    }

    /// Adds what a fleet's totals lack, on the condition that they have not changed since shortly before `since`: then the
    /// index knew all of it.
    pub async fn settle(&self, found: &Discrepancy, since: DateTime<Utc>, now: DateTime<Utc>) -> Result<Written> {
        let changed = self.totals_changed(&found.fleet).await?;
        let quiet_since = (since - QUIET_FOR).timestamp_millis();
        if changed.values().any(|at| *at > quiet_since) {
            return Ok(Written::Conflict);
        }
        let items = (0..SHARDS).map(|shard| self.settling_item(found, shard, changed.get(&shard), now));
        let write = self.aws.dynamodb().await.transact_write_items();
        match write.set_transact_items(Some(items.collect::<Result<_>>()?)).send().await {
            Ok(_) => Ok(Written::Done),
            Err(err) if err.as_service_error().is_some_and(|err| err.is_transaction_canceled_exception()) => {
                Ok(Written::Conflict)
            }
            Err(err) => Err(database(err)),
        }
    }

    /// When each part of a fleet's totals last changed, in milliseconds; strongly consistent.
    async fn totals_changed(&self, fleet: &FleetId) -> Result<BTreeMap<u8, i64>> {
        let query = self.aws.dynamodb().await.query().table_name(&self.table).consistent_read(true);
        let output = query
            .key_condition_expression("engine_key = :key")
            .expression_attribute_values(":key", text(format!("{fleet}#")))
            .send()
            .await
            .map_err(database)?;
        let shard = |item: &Item| sk(item).strip_prefix("TOTALS#")?.parse().ok();
        Ok(output.items().iter().filter_map(|item| Some((shard(item)?, totals(item).1))).collect())
    }

    /// The first part takes the difference; the others must only be as they were.
    fn settling_item(
        &self,
        found: &Discrepancy,
        shard: u8,
        changed: Option<&i64>,
        now: DateTime<Utc>,
    ) -> Result<TransactWriteItem> {
        let key = shard_key(&found.fleet, shard);
        let unchanged = if changed.is_some() { "changed_at = :at" } else { "attribute_not_exists(changed_at)" };
        let at = changed.map(number);
        let item = TransactWriteItem::builder();
        if shard == 0 {
            let mut update = self.adding(key, &found.fleet, found.lacks, now).condition_expression(unchanged);
            if let Some(at) = at {
                update = update.expression_attribute_values(":at", at);
            }
            return Ok(item.update(update.build().map_err(Error::internal)?).build());
        }
        let mut check =
            ConditionCheck::builder().table_name(&self.table).set_key(Some(key)).condition_expression(unchanged);
        if let Some(at) = at {
            check = check.expression_attribute_values(":at", at);
        }
        Ok(item.condition_check(check.build().map_err(Error::internal)?).build())
    }
}

/// What an engine adds, as the index knows it: only engines in service are there.
fn engine_in_index(rul: Option<i32>) -> Totals {
    Totals::of_rul(rul.and_then(|rul| u32::try_from(rul).ok()).filter(|rul| *rul < UNKNOWN_RUL))
}
