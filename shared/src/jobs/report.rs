//! What a batch came to, for the log and the metrics.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use tracing::{info, warn};
use uuid::Uuid;

use crate::{
    store::jobs::{Change, Row, Settlement},
    telemetry::JobsRecord,
};

#[derive(Debug, Default)]
pub(super) struct Report {
    by_type: BTreeMap<String, JobsRecord>,
    /// Messages that come back without their job having been worked on.
    pub(super) put_off: usize,
    /// Whether the batch as a whole got nowhere.
    pub(super) broken: bool,
    /// Observations of the jobs that are done, and those of a confidence of at least 80.
    pub(super) scored: u64,
    pub(super) confident: u64,
    /// The sum of their confidences, in tenths.
    pub(super) confidence_tenths: u64,
}

/// A job whose end is written down.
pub(super) struct Ended<'a> {
    pub(super) settlement: &'a Settlement,
    pub(super) row: &'a Row,
    pub(super) operation_id: Option<Uuid>,
    pub(super) duration: Duration,
    pub(super) sent_at: Option<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
}

impl Report {
    fn of(&mut self, kind: &str) -> &mut JobsRecord {
        self.by_type
            .entry(kind.to_owned())
            .or_insert_with(|| JobsRecord { job_type: kind.into(), ..JobsRecord::default() })
    }

    pub(super) fn ended(&mut self, ended: &Ended<'_>) {
        let Ended { settlement, row, duration, now, .. } = *ended;
        let (id, kind, attempt) = (settlement.id, &settlement.kind, row.attempts + 1);
        let operation_id = ended.operation_id.map(|id| id.to_string());
        if let Change::Done(tally) = &settlement.change {
            self.scored += tally.scored;
            self.confident += tally.confident;
            self.confidence_tenths += tally.confidence_tenths;
        }
        let of_type = self.of(kind);
        of_type.durations.push(duration);
        match &settlement.change {
            Change::Done(_) => {
                // A retried job's age counts from its retry, any other's from when it was first heard of.
                let since = row.retried_at.unwrap_or_else(|| ended.sent_at.unwrap_or(now).min(row.created_at));
                of_type.done += 1;
                of_type.ages.push((now - since).to_std().unwrap_or_default());
            }
            Change::Queued { error, .. } => {
                of_type.failed += 1;
                warn!(job_id = %id, job_type = kind, attempt, operation_id, error, "job failed, it will be tried again");
            }
            Change::Dead { error, .. } => {
                of_type.dead += 1;
                warn!(job_id = %id, job_type = kind, attempt, operation_id, error, "job is dead");
            }
            Change::Removed => {
                info!(job_id = %id, job_type = kind, attempt, operation_id, "job taken away: what it is about was never accepted");
            }
        }
    }

    /// A job that nobody worked on was declared dead.
    pub(super) fn buried(&mut self, row: &Row, error: &str) {
        self.of(&row.kind).dead += 1;
        warn!(job_id = %row.id, job_type = row.kind, attempt = row.attempts, error, "job is dead");
    }

    /// Adds another report's figures.
    pub(super) fn add(&mut self, other: Self) {
        self.put_off += other.put_off;
        self.scored += other.scored;
        self.confident += other.confident;
        self.confidence_tenths += other.confidence_tenths;
        self.broken |= other.broken;
        for (kind, record) in other.by_type {
            let of_type = self.of(&kind);
            of_type.done += record.done;
            of_type.failed += record.failed;
            of_type.dead += record.dead;
            of_type.durations.extend(record.durations);
            of_type.ages.extend(record.ages);
        }
    }

    /// The batch's closing line; the rest is for the metrics.
    pub(super) fn close(self, messages: usize, duration: Duration) -> Vec<JobsRecord> {
        let sum = |count: fn(&JobsRecord) -> u64| self.by_type.values().map(count).sum::<u64>();
        info!(
            messages,
            done = sum(|jobs| jobs.done),
            failed = sum(|jobs| jobs.failed),
            dead = sum(|jobs| jobs.dead),
            put_off = self.put_off,
            duration_ms = (duration.as_secs_f64() * 1e6).round() / 1e3,
            "batch ended"
        );
        self.by_type.into_values().collect()
    }
}
