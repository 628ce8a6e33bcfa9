//! The Connections table: which Terra user is which of ours; and the Quarantine table: deliveries of Terra users who are
//! none of ours yet.
//!
//! A row is read, changed by the rules of `domain::connection`, and written on the condition that its version has not
//! moved. What waits in quarantine is put there on the same condition, so that either the delivery sees the binding or the
//! binding sees that a delivery waits.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use aws_sdk_dynamodb::{error::ProvideErrorMetadata, types::AttributeValue};

use crate::{
    aws::Aws,
    domain::connection::Connection,
    error::{Error, Result},
    ids::UserId,
    store::batch_get::batch_get,
};

mod quarantine;
mod row;

pub use quarantine::Quarantined;
pub use row::Known;

/// Attempts to change a row that others change too.
const ATTEMPTS: u32 = 8;
/// Before the second attempt; doubled for each further one, and cut short by up to half.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Rows of one page of all connections.
const PAGE: i32 = 100;

/// The tables Connections and Quarantine.
#[derive(Clone)]
pub struct Connections {
    aws: Aws,
    table: String,
    quarantine: String,
}

/// Our users of some connections, and where the next ones begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub users: BTreeSet<UserId>,
    pub cursor: Option<String>,
}

impl Connections {
    pub fn new(aws: Aws, table: String, quarantine: String) -> Self {
        Self { aws, table, quarantine }
    }

    /// The connections of these Terra users that are known, strongly consistent.
    pub async fn read(&self, terra_users: &BTreeSet<&str>) -> Result<HashMap<String, Known>> {
        let keys = terra_users.iter().map(|id| row::key(id)).collect();
        let items = batch_get(&self.aws, &self.table, keys).await?;
        let rows = items.into_iter().map(row::read);
        rows.map(|row| row.map(|row| (row.connection.terra_user_id.clone(), row))).collect()
    }

    /// Changes a Terra user's connection, known or not, and gives it as it stands then, with what `change` said.
    pub async fn change<T>(&self, terra_user: &str, change: impl Fn(&mut Connection) -> T) -> Result<(Connection, T)> {
        self.change_known(self.load(terra_user).await?, change).await
    }

    /// The same for one that was read before. Nothing is written where nothing changes; what others have written meanwhile
    /// is read, and `change` run again on that.
    pub async fn change_known<T>(
        &self,
        mut known: Known,
        change: impl Fn(&mut Connection) -> T,
    ) -> Result<(Connection, T)> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..ATTEMPTS {
            let mut after = known.connection.clone();
            let said = change(&mut after);
            if after == known.connection || self.put(&after, known.version).await? {
                return Ok((after, said));
            }
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
            pause *= 2;
            known = self.load(&after.terra_user_id).await?;
        }
        Err(Error::unavailable("the connection is being changed, try again", "version moved at every attempt"))
    }

    async fn load(&self, terra_user: &str) -> Result<Known> {
        let get = self.aws.dynamodb().await.get_item().table_name(&self.table).consistent_read(true);
        let output = get.set_key(Some(row::key(terra_user))).send().await.map_err(database)?;
        output.item.map_or_else(|| Ok(Known::nothing_of(terra_user)), row::read)
    }

    /// Whether it was written: false if the row is not of this version any more.
    async fn put(&self, connection: &Connection, version: u64) -> Result<bool> {
        let put = self.aws.dynamodb().await.put_item().table_name(&self.table);
        let put = put.set_item(Some(row::item(connection, version + 1)?));
        let put = if version == 0 {
            put.condition_expression("attribute_not_exists(terra_user_id)")
        } else {
            put.condition_expression("version = :version").expression_attribute_values(":version", number(version))
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(err) if err.as_service_error().is_some_and(is_conflict) => Ok(false),
            Err(err) => Err(database(err)),
        }
    }

    /// The users of a page of all connections, from the beginning or from a page's cursor on.
    pub async fn users(&self, cursor: Option<&str>) -> Result<Page> {
        let scan = self.aws.dynamodb().await.scan().table_name(&self.table).limit(PAGE);
        let scan = scan.projection_expression("user_id").set_exclusive_start_key(cursor.map(row::key));
        let output = scan.send().await.map_err(database)?;
        let users = output.items().iter().filter_map(|item| item.get("user_id")?.as_s().ok()?.parse().ok().map(UserId));
        let cursor = output.last_evaluated_key().and_then(|key| key.get("terra_user_id")?.as_s().ok().cloned());
        Ok(Page { users: users.collect(), cursor })
    }
}

fn is_conflict(err: &impl ProvideErrorMetadata) -> bool {
    matches!(err.code(), Some("ConditionalCheckFailedException" | "TransactionConflictException"))
}

fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// What the caller hears when the database does not answer.
fn database(err: impl Into<crate::error::Cause>) -> Error {
    Error::unavailable("the database is not available, try again", err)
}
