//! The Jobs table: the truth about every job. One row a job, and two sparse indexes: `queued` holds the jobs that wait for
//! a worker, by when they are due, and `dead` those that died, by type and time.
//!
//! | state | is left by | file |
//! | --- | --- | --- |
//! | `queued` | a worker's lease | `lease` |
//! | `running` | the outcome, under that lease; a lease that ran out is as good as none | `settle` |
//! | `done` | nothing | |
//! | `dead` | somebody who asks for a retry: `queued` again, epoch + 1 | `dead` |
//!
//! Every write names in its condition what it was decided on. The last writer's token stays in the row (`lease`), so that
//! who repeats a write because the answer was lost finds that it was their own.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use aws_sdk_dynamodb::{
    config::Builder,
    error::SdkError,
    operation::put_item::PutItemError,
    types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};

use super::batch_get::batch_get;
use crate::{
    aws::{Aws, within},
    error::{Error, Result},
    ids::JobId,
    jobs::NewJob,
};

mod dead;
mod lease;
mod queued;
mod row;
mod settle;
mod transaction;

pub use dead::{DeadJob, DeadPage, Position};
pub use lease::{Lease, Taken, Wanted};
pub use queued::Overdue;
pub use row::{MAX_PAYLOAD, Payload, Row};
pub use settle::{Change, Settlement, Written};

use row::text;
use transaction::Verdict;

#[derive(Clone)]
pub struct Jobs {
    aws: Aws,
    table: String,
}

/// What a job's row says when a new one was to be stored under its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is new, of epoch 1.
    New,
    /// It was there before.
    Known { state: State, epoch: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Queued,
    Running,
    Done,
    Dead,
}

const IF_NEW: &str = "attribute_not_exists(job_id)";

impl Jobs {
    pub fn new(aws: Aws, table: String) -> Self {
        Self { aws, table }
    }

    /// Stores a job as queued, unless its id is known. It is sent afterwards.
    ///
    /// # Errors
    /// `TooLarge` where it has no room in a row.
    pub async fn insert(&self, job: &NewJob) -> Result<Stored> {
        self.put_new(job, None).await
    }

    /// [`Jobs::insert`] within `deadline`, in two attempts at most.
    pub async fn insert_within(&self, job: &NewJob, deadline: Duration) -> Result<Stored> {
        let (timeouts, attempts) = within(deadline);
        self.put_new(job, Some(Builder::new().timeout_config(timeouts).retry_config(attempts))).await
    }

    async fn put_new(&self, job: &NewJob, config: Option<Builder>) -> Result<Stored> {
        let put = self.aws.dynamodb().await.put_item().table_name(&self.table);
        let put = put
            .set_item(Some(row::new_item(job)?))
            .condition_expression(IF_NEW)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize();
        let put = match config {
            Some(config) => put.config_override(config),
            None => put,
        };
        match put.send().await {
            Ok(_) => Ok(Stored::New),
            Err(SdkError::ServiceError(err)) => match err.into_err() {
                PutItemError::ConditionalCheckFailedException(failed) => known(job, failed.item()),
                err => Err(database(err)),
            },
            Err(err) => Err(database(err)),
        }
    }

    /// Stores many jobs as queued, each unless its id is known: what became of each, in their order. No id may stand there twice.
    pub async fn insert_many(&self, jobs: &[NewJob]) -> Result<Vec<Stored>> {
        let mut stored = Vec::with_capacity(jobs.len());
        for jobs in jobs.chunks(transaction::LIMIT) {
            let puts = jobs.iter().map(|job| self.put_item(row::new_item(job)?)).collect::<Result<Vec<_>>>()?;
            for (job, verdict) in jobs.iter().zip(self.transact(puts, |_| None).await?) {
                stored.push(match verdict {
                    Verdict::Written => Stored::New,
                    Verdict::Refused(item) => known(job, item.as_ref())?,
                    Verdict::Busy => return Err(database("transaction conflicts")),
                });
            }
        }
        Ok(stored)
    }

    /// A put of a row that must not be there yet.
    fn put_item(&self, item: HashMap<String, AttributeValue>) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(IF_NEW)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The rows that are there, strongly consistent.
    pub async fn read(&self, ids: impl IntoIterator<Item = JobId>) -> Result<HashMap<JobId, Row>> {
        let ids: HashSet<JobId> = ids.into_iter().collect();
        let keys = ids.into_iter().map(|id| HashMap::from([("job_id".to_owned(), text(id))])).collect();
        let items = batch_get(&self.aws, &self.table, keys).await?;
        Ok(items.iter().filter_map(Row::read).map(|row| (row.id, row)).collect())
    }
}

/// What the row says that was there before; a row that is this very job's was put by an attempt whose answer was lost.
fn known(job: &NewJob, item: Option<&HashMap<String, AttributeValue>>) -> Result<Stored> {
    let row = item.and_then(Row::read).ok_or_else(|| Error::internal("a job's row can't be read"))?;
    let own = row.state == State::Queued && row.epoch == 1 && row.attempts == 0 && row.created_at == job.created_at;
    Ok(if own { Stored::New } else { Stored::Known { state: row.state, epoch: row.epoch } })
}

/// What the caller hears when the database does not answer.
fn database(err: impl Into<crate::error::Cause>) -> Error {
    Error::unavailable("the database is not available, try again", err)
}
