//! Reading observations, to work out anew what they say.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::{LatestKey, Metrics, StoredLatest, StoredRow, database, latest_row, row, text};
use crate::{error::Result, ids::UserId};

impl Metrics {
    /// All observations of a metric by a connection, strongly consistent: whoever asks is about to write what they say.
    pub async fn rows(&self, user: UserId, key: LatestKey, each: impl FnMut(StoredRow)) -> Result<()> {
        let query = self.of_user(user).await.key_condition_expression("user_id = :user AND begins_with(sk, :prefix)");
        let query = query.expression_attribute_values(":prefix", text(format!("{}#", key.metric.name())));
        let mut each = each;
        self.observations(query, |row| {
            if row.key.connection == key.connection {
                each(row);
            }
        })
        .await
    }

    /// All observations of a user, page by page, strongly consistent.
    pub async fn all_rows(&self, user: UserId, each: impl FnMut(StoredRow)) -> Result<()> {
        self.observations(self.of_user(user).await.key_condition_expression("user_id = :user"), each).await
    }

    async fn of_user(&self, user: UserId) -> QueryFluentBuilder {
        let query = self.aws.dynamodb().await.query().table_name(&self.table).consistent_read(true);
        query.expression_attribute_values(":user", text(user))
    }

    async fn observations(&self, query: QueryFluentBuilder, mut each: impl FnMut(StoredRow)) -> Result<()> {
        let mut pages = query.into_paginator().send();
        while let Some(page) = pages.next().await {
            for item in page.map_err(database)?.items.unwrap_or_default() {
                row::observation(item)?.into_iter().for_each(&mut each);
            }
        }
        Ok(())
    }

    /// What all of a user's connections say at the moment, as it is kept, strongly consistent.
    pub async fn all_latest(&self, user: UserId) -> Result<HashMap<LatestKey, StoredLatest>> {
        let query = self.aws.dynamodb().await.query().table_name(&self.latest).consistent_read(true);
        let query = query.key_condition_expression("user_id = :user").expression_attribute_values(":user", text(user));
        let mut pages = query.into_paginator().send();
        let mut all = HashMap::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(database)?.items.unwrap_or_default() {
                let ((_, key), stored) = latest_row::stored(item)?;
                all.insert(key, stored);
            }
        }
        Ok(all)
    }
}
