//! Taking jobs to work on them.

use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Jobs, State, Verdict,
    row::{self, Row, number, text},
};
use crate::{
    clock::rfc3339,
    error::{Error, Result},
    jobs::NewJob,
};

/// What a worker holds jobs by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    pub token: Uuid,
    /// From then on others may take them.
    pub until: DateTime<Utc>,
}

/// A job that a worker wants.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// As its row was read: queued, or running under a lease that ran out.
    Known(&'a Row),
    /// It has no row yet.
    New { job: &'a NewJob, epoch: u64 },
}

/// What came of wanting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    Held,
    /// Somebody was first: the row as it is now, if it is there.
    Refused(Option<Row>),
    /// Others write to it without a pause.
    Busy,
}

/// `attempts` and `crashes` stand for the row as it was read: each run changes one of them, save the one that ends well.
const IF_FREE: &str = "epoch = :epoch AND attempts = :attempts AND (lease = :token AND #state = :running \
     OR crashes = :crashes AND (#state = :queued OR #state = :running AND leased_until <= :now))";

impl Wanted<'_> {
    /// Runs without a word so far, this one's predecessor included.
    pub fn crashes(&self) -> u32 {
        match self {
            Self::Known(row) => row.crashes + u32::from(row.state == State::Running),
            Self::New { .. } => 0,
        }
    }
}

impl Jobs {
    /// Takes those of `wanted` (100 at most) that are free, in one transaction.
    pub async fn lease(&self, wanted: &[Wanted<'_>], lease: &Lease, now: DateTime<Utc>) -> Result<Vec<Taken>> {
        let writes = wanted.iter().map(|wanted| match wanted {
            Wanted::Known(row) => self.take_item(row, wanted.crashes(), lease, now),
            Wanted::New { job, epoch } => self.create_item(job, *epoch, lease),
        });
        let verdicts = self.transact(writes.collect::<Result<_>>()?, |_| None).await?;
        Ok(verdicts.into_iter().map(Taken::of).collect())
    }

    fn take_item(&self, row: &Row, crashes: u32, lease: &Lease, now: DateTime<Utc>) -> Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("job_id", text(row.id))
            .update_expression(
                "SET #state = :running, lease = :token, leased_until = :until, crashes = :crashed REMOVE queued_shard",
            )
            .condition_expression(IF_FREE)
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":queued", text(State::Queued.name()))
            .expression_attribute_values(":running", text(State::Running.name()))
            .expression_attribute_values(":epoch", number(row.epoch))
            .expression_attribute_values(":attempts", number(row.attempts))
            .expression_attribute_values(":crashes", number(row.crashes))
            .expression_attribute_values(":crashed", number(crashes))
            .expression_attribute_values(":token", text(lease.token))
            .expression_attribute_values(":until", text(rfc3339(lease.until)))
            .expression_attribute_values(":now", text(rfc3339(now)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn create_item(&self, job: &NewJob, epoch: u64, lease: &Lease) -> Result<TransactWriteItem> {
        let mut item = row::base_item(job, epoch)?;
        item.insert("state".to_owned(), text(State::Running.name()));
        item.insert("lease".to_owned(), text(lease.token));
        item.insert("leased_until".to_owned(), text(rfc3339(lease.until)));
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(job_id) OR lease = :token AND #state = :running")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":token", text(lease.token))
            .expression_attribute_values(":running", text(State::Running.name()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

impl Taken {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Written => Self::Held,
            Verdict::Refused(item) => Self::Refused(item.as_ref().and_then(Row::read)),
            Verdict::Busy => Self::Busy,
        }
    }
}
