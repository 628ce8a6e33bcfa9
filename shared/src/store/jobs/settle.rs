//! What became of jobs, written under their lease, together with what it adds to the hourly counters: both or neither.

use aws_sdk_dynamodb::types::{Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use chrono::{DateTime, Utc};

use super::{
    Jobs, Lease, Payload, State, Verdict,
    row::{self, Row, number, text},
};
use crate::{
    clock::rfc3339,
    error::{Error, Result},
    ids::JobId,
    jobs::Tally,
    store::control::{Control, Counts},
};

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub id: JobId,
    /// The job's type.
    pub kind: String,
    pub change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Done(Tally),
    /// It waits for another attempt.
    Queued {
        attempts: u32,
        crashes: u32,
        due_at: DateTime<Utc>,
        error: String,
    },
    Dead {
        attempts: u32,
        error: String,
    },
    /// There never was such a job.
    Removed,
}

/// What came of writing that down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    Done,
    /// It is another's by now: the row as it is, if it is there.
    Lost(Option<Row>),
    /// Others write to it without a pause.
    Busy,
}

const IF_HELD: &str = "lease = :token AND #state = :running";
/// Nobody works on it.
const IF_IDLE: &str = "epoch = :epoch AND (#state = :queued OR #state = :running AND leased_until <= :now)";
const DIE: &str = "SET #state = :dead, dead_type = :kind, attempts = :attempts, last_error = :error, failed_at = :now, \
     #ttl = :ttl REMOVE queued_shard";

impl Settlement {
    /// What it adds to the hour's counters.
    fn counts(&self) -> Counts {
        match &self.change {
            Change::Done(tally) => Counts::of(*tally),
            Change::Dead { .. } => Counts::dead(&self.kind),
            Change::Queued { .. } | Change::Removed => Counts::default(),
        }
    }
}

impl Jobs {
    /// Most settlements of one call: with the counters, what a transaction takes.
    pub const SETTLED_AT_ONCE: usize = super::transaction::LIMIT - 1;

    /// Writes what became of jobs that this lease still holds, and counts it, in one transaction.
    pub async fn settle(
        &self,
        settlements: &[Settlement],
        lease: &Lease,
        control: &Control,
        now: DateTime<Utc>,
    ) -> Result<Vec<Written>> {
        let writes = settlements.iter().map(|settlement| self.settle_item(settlement, lease, now));
        let counted = |open: &[usize]| {
            let open = open.iter().filter_map(|at| settlements.get(*at));
            control.count_item(open.map(Settlement::counts).sum(), now)
        };
        let verdicts = self.transact(writes.collect::<Result<_>>()?, counted).await?;
        Ok(verdicts.into_iter().map(Written::of).collect())
    }

    /// Declares a job dead that nobody works on. Nothing is changed where the row is not any more as it was read, or where it
    /// is being worked on: that is answered with the row as it stands.
    pub async fn bury(&self, row: &Row, error: &str, control: &Control, now: DateTime<Utc>) -> Result<Written> {
        let update = self
            .die(row.id, &row.kind, row.attempts, error, now)
            .condition_expression(IF_IDLE)
            .expression_attribute_values(":queued", text(State::Queued.name()))
            .expression_attribute_values(":epoch", number(row.epoch))
            .build();
        let write = TransactWriteItem::builder().update(update.map_err(Error::internal)?).build();
        let counts = Counts::dead(&row.kind);
        let verdicts = self.transact(vec![write], |_| control.count_item(counts, now)).await?;
        Ok(verdicts.into_iter().map(Written::of).next().unwrap_or(Written::Busy))
    }

    /// Keeps a message that is no job, as a dead one. The same id again changes nothing.
    pub async fn put_unparsable(&self, id: JobId, payload: &Payload, why: &str, now: DateTime<Utc>) -> Result<()> {
        let put = self.put_item(row::unparsable_item(id, payload, why, now))?;
        match self.transact(vec![put], |_| None).await?.as_slice() {
            [Verdict::Busy] => Err(super::database("transaction conflicts")),
            _ => Ok(()),
        }
    }

    fn settle_item(&self, settlement: &Settlement, lease: &Lease, now: DateTime<Utc>) -> Result<TransactWriteItem> {
        let id = settlement.id;
        let update = match &settlement.change {
            Change::Done(_) => Update::builder()
                .table_name(&self.table)
                .key("job_id", text(id))
                .update_expression("SET #state = :done, #ttl = :ttl")
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":done", text(State::Done.name()))
                .expression_attribute_values(":ttl", number(row::expires(now))),
            Change::Queued { attempts, crashes, due_at, error } => Update::builder()
                .table_name(&self.table)
                .key("job_id", text(id))
                .update_expression(
                    "SET #state = :queued, attempts = :attempts, crashes = :crashes, due_at = :due, \
                     queued_shard = :shard, last_error = :error, failed_at = :now, #ttl = :ttl",
                )
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":queued", text(State::Queued.name()))
                .expression_attribute_values(":attempts", number(attempts))
                .expression_attribute_values(":crashes", number(crashes))
                .expression_attribute_values(":due", text(rfc3339(*due_at)))
                .expression_attribute_values(":shard", number(row::shard(id)))
                .expression_attribute_values(":error", text(row::cut(error)))
                .expression_attribute_values(":now", text(rfc3339(now)))
                .expression_attribute_values(":ttl", number(row::expires(now))),
            Change::Dead { attempts, error } => self.die(id, &settlement.kind, *attempts, error, now),
            Change::Removed => return self.remove_item(id, lease),
        };
        let update = update
            .condition_expression(IF_HELD)
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":token", text(lease.token))
            .expression_attribute_values(":running", text(State::Running.name()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn remove_item(&self, id: JobId, lease: &Lease) -> Result<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("job_id", text(id))
            .condition_expression(IF_HELD)
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":token", text(lease.token))
            .expression_attribute_values(":running", text(State::Running.name()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Without its condition, which uses `#state`, `:running` and `:now`.
    fn die(
        &self,
        id: JobId,
        kind: &str,
        attempts: u32,
        error: &str,
        now: DateTime<Utc>,
    ) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key("job_id", text(id))
            .update_expression(DIE)
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":dead", text(State::Dead.name()))
            .expression_attribute_values(":running", text(State::Running.name()))
            .expression_attribute_values(":kind", text(kind))
            .expression_attribute_values(":attempts", number(attempts))
            .expression_attribute_values(":error", text(row::cut(error)))
            .expression_attribute_values(":now", text(rfc3339(now)))
            .expression_attribute_values(":ttl", number(row::expires(now)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

impl Written {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Written => Self::Done,
            Verdict::Refused(item) => Self::Lost(item.as_ref().and_then(Row::read)),
            Verdict::Busy => Self::Busy,
        }
    }
}
