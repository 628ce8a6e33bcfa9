//! Circuit breakers: a provider that is down is left alone for a while, by all instances of all functions.
//!
//! The state is shared through the Control table and read there beside a request's own first reads, so that a healthy
//! call waits for nothing; each instance keeps what it read for 5 s and counts failures for itself. If Control does
//! not answer, calls go through: a breaker protects, it must not be what fails.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::{info, warn};

use crate::{
    clock::Clock,
    store::control::{Claim, Control},
    telemetry::Metrics,
};

mod state;

use state::{Entry, FAILURES_TO_OPEN};
pub use state::{Phase, Shared};

/// How long an instance trusts the state that it read.
const KEPT_FOR: TimeDelta = TimeDelta::seconds(5);

/// One breaker a provider.
#[derive(Clone)]
pub struct Breakers(Arc<Inner>);

struct Inner {
    control: Control,
    clock: Clock,
    metrics: Metrics,
    known: Mutex<HashMap<&'static str, Known>>,
}

/// What this instance knows of a provider.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    shared: Shared,
    /// When `shared` was read or written; none before the first time.
    read_at: Option<DateTime<Utc>>,
    /// Consecutive failures in the state of `shared.epoch`.
    failures: u32,
}

/// Where calls to a provider ask for permission; its state has been read.
pub struct Gate {
    breakers: Breakers,
    provider: &'static str,
}

/// Permission for one call. What became of the call is told by [`Permit::succeeded`] or [`Permit::failed`]; a permit
/// that is dropped, because its call was cancelled, says nothing, and where it was a probe its place is free again
/// after 15 s.
#[must_use = "tell the permit what became of the call"]
pub struct Permit {
    breakers: Breakers,
    provider: &'static str,
    /// The state under which the call was let through.
    entered: Shared,
    probe: bool,
}

/// The breaker lets nothing through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the breaker is open")]
pub struct Open {
    pub retry_after: Duration,
}

impl Breakers {
    pub fn new(control: Control, clock: Clock, metrics: Metrics) -> Self {
        Self(Arc::new(Inner { control, clock, metrics, known: Mutex::default() }))
    }

    /// The gate before a provider. Reads the shared state unless that was done in the last 5 s: run it beside the
    /// request's first reads. A state that can't be read counts as closed.
    pub async fn gate(&self, provider: &'static str) -> Gate {
        if !self.is_known(provider) {
            match self.0.control.breaker(provider).await {
                Ok(shared) => self.learn(provider, shared),
                Err(err) => {
                    warn!(error = %err, provider, "breaker state not read, calls go through");
                    let epoch = self.shared(provider).epoch;
                    self.learn(provider, Shared { phase: Phase::Closed, epoch });
                }
            }
        }
        Gate { breakers: self.clone(), provider }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<&'static str, Known>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared(&self, provider: &'static str) -> Shared {
        self.known().get(provider).map(|known| known.shared).unwrap_or_default()
    }

    fn is_known(&self, provider: &'static str) -> bool {
        let now = self.0.clock.now();
        let read_at = self.known().get(provider).and_then(|known| known.read_at);
        read_at.is_some_and(|at| now - at < KEPT_FOR)
    }

    /// Takes over a state; failures that were counted in another state say nothing about this one.
    fn learn(&self, provider: &'static str, shared: Shared) {
        let mut known = self.known();
        let known = known.entry(provider).or_default();
        if known.shared.epoch != shared.epoch {
            known.failures = 0;
        }
        known.shared = shared;
        known.read_at = Some(self.0.clock.now());
    }

    /// Writes `next` in place of the state of epoch `seen`; of several instances that try, one does. All learn what
    /// came of it.
    async fn transition(&self, provider: &'static str, seen: Shared, next: Shared) -> Moved {
        match self.0.control.move_breaker(provider, seen.epoch, &next).await {
            Ok(Claim::Won) => {
                self.learn(provider, next);
                self.report(provider, seen.phase, next.phase);
                Moved::Won
            }
            Ok(Claim::Lost(actual)) => {
                self.learn(provider, actual);
                Moved::Lost(actual)
            }
            Err(err) => {
                warn!(error = %err, provider, state = next.phase.name(), "breaker transition not written");
                Moved::Unknown
            }
        }
    }

    fn report(&self, provider: &'static str, from: Phase, to: Phase) {
        let (from, to) = (from.name(), to.name());
        if from == to {
            return;
        }
        self.0.metrics.breaker_transition(provider, to);
        if to == "open" {
            warn!(provider, from, to, "breaker opened");
        } else {
            info!(provider, from, to, "breaker moved");
        }
    }
}

/// What came of a transition.
enum Moved {
    Won,
    Lost(Shared),
    /// Control did not answer.
    Unknown,
}

impl Gate {
    /// Permission for one call, or how long to wait before the next try. Does no I/O while the breaker is closed, nor
    /// while it is open; a probe is claimed by one conditional write.
    pub async fn enter(&self) -> Result<Permit, Open> {
        let shared = self.breakers.shared(self.provider);
        let probe = match shared.entry(self.breakers.0.clock.now()) {
            Entry::Free => return Ok(self.permit(shared, false)),
            Entry::Refused { retry_after } => return Err(Open { retry_after }),
            Entry::Probe(probe) => probe,
        };
        match self.breakers.transition(self.provider, shared, probe).await {
            Moved::Won => Ok(self.permit(probe, true)),
            Moved::Unknown => Ok(self.permit(shared, false)),
            Moved::Lost(actual) => match actual.entry(self.breakers.0.clock.now()) {
                Entry::Free => Ok(self.permit(actual, false)),
                Entry::Refused { retry_after } => Err(Open { retry_after }),
                // Another probe came and went meanwhile. The next call is soon enough to try again.
                Entry::Probe(_) => Err(Open { retry_after: crate::error::RETRY_AFTER }),
            },
        }
    }

    fn permit(&self, entered: Shared, probe: bool) -> Permit {
        Permit { breakers: self.breakers.clone(), provider: self.provider, entered, probe }
    }
}

impl Permit {
    /// The provider answered, be it with a refusal: it is there. Does no I/O unless the call was a probe.
    pub async fn succeeded(self) {
        if self.probe {
            self.breakers.transition(self.provider, self.entered, self.entered.after_success()).await;
        } else {
            self.count(|_| 0);
        }
    }

    /// The provider failed. Does no I/O unless this opens the breaker.
    pub async fn failed(self) {
        if !self.probe && self.count(|failures| failures + 1) < FAILURES_TO_OPEN {
            return;
        }
        let opened = self.entered.opened(self.breakers.0.clock.now());
        if let Moved::Unknown = self.breakers.transition(self.provider, self.entered, opened).await {
            // Nobody else hears of it, but this instance has seen enough.
            self.breakers.learn(self.provider, opened);
        }
    }

    /// Sets this instance's count of failures and returns it; a call of an earlier state changes nothing.
    fn count(&self, change: impl FnOnce(u32) -> u32) -> u32 {
        let mut known = self.breakers.known();
        match known.get_mut(self.provider) {
            Some(known) if known.shared.epoch == self.entered.epoch && known.shared.phase == Phase::Closed => {
                known.failures = change(known.failures);
                known.failures
            }
            _ => 0,
        }
    }
}
