//! Sessions, their frames and their shots: one partition a session.
//!
//! Sort keys are `FRAME#000001` < `META` < `SHOT#<id>`, so that one query from `META` on reads a session with its shots
//! and none of its frames. Reads are strongly consistent: a session must be found right after its start.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};

use crate::{
    aws::Aws,
    clock::rfc3339,
    domain::{session::FrameNumber, session::Session, shot::Shot},
    error::{Error, Result},
    ids::SessionId,
};

mod frames;
mod idempotency;
mod rows;

pub use frames::FrameWrite;
pub use idempotency::{Idempotency, Inserted};
pub use rows::{Ending, FrameRow, Origin};
use rows::{META, from_item, meta_item, number, text};

/// The Sessions table.
#[derive(Clone)]
pub struct Sessions {
    aws: Aws,
    table: String,
}

/// A session as it stands, with its shots.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub session: Session,
    pub shots: Vec<Shot>,
    /// What the end of the session stored; none while it is active.
    pub ending: Option<Ending>,
}

/// What came of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Done,
    /// Another writer was first: read again, then decide again.
    Conflict,
}

impl Sessions {
    pub fn new(aws: Aws, table: String) -> Self {
        Self { aws, table }
    }

    /// The session with its shots, or `None`.
    ///
    /// The row and the shots are read one after the other: a frame that commits in between may show its new total
    /// without its shots. Such a reading is read again.
    pub async fn load(&self, id: SessionId) -> Result<Option<Loaded>> {
        for _ in 0..3 {
            let Some(loaded) = self.read(id).await? else { return Ok(None) };
            if loaded.shots.len() == loaded.session.total_shots as usize {
                return Ok(Some(loaded));
            }
        }
        Err(Error::unavailable("the session is being written to, try again", "torn read three times"))
    }

    async fn read(&self, id: SessionId) -> Result<Option<Loaded>> {
        let mut pages = self
            .aws
            .dynamodb()
            .await
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("session_id = :id AND sk >= :meta")
            .expression_attribute_values(":id", text(id))
            .expression_attribute_values(":meta", text(META))
            .into_paginator()
            .send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(database)?.items.unwrap_or_default());
        }
        rows::loaded(items)
    }

    /// The session alone, without its shots.
    pub async fn find(&self, id: SessionId) -> Result<Option<Session>> {
        let item = self.item(id, META).await?;
        item.map(|item| rows::session(item).map(|(session, _)| session)).transpose()
    }

    /// What an earlier call stored of this frame.
    pub async fn frame(&self, id: SessionId, number: FrameNumber) -> Result<Option<FrameRow>> {
        self.item(id, &rows::frame_sk(number)).await?.map(from_item).transpose()
    }

    async fn item(&self, id: SessionId, sk: &str) -> Result<Option<HashMap<String, AttributeValue>>> {
        let get = self.aws.dynamodb().await.get_item().table_name(&self.table).consistent_read(true);
        let output = get.key("session_id", text(id)).key("sk", text(sk)).send().await.map_err(database)?;
        Ok(output.item)
    }

    /// Ends the session with what its shots came to, if it is active and its version has not moved.
    pub async fn end(&self, session: &Session, ending: &Ending) -> Result<Written> {
        let update = self.aws.dynamodb().await.update_item().table_name(&self.table);
        let sent = update
            .key("session_id", text(session.id))
            .key("sk", text(META))
            .update_expression(
                "SET version = version + :one, ended_at = :at, end_reason = :reason, #statistics = :statistics, \
                 advice = :advice REMOVE active_shard",
            )
            .condition_expression("version = :version AND attribute_not_exists(ended_at)")
            .expression_attribute_names("#statistics", "statistics")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":at", text(rfc3339(ending.end.at)))
            .expression_attribute_values(":reason", text(ending.end.reason.name()))
            .expression_attribute_values(":statistics", text(rows::json(&ending.statistics)?))
            .expression_attribute_values(":advice", text(rows::json(&ending.advice)?))
            .expression_attribute_values(":version", number(session.version))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Written::Done),
            Err(err)
                if err.as_service_error().is_some_and(|err| {
                    err.is_conditional_check_failed_exception()
                        || err.meta().code() == Some("TransactionConflictException")
                }) =>
            {
                Ok(Written::Conflict)
            }
            Err(err) => Err(database(err)),
        }
    }

    /// Writes a new session. With an idempotency key, the same key gives the session that it gave first.
    pub async fn insert(
        &self,
        session: &Session,
        origin: &Origin,
        idempotency: Option<&Idempotency>,
    ) -> Result<Inserted> {
        let item = meta_item(session, origin)?;
        let client = self.aws.dynamodb().await;
        let Some(idempotency) = idempotency else {
            // Half the price of a transaction. Without a condition: the id is new, and a retry after a lost answer must
            // not fail because of its own first attempt.
            client.put_item().table_name(&self.table).set_item(Some(item)).send().await.map_err(database)?;
            return Ok(Inserted::New);
        };
        let items = vec![self.put_item(item)?, idempotency.item()?];
        match client.transact_write_items().set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(Inserted::New),
            Err(err) => idempotency.replay(err),
        }
    }

    /// How many sessions are active, by the sparse index; at most one page a shard is read.
    pub async fn count_active(&self) -> Result<usize> {
        let client = self.aws.dynamodb().await;
        let shards = (0..rows::ACTIVE_SHARDS).map(|shard| {
            let query = client.query().table_name(&self.table).index_name("active");
            query
                .select(aws_sdk_dynamodb::types::Select::Count)
                .key_condition_expression("active_shard = :shard")
                .expression_attribute_values(":shard", number(shard))
                .send()
        });
        let counts = futures::future::try_join_all(shards).await.map_err(database)?;
        Ok(counts.iter().map(|page| usize::try_from(page.count).unwrap_or_default()).sum())
    }
}

impl Sessions {
    /// The active sessions that were started before, by the sparse index, which may be a moment behind: to be read before
    /// anything is done about them.
    pub async fn started_before(&self, time: DateTime<Utc>) -> Result<Vec<SessionId>> {
        let shards = (0..rows::ACTIVE_SHARDS).map(|shard| self.of_shard_before(shard, time));
        Ok(futures::future::try_join_all(shards).await?.concat())
    }

    async fn of_shard_before(&self, shard: u8, time: DateTime<Utc>) -> Result<Vec<SessionId>> {
        let query = self.aws.dynamodb().await.query().table_name(&self.table).index_name("active");
        let mut pages = query
            .key_condition_expression("active_shard = :shard AND created_at < :time")
            .expression_attribute_values(":shard", number(shard))
            .expression_attribute_values(":time", text(rfc3339(time)))
            .into_paginator()
            .send();
        let mut ids = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(database)?;
            let found = page.items().iter().filter_map(|item| item.get("session_id")?.as_s().ok()?.parse().ok());
            ids.extend(found.map(SessionId));
        }
        Ok(ids)
    }
}

/// What the caller hears when the database does not answer.
fn database(err: impl Into<crate::error::Cause>) -> Error {
    Error::unavailable("the database is not available, try again", err)
}
