//! Jobs that wait for a worker longer than they should.

use aws_sdk_dynamodb::{error::SdkError, operation::update_item::UpdateItemError};
use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use uuid::Uuid;

use super::{
    Jobs, State, database,
    row::{self, Item, number, read_number, read_text, text},
};
use crate::{clock::rfc3339, error::Result, ids::JobId, jobs::Message};

const INDEX: &str = "queued";

/// A job that waits for a worker, by the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    pub id: JobId,
    pub epoch: u64,
}

impl Overdue {
    fn read(item: &Item) -> Option<Self> {
        let id = JobId(Uuid::try_parse(read_text(item, "job_id")?).ok()?);
        Some(Self { id, epoch: read_number(item, "epoch")? })
    }
}

impl Jobs {
    /// Queued jobs that were due before then: the longest overdue of each shard, `limit` of them all at most.
    pub async fn overdue(&self, before: DateTime<Utc>, limit: usize) -> Result<Vec<Overdue>> {
        let client = self.aws.dynamodb().await;
        let a_shard = i32::try_from(limit.div_ceil(row::SHARDS.into())).unwrap_or(i32::MAX);
        let shards = (0..row::SHARDS).map(|shard| {
            let query = client.query().table_name(&self.table).index_name(INDEX);
            query
                .key_condition_expression("queued_shard = :shard AND due_at < :before")
                .expression_attribute_values(":shard", number(shard))
                .expression_attribute_values(":before", text(rfc3339(before)))
                .limit(a_shard)
                .send()
        });
        let pages = try_join_all(shards).await.map_err(database)?;
        let items = pages.iter().flat_map(|page| page.items());
        Ok(items.filter_map(Overdue::read).take(limit).collect())
    }

    /// Sets an overdue job's due time to now: the message to send, or nothing where it no longer waits, or is not overdue any
    /// more because somebody else did the same.
    pub async fn claim_overdue(
        &self,
        job: Overdue,
        before: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<Message>> {
        let update = self.aws.dynamodb().await.update_item().table_name(&self.table).key("job_id", text(job.id));
        let sent = update
            .update_expression("SET due_at = :now")
            .condition_expression("#state = :queued AND epoch = :epoch AND due_at < :before")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":queued", text(State::Queued.name()))
            .expression_attribute_values(":epoch", number(job.epoch))
            .expression_attribute_values(":before", text(rfc3339(before)))
            .expression_attribute_values(":now", text(rfc3339(now)))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Some(Message { job_id: job.id, epoch: job.epoch, job: None })),
            Err(SdkError::ServiceError(err)) => match err.into_err() {
                UpdateItemError::ConditionalCheckFailedException(_) => Ok(None),
                err => Err(database(err)),
            },
            Err(err) => Err(database(err)),
        }
    }
}
