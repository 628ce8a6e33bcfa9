//! The Quarantine table: which deliveries of a Terra user wait for a connection. A table of its own and no index, so that
//! a reading misses nothing that was put there before.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{Put, TransactWriteItem, Update},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};

use super::{ATTEMPTS, Connections, FIRST_PAUSE, database, number, row, text};
use crate::{
    error::{Error, Result},
    ids::DeliveryId,
};

/// As long as the deliveries themselves are kept.
const KEPT_FOR: TimeDelta = TimeDelta::days(90);
/// Most writes of one transaction, one of which marks the connection.
const AT_ONCE: usize = 99;
/// Deletions under way at the same time.
const DELETIONS: usize = 8;

/// What came of putting deliveries aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quarantined {
    /// They wait until their Terra user is bound.
    Waiting,
    /// Their Terra user is bound by now: go on.
    Bound,
}

impl Connections {
    /// Puts deliveries of a Terra user aside, and marks the connection so that whoever binds it knows of them, if it is
    /// bound to nobody. Of some that are many, the first may wait even where the rest finds it bound: then they are released
    /// like all others.
    pub async fn quarantine(
        &self,
        terra_user: &str,
        deliveries: &[DeliveryId],
        now: DateTime<Utc>,
    ) -> Result<Quarantined> {
        for some in deliveries.chunks(AT_ONCE) {
            let mut items = vec![self.mark(terra_user)?];
            for delivery in some {
                items.push(self.put_aside(terra_user, delivery, now)?);
            }
            if self.transact(items).await? == Quarantined::Bound {
                return Ok(Quarantined::Bound);
            }
        }
        Ok(Quarantined::Waiting)
    }

    fn mark(&self, terra_user: &str) -> Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(row::key(terra_user)))
            .update_expression("SET waiting = :yes ADD version :one")
            .condition_expression("attribute_not_exists(user_id)")
            .expression_attribute_values(":yes", aws_sdk_dynamodb::types::AttributeValue::Bool(true))
            .expression_attribute_values(":one", number(1))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn put_aside(&self, terra_user: &str, delivery: &DeliveryId, now: DateTime<Utc>) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.quarantine)
            .item("terra_user_id", text(terra_user))
            .item("delivery_id", text(delivery))
            .item("ttl", number((now + KEPT_FOR).timestamp()))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Quarantined> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..ATTEMPTS {
            let write = self.aws.dynamodb().await.transact_write_items();
            let Err(err) = write.set_transact_items(Some(items.clone())).send().await else {
                return Ok(Quarantined::Waiting);
            };
            match err.as_service_error() {
                Some(err) if has(err, "ConditionalCheckFailed") => return Ok(Quarantined::Bound),
                Some(err) if has(err, "TransactionConflict") => {}
                _ => return Err(database(err)),
            }
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
            pause *= 2;
        }
        Err(Error::unavailable("the connection is being changed, try again", "a conflict at every attempt"))
    }

    /// Some of the deliveries that wait, at most `limit`; none means that none waits.
    pub async fn quarantined(&self, terra_user: &str, limit: i32) -> Result<Vec<DeliveryId>> {
        let query = self.aws.dynamodb().await.query().table_name(&self.quarantine).consistent_read(true).limit(limit);
        let output = query
            .key_condition_expression("terra_user_id = :id")
            .expression_attribute_values(":id", text(terra_user))
            .send()
            .await
            .map_err(database)?;
        let ids = output.items().iter().filter_map(|item| item.get("delivery_id")?.as_s().ok().cloned());
        Ok(ids.map(DeliveryId).collect())
    }

    /// Takes deliveries out of quarantine.
    pub async fn release(&self, terra_user: &str, deliveries: &[DeliveryId]) -> Result<()> {
        let client = self.aws.dynamodb().await;
        let deletions = deliveries.iter().map(|delivery| {
            let delete = client.delete_item().table_name(&self.quarantine).key("terra_user_id", text(terra_user));
            delete.key("delivery_id", text(delivery)).send()
        });
        let deleted = stream::iter(deletions).buffer_unordered(DELETIONS).map_err(database);
        deleted.try_for_each(async |_| Ok(())).await
    }
}

fn has(err: &TransactWriteItemsError, code: &str) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(canceled) = err else { return false };
    canceled.cancellation_reasons().iter().any(|reason| reason.code() == Some(code))
}
