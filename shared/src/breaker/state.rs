//! The breaker's rules, on values alone.
//!
//! Five consecutive failures open it; after 30 s one call at a time is let through as a probe; three probes that
//! succeed close it, one that fails opens it again.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Consecutive failures, counted by one instance, that open a closed breaker.
pub const FAILURES_TO_OPEN: u32 = 5;
/// How long an open breaker lets nothing through.
pub const OPEN_FOR: TimeDelta = TimeDelta::seconds(30);
/// Probes that must succeed, one after the other, to close it.
pub const SUCCESSES_TO_CLOSE: u32 = 3;
/// When a probe that reported nothing (its call was cancelled, its instance is gone) makes room for the next: longer
/// than any provider's deadline.
pub const PROBE_FOR: TimeDelta = TimeDelta::seconds(15);
/// What a caller is told where only the end of another's probe is awaited.
const AFTER_PROBE: TimeDelta = TimeDelta::seconds(1);

/// What all instances know of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shared {
    pub phase: Phase,
    /// Raised by every write; 0 before the first.
    pub epoch: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    #[default]
    Closed,
    Open {
        since: DateTime<Utc>,
    },
    HalfOpen {
        successes: u32,
        /// Until when a probe is under way; none where there is room for one.
        probe_until: Option<DateTime<Utc>>,
    },
}

/// Whether a call may go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It may, and nobody has to know.
    Free,
    /// It may if it is the first to write this state.
    Probe(Shared),
    Refused {
        retry_after: Duration,
    },
}

impl Phase {
    /// As it stands in the item, in logs and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
        }
    }
}

impl Shared {
    /// What a call that comes now may do.
    pub fn entry(&self, now: DateTime<Utc>) -> Entry {
        match self.phase {
            Phase::Closed => Entry::Free,
            Phase::Open { since } if now < since + OPEN_FOR => refused(since + OPEN_FOR - now),
            Phase::Open { .. } => self.probe(0, now),
            Phase::HalfOpen { probe_until: Some(until), .. } if now < until => refused((until - now).min(AFTER_PROBE)),
            Phase::HalfOpen { successes, .. } => self.probe(successes, now),
        }
    }

    fn probe(&self, successes: u32, now: DateTime<Utc>) -> Entry {
        Entry::Probe(self.then(Phase::HalfOpen { successes, probe_until: Some(now + PROBE_FOR) }))
    }

    /// The state after this state's probe succeeded.
    pub fn after_success(&self) -> Self {
        let successes = match self.phase {
            Phase::HalfOpen { successes, .. } => successes + 1,
            Phase::Closed | Phase::Open { .. } => 1,
        };
        if successes >= SUCCESSES_TO_CLOSE {
            self.then(Phase::Closed)
        } else {
            self.then(Phase::HalfOpen { successes, probe_until: None })
        }
    }

    /// The state after a probe, or one failure too many, showed that the provider is down.
    pub fn opened(&self, now: DateTime<Utc>) -> Self {
        self.then(Phase::Open { since: now })
    }

    fn then(&self, phase: Phase) -> Self {
        Self { phase, epoch: self.epoch + 1 }
    }
}

fn refused(rest: TimeDelta) -> Entry {
    Entry::Refused { retry_after: rest.to_std().unwrap_or_default().max(Duration::from_millis(1)) }
}

#[cfg(test)]
mod tests;
