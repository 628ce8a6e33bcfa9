//! Writing what a frame changes: all of it or nothing.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, TransactWriteItem, Update},
};
use chrono::{DateTime, Utc};

use super::{
    FrameRow, Sessions, Written, database,
    rows::{self, META, number, shot_item, text},
};
use crate::{
    clock::rfc3339,
    domain::{session::Session, shot::Shot},
    error::{Error, Result},
    ids::SessionId,
};

/// Most writes in one DynamoDB transaction.
const TRANSACTION_LIMIT: usize = 100;

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
    pub(super) fn put_item(&self, item: HashMap<String, AttributeValue>) -> Result<TransactWriteItem> {
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
}

/// A transaction that lost to another writer; anything else in the reasons is a failure of its own.
fn is_conflict(err: &TransactWriteItemsError) -> bool {
    use TransactWriteItemsError as E;
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
