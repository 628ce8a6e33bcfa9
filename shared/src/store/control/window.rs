//! `…#<window>` {count, ttl}: how often something happened in one window. A window of its own is an item of its own,
//! so that one `ADD` does for a count, and nothing piles up.

use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, Utc};

use super::{Control, ControlUnavailable, number, read_number, text, unavailable};

const ADD_ONE: &str = "ADD #count :one SET #ttl = :ttl";

impl Control {
    /// Adds 1 to a window and returns the count that this made: no two callers are given the same.
    pub async fn add_one(&self, key: &str, expires: DateTime<Utc>) -> Result<u64, ControlUnavailable> {
        let update = self.aws.dynamodb().await.update_item().table_name(&self.table).key("key", text(key));
        let output = update
            .update_expression(ADD_ONE)
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":ttl", number(expires.timestamp()))
            .return_values(ReturnValue::UpdatedNew)
            .customize()
            .config_override(super::within(self.deadlines.limiter))
            .send()
            .await
            .map_err(unavailable)?;
        let count = output.attributes.as_ref().and_then(|item| read_number(item, "count"));
        count.ok_or_else(|| unavailable("the update returned no count"))
    }

    /// The count of a window; 0 where nothing was counted.
    pub async fn count(&self, key: &str) -> Result<u64, ControlUnavailable> {
        let item = self.item(key, self.deadlines.limiter).await?;
        Ok(item.as_ref().and_then(|item| read_number(item, "count")).unwrap_or_default())
    }
}
