//! `block:<ip>` {until, ttl}: an address whose requests without a valid token are refused. `until` is in milliseconds.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use chrono::{DateTime, Utc};

use super::{Control, ControlUnavailable, Item, number, read_number, text, unavailable};

/// A block that holds is not made longer by those who find it.
const IF_NONE_HOLDS: &str = "attribute_not_exists(#key) OR #until <= :now";

fn key(address: &str) -> String {
    format!("block:{address}")
}

/// The end of a block, if it lies ahead.
fn holding(item: &Item, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let until = DateTime::from_timestamp_millis(read_number(item, "until")?)?;
    (until > now).then_some(until)
}

impl Control {
    /// Until when an address is blocked, if it is.
    pub async fn blocked_until(
        &self,
        address: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, ControlUnavailable> {
        let item = self.item(&key(address), self.deadlines.limiter).await?;
        Ok(item.as_ref().and_then(|item| holding(item, now)))
    }

    /// Blocks an address until then, unless a block holds already. Returns the end of the block that now holds.
    pub async fn block(
        &self,
        address: &str,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, ControlUnavailable> {
        let put = self.aws.dynamodb().await.put_item().table_name(&self.table);
        let sent = put
            .item("key", text(key(address)))
            .item("until", number(until.timestamp_millis()))
            // Rounded up: the item must not go before its block does.
            .item("ttl", number(until.timestamp() + 1))
            .condition_expression(IF_NONE_HOLDS)
            .expression_attribute_names("#key", "key")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":now", number(now.timestamp_millis()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(super::within(self.deadlines.limiter))
            .send()
            .await;
        let Err(err) = sent else { return Ok(until) };
        match err.into_service_error() {
            aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed) => {
                Ok(failed.item().and_then(|item| holding(item, now)).unwrap_or(until))
            }
            err => Err(unavailable(err)),
        }
    }
}
