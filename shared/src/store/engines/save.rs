//! Writing engines with what was predicted of them, and what that makes of their fleets' totals.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError as Refusal,
    types::{Put, TransactWriteItem},
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{Engines, database, row};
use crate::{
    domain::engine::{Engine, Prediction, Totals},
    error::{Error, Result},
    ids::{FleetId, Ids},
};

/// Most changes of one transaction, which takes a hundred writes: an engine, its prediction, its fleet's totals.
pub(super) const MOST_CHANGES: usize = 33;
/// How long a prediction is kept.
const KEPT_FOR: TimeDelta = TimeDelta::days(365);

/// An engine as it is to be, and as it was when it was read.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// None for an engine that was not known.
    pub before: Option<Engine>,
    pub after: Engine,
    /// What is to be added to its predictions.
    pub prediction: Option<Prediction>,
}

/// What came of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Done,
    /// Another writer was first: read again, then decide again.
    Conflict,
}

impl Engines {
    /// Writes all of `changes` ([`MOST_CHANGES`] at most, no engine twice) or nothing.
    pub(super) async fn save(&self, changes: &[Change], now: DateTime<Utc>) -> Result<Written> {
        let mut items = Vec::with_capacity(3 * changes.len());
        let mut differences: BTreeMap<&FleetId, Totals> = BTreeMap::new();
        for change in changes {
            items.push(self.engine_put(change)?);
            if let Some(prediction) = &change.prediction {
                items.push(self.put(row::prediction_item(&change.after, prediction, Ids.uuid(), now + KEPT_FOR)?)?);
            }
            let before = change.before.as_ref().map(Totals::of).unwrap_or_default();
            let difference = differences.entry(&change.after.fleet_id).or_default();
            *difference = *difference + Totals::of(&change.after) - before;
        }
        for (fleet, difference) in differences {
            if !difference.is_nothing() {
                items.push(self.add_item(fleet, difference, now)?);
            }
        }
        // A repetition under the same token is answered as the first was, if that arrived after all.
        let token = Ids.uuid().to_string();
        let write = self.aws.dynamodb().await.transact_write_items().client_request_token(token);
        match write.set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(Written::Done),
            Err(err) => match err.as_service_error() {
                Some(Refusal::TransactionCanceledException(canceled))
                    if canceled.cancellation_reasons().iter().all(|reason| is_conflict(reason.code())) =>
                {
                    Ok(Written::Conflict)
                }
                _ => Err(database(err)),
            },
        }
    }

    fn engine_put(&self, change: &Change) -> Result<TransactWriteItem> {
        let put = Put::builder().table_name(&self.table).set_item(Some(row::engine_item(&change.after)?));
        let put = match &change.before {
            None => put.condition_expression("attribute_not_exists(engine_key)"),
            Some(before) => put
                .condition_expression("version = :version")
                .expression_attribute_values(":version", row::number(before.version)),
        };
        Ok(TransactWriteItem::builder().put(put.build().map_err(Error::internal)?).build())
    }

    fn put(&self, item: super::Item) -> Result<TransactWriteItem> {
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build().map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// Whether a write failed because of another writer, or did not fail.
fn is_conflict(code: Option<&str>) -> bool {
    matches!(code, None | Some("None" | "ConditionalCheckFailed" | "TransactionConflict"))
}
