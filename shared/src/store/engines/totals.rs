//! A fleet's totals, spread over a few items, so that writers who are done at the same time seldom meet in one.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use chrono::{DateTime, Utc};

use super::{
    Engines, Item,
    row::{number, read_number, text},
};
use crate::{
    domain::engine::Totals,
    error::{Error, Result},
    ids::FleetId,
};

/// Parts of a fleet's totals.
pub(super) const SHARDS: u8 = 8;
/// Where the totals stand in the index: before every engine.
pub(super) const TOTALS_RUL: i32 = -1;

pub(super) fn shard_key(fleet: &FleetId, shard: u8) -> Item {
    Item::from([
        ("engine_key".to_owned(), text(format!("{fleet}#"))),
        ("sk".to_owned(), text(format!("TOTALS#{shard}"))),
    ])
}

/// A part of a fleet's totals, and when it last changed, in milliseconds.
pub(super) fn totals(item: &Item) -> (Totals, i64) {
    let count = |name| read_number(item, name).unwrap_or_default();
    let totals = Totals {
        total: count("total"),
        predicted: count("predicted"),
        critical: count("critical"),
        warning: count("warning"),
        rul_sum: count("rul_sum"),
    };
    (totals, count("changed_at"))
}

impl Engines {
    /// The write that adds a difference to a part of the fleet's totals, drawn anew each time.
    pub(super) fn add_item(&self, fleet: &FleetId, change: Totals, now: DateTime<Utc>) -> Result<TransactWriteItem> {
        let update = self.adding(shard_key(fleet, rand::random_range(0..SHARDS)), fleet, change, now);
        Ok(TransactWriteItem::builder().update(update.build().map_err(Error::internal)?).build())
    }

    pub(super) fn adding(
        &self,
        key: Item,
        fleet: &FleetId,
        change: Totals,
        now: DateTime<Utc>,
    ) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        let Totals { total, predicted, critical, warning, rul_sum } = change;
        let mut update = Update::builder().table_name(&self.table).set_key(Some(key)).update_expression(
            "SET fleet_id = :fleet, predicted_rul = :before, changed_at = :now \
             ADD #total :total, predicted :predicted, critical :critical, warning :warning, rul_sum :rul_sum",
        );
        update = update.expression_attribute_names("#total", "total");
        let values: [(&str, AttributeValue); 8] = [
            (":fleet", text(fleet)),
            (":before", number(TOTALS_RUL)),
            (":now", number(now.timestamp_millis())),
            (":total", number(total)),
            (":predicted", number(predicted)),
            (":critical", number(critical)),
            (":warning", number(warning)),
            (":rul_sum", number(rul_sum)),
        ];
        for (name, value) in values {
            update = update.expression_attribute_values(name, value);
        }
        update
    }
}
