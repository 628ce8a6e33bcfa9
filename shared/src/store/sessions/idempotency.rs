//! The same `Idempotency-Key` gives the same session for a day.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{
    database,
    rows::{json, number, text},
};
use crate::{
    domain::invalid::Invalid,
    error::{Error, Result},
    ids::UserId,
    store::control::Control,
};

/// How long a key holds.
const HELD_FOR: TimeDelta = TimeDelta::hours(24);

/// A caller's idempotency key, in the Control table beside the session's own write.
pub struct Idempotency {
    table: String,
    key: String,
    fingerprint: String,
    answer: String,
    now: DateTime<Utc>,
}

/// What came of writing a session.
pub enum Inserted {
    New,
    /// The key was used before, with the same request: the answer that it got.
    Before(serde_json::Value),
    /// Another request with the same key is being written at this moment.
    Conflict,
}

impl Idempotency {
    /// `key` is the caller's own, and counts for `user` alone. `request` is what must be the same when the key comes
    /// again, `answer` what the caller then gets.
    pub fn new(
        control: &Control,
        user: UserId,
        key: &str,
        request: &impl Serialize,
        answer: &impl Serialize,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        Ok(Self {
            table: control.table().into(),
            key: format!("idem:{user}#{key}"),
            fingerprint: json(request)?,
            answer: json(answer)?,
            now,
        })
    }

    pub(super) fn item(&self) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .item("key", text(&self.key))
            .item("fingerprint", text(&self.fingerprint))
            .item("answer", text(&self.answer))
            .item("ttl", number((self.now + HELD_FOR).timestamp()))
            // TTL deletes late: a row that has expired is as good as none.
            .condition_expression("attribute_not_exists(#key) OR #ttl <= :now")
            .expression_attribute_names("#key", "key")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(self.now.timestamp()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The session that the key gave before, out of the refused transaction itself: no further read.
    pub(super) fn replay(&self, err: SdkError<TransactWriteItemsError>) -> Result<Inserted> {
        let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = err.as_service_error() else {
            return Err(database(err));
        };
        let reasons = canceled.cancellation_reasons();
        let Some(before) = reasons.iter().find_map(|reason| reason.item()) else {
            let conflict = reasons.iter().any(|reason| reason.code() == Some("TransactionConflict"));
            return if conflict { Ok(Inserted::Conflict) } else { Err(database(err)) };
        };
        let field = |name: &str| before.get(name).and_then(|value: &AttributeValue| value.as_s().ok());
        if field("fingerprint") != Some(&self.fingerprint) {
            return Err(Invalid::at("/headers/idempotency-key", "was used before with another body").into());
        }
        let answer = field("answer").ok_or_else(|| Error::internal("idempotency row without its answer"))?;
        Ok(Inserted::Before(serde_json::from_str(answer).map_err(Error::internal)?))
    }
}
