//! The jobs that died: by type, newest first; and their way back.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure, Select},
};
use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Jobs, State, database,
    row::{self, Item, number, read_number, read_text, read_time, text},
};
use crate::{
    clock::rfc3339,
    error::Result,
    ids::{Ids, JobId},
    jobs::Message,
};

const INDEX: &str = "dead";
/// Of a megabyte each.
const COUNTED_PAGES: usize = 5;

/// A dead job, as a list of them shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadJob {
    pub id: JobId,
    pub kind: String,
    pub epoch: u64,
    pub operation_id: Option<Uuid>,
    pub error: String,
    pub attempts: u32,
    pub failed_at: DateTime<Utc>,
    pub retried_at: Option<DateTime<Utc>>,
}

/// Where in a type's list a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub id: JobId,
    /// As the row has it.
    pub failed_at: String,
}

/// Some of a type's dead jobs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadPage {
    pub jobs: Vec<DeadJob>,
    /// Where the next page begins, if the database has more.
    pub next: Option<Position>,
}

impl DeadJob {
    pub fn position(&self) -> Position {
        Position { id: self.id, failed_at: rfc3339(self.failed_at) }
    }

    /// Those whose row makes no sense are left out.
    fn read(item: &Item) -> Option<Self> {
        Some(Self {
            id: JobId(Uuid::try_parse(read_text(item, "job_id")?).ok()?),
            kind: read_text(item, "dead_type")?.into(),
            epoch: read_number(item, "epoch")?,
            operation_id: read_text(item, "operation_id").and_then(|id| Uuid::try_parse(id).ok()),
            error: read_text(item, "last_error").unwrap_or_default().into(),
            attempts: read_number(item, "attempts").unwrap_or_default(),
            failed_at: read_time(item, "failed_at")?,
            retried_at: read_time(item, "retried_at"),
        })
    }
}

impl Jobs {
    /// A type's dead jobs after `after`: the newest first, or the oldest. An index: what happened a moment ago may not be in it.
    pub async fn dead(
        &self,
        kind: &str,
        after: Option<&Position>,
        limit: usize,
        newest_first: bool,
    ) -> Result<DeadPage> {
        let query = self.aws.dynamodb().await.query().table_name(&self.table).index_name(INDEX);
        let output = query
            .key_condition_expression("dead_type = :kind")
            .expression_attribute_values(":kind", text(kind))
            .projection_expression(
                "job_id, dead_type, epoch, operation_id, last_error, attempts, failed_at, retried_at",
            )
            .scan_index_forward(!newest_first)
            .set_exclusive_start_key(after.map(|after| start_key(kind, after)))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(database)?;
        let jobs = output.items.unwrap_or_default().iter().filter_map(DeadJob::read).collect();
        Ok(DeadPage { jobs, next: output.last_evaluated_key.as_ref().and_then(position) })
    }

    /// How many jobs of these types are dead; of each type a few pages of the index are counted at most, some ten thousand jobs.
    pub async fn count_dead(&self, kinds: &[&str]) -> Result<u64> {
        Ok(try_join_all(kinds.iter().map(|kind| self.count_dead_of(kind))).await?.into_iter().sum())
    }

    async fn count_dead_of(&self, kind: &str) -> Result<u64> {
        let query = self.aws.dynamodb().await.query().table_name(&self.table).index_name(INDEX).select(Select::Count);
        let mut pages = query
            .key_condition_expression("dead_type = :kind")
            .expression_attribute_values(":kind", text(kind))
            .into_paginator()
            .send();
        let mut count = 0;
        for _ in 0..COUNTED_PAGES {
            let Some(page) = pages.next().await else { break };
            count += u64::try_from(page.map_err(database)?.count).unwrap_or_default();
        }
        Ok(count)
    }

    /// Queues a dead job anew, with the next epoch: the message to send, or nothing where somebody else was first.
    pub async fn revive(&self, job: &DeadJob, now: DateTime<Utc>) -> Result<Option<Message>> {
        let next = job.epoch + 1;
        let token = Ids.uuid().to_string();
        let update = self.aws.dynamodb().await.update_item().table_name(&self.table).key("job_id", text(job.id));
        let sent = update
            .update_expression(
                "SET #state = :queued, epoch = :next, attempts = :zero, crashes = :zero, retried_at = :now, \
                 due_at = :now, queued_shard = :shard, lease = :token, #ttl = :ttl REMOVE dead_type",
            )
            .condition_expression("#state = :dead AND epoch = :epoch")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":queued", text(State::Queued.name()))
            .expression_attribute_values(":dead", text(State::Dead.name()))
            .expression_attribute_values(":epoch", number(job.epoch))
            .expression_attribute_values(":next", number(next))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":now", text(rfc3339(now)))
            .expression_attribute_values(":shard", number(row::shard(job.id)))
            .expression_attribute_values(":token", text(&token))
            .expression_attribute_values(":ttl", number(row::expires(now)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let message = Message { job_id: job.id, epoch: next, job: None };
        match sent {
            Ok(_) => Ok(Some(message)),
            Err(SdkError::ServiceError(err)) => match err.into_err() {
                UpdateItemError::ConditionalCheckFailedException(failed) => {
                    // An attempt of our own, whose answer was lost, may have been first.
                    let own = failed.item().and_then(|item| read_text(item, "lease")) == Some(&token);
                    Ok(own.then_some(message))
                }
                err => Err(database(err)),
            },
            Err(err) => Err(database(err)),
        }
    }
}

fn start_key(kind: &str, after: &Position) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("job_id".to_owned(), text(after.id)),
        ("dead_type".to_owned(), text(kind)),
        ("failed_at".to_owned(), text(&after.failed_at)),
    ])
}

fn position(key: &Item) -> Option<Position> {
    Some(Position {
        id: JobId(Uuid::try_parse(read_text(key, "job_id")?).ok()?),
        failed_at: read_text(key, "failed_at")?.into(),
    })
}
