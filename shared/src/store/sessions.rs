//! Sessions, their frames and their shots: one partition a session.
//!
//! Sort keys are `FRAME#000001` < `META` < `SHOT#<id>`, so that one query from `META` on reads a session with its shots
//! and none of its frames. Reads are strongly consistent: a session must be found right after its start.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use chrono::{DateTime, Utc};

use crate::{
    aws::Aws,
    clock::rfc3339,
    domain::{session::FrameNumber, session::Session, shot::Shot},
    error::{Error, Result},
    ids::SessionId,
};

mod idempotency;
mod rows;

pub use idempotency::{Idempotency, Inserted};
pub use rows::{Ending, FrameRow, Origin};
use rows::{META, from_item, meta_item, number, shot_item, text};

/// Most writes in one DynamoDB transaction.
const TRANSACTION_LIMIT: usize = 100;

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

/// What one frame changes.
pub struct FrameWrite<'a> {
    pub session: &'a Session,
    pub frame: &'a FrameRow,
    pub new_shots: &'a [Shot],
    /// Known shots that this frame shows earlier than any before it.
    pub earlier: &'a [Shot],
    pub now: DateTime<Utc>,
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

    /// Writes a frame, its new shots and the session's totals in one transaction, if the session is active and its
    /// version has not moved since it was read.
    pub async fn write_frame(&self, write: &FrameWrite<'_>) -> Result<Written> {
        // A late frame of a long session may show more shots earlier than one transaction takes. What is over goes
        // ahead on its own: each such write is true by itself, and is not lost if the rest has to be tried again.
        let room = TRANSACTION_LIMIT.saturating_sub(2 + write.new_shots.len());
        let (with_frame, ahead) = write.earlier.split_at(write.earlier.len().min(room));
        for chunk in ahead.chunks(TRANSACTION_LIMIT) {
            let updates = chunk.iter().map(|shot| self.earlier_item(write.session.id, shot));
            if self.transact(updates.collect::<Result<_>>()?).await? == Written::Conflict {
                return Ok(Written::Conflict);
            }
        }
        let mut items = vec![self.totals_item(write)?, self.frame_item(write)?];
        for shot in write.new_shots {
            items.push(self.put_item(shot_item(write.session.id, shot)?)?);
        }
        for shot in with_frame {
            items.push(self.earlier_item(write.session.id, shot)?);
        }
        self.transact(items).await
    }

    fn totals_item(&self, write: &FrameWrite<'_>) -> Result<TransactWriteItem> {
        let tenths = write.new_shots.iter().fold(0, |sum: u32, shot| sum + shot.score);
        let update = Update::builder()
            .table_name(&self.table)
            .key("session_id", text(write.session.id))
            .key("sk", text(META))
            .update_expression(
                "SET version = version + :one, last_frame_at = :now \
                 ADD total_shots :shots, total_tenths :tenths",
            )
            .condition_expression("version = :version AND attribute_not_exists(ended_at)")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", text(rfc3339(write.now)))
            .expression_attribute_values(":shots", number(write.new_shots.len()))
            .expression_attribute_values(":tenths", number(tenths))
            .expression_attribute_values(":version", number(write.session.version))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn frame_item(&self, write: &FrameWrite<'_>) -> Result<TransactWriteItem> {
        self.put_item(rows::frame_item(write.session.id, write.frame)?)
    }

    fn earlier_item(&self, id: SessionId, shot: &Shot) -> Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("session_id", text(id))
            .key("sk", text(rows::shot_sk(shot)))
            .update_expression("SET first_frame = :frame")
            .condition_expression("first_frame > :frame")
            .expression_attribute_values(":frame", number(shot.first_frame))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// A put of an item that must not be there yet.
    fn put_item(&self, item: HashMap<String, AttributeValue>) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(sk)")
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Written> {
        let sent = self.aws.dynamodb().await.transact_write_items().set_transact_items(Some(items)).send().await;
        match sent {
            Ok(_) => Ok(Written::Done),
            // A failed condition and a conflict with another transaction ask for the same: read again.
            Err(err) if err.as_service_error().is_some_and(is_conflict) => Ok(Written::Conflict),
            Err(err) => Err(database(err)),
        }
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
        let mut items = vec![self.put_item(meta_item(session, origin)?)?];
        if let Some(idempotency) = idempotency {
            items.push(idempotency.item()?);
        }
        let sent = self.aws.dynamodb().await.transact_write_items().set_transact_items(Some(items)).send().await;
        match (sent, idempotency) {
            (Ok(_), _) => Ok(Inserted::New),
            (Err(err), Some(idempotency)) => idempotency.replay(err),
            (Err(err), None) => Err(database(err)),
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

/// A transaction that lost to another writer; anything else in the reasons is a failure of its own.
fn is_conflict(err: &aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError) -> bool {
    use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as E;
    match err {
        E::TransactionCanceledException(canceled) => canceled
            .cancellation_reasons()
            .iter()
            .filter_map(|reason| reason.code())
            .filter(|code| *code != "None")
            .all(|code| matches!(code, "ConditionalCheckFailed" | "TransactionConflict")),
        E::TransactionInProgressException(_) => true,
        _ => false,
    }
}

/// What the caller hears when the database does not answer.
fn database(err: impl Into<crate::error::Cause>) -> Error {
    Error::unavailable("the database is not available, try again", err)
}
