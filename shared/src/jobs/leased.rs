//! A job that this invocation may work on.

use std::{
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use futures::FutureExt;

use super::{Failure, Job, Tally};
use crate::ids::JobId;

/// A job under a lease. Whoever works on it says with [`Leased::settle`] or [`Leased::run`] what became of it; what is left
/// unsettled has failed with its batch, or was not begun when the batch's time was up.
#[derive(Debug)]
pub struct Leased {
    pub id: JobId,
    pub job: Job,
    pub epoch: u64,
    /// From 1.
    pub attempt: u32,
    pub created_at: DateTime<Utc>,
    /// Whether somebody asked for another go after it had died.
    pub retried: bool,
    leased: Instant,
    begun: OnceLock<Instant>,
    outcome: Mutex<Option<(Result<Tally, Failure>, Instant)>>,
}

impl Leased {
    pub fn new(id: JobId, job: Job, epoch: u64, attempt: u32, created_at: DateTime<Utc>, retried: bool) -> Self {
        let (leased, begun, outcome) = (Instant::now(), OnceLock::new(), Mutex::default());
        Self { id, job, epoch, attempt, created_at, retried, leased, begun, outcome }
    }

    /// Says that work on it begins. A job that the batch had no time to begin costs no attempt.
    pub fn begin(&self) {
        self.begun.get_or_init(Instant::now);
    }

    /// Does the job by itself: what goes wrong in it, a panic too, is its failure alone.
    pub async fn run(&self, work: impl Future<Output = Result<Tally, Failure>>) {
        self.begin();
        let outcome = AssertUnwindSafe(work).catch_unwind().await;
        // The panic hook has logged it, with its place.
        self.settle(outcome.unwrap_or_else(|_| Err(Failure::transient("the job panicked"))));
    }

    /// Says what became of it; the first word stands.
    pub fn settle(&self, outcome: Result<Tally, Failure>) {
        self.outcome().get_or_insert_with(|| (outcome, Instant::now()));
    }

    /// What became of it, if anybody said so.
    pub fn take(&self) -> Option<Result<Tally, Failure>> {
        self.outcome().take().map(|(outcome, _)| outcome)
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.get().is_some()
    }

    /// How long it was worked on, as far as anybody said.
    pub(super) fn duration(&self) -> Duration {
        let end = self.outcome().as_ref().map_or_else(Instant::now, |(_, at)| *at);
        end.saturating_duration_since(*self.begun.get().unwrap_or(&self.leased))
    }

    fn outcome(&self) -> MutexGuard<'_, Option<(Result<Tally, Failure>, Instant)>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
