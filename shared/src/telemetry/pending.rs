//! What happens during a request and is told in its metrics when it ends.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

/// What was counted and timed since the last request ended.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) dynamodb: Calls,
    pub(super) counts: Counts,
    pub(super) providers: BTreeMap<String, Provider>,
}

/// Named counts, e.g. `jwks_cache_hits`.
pub(super) type Counts = BTreeMap<Cow<'static, str>, u64>;

/// The calls to one provider.
#[derive(Debug, Default)]
pub(super) struct Provider {
    pub(super) calls: Calls,
    pub(super) retries: u64,
    /// Transitions of its breaker and uses of its fallback.
    pub(super) counts: Counts,
}

impl Pending {
    pub(super) fn provider(&mut self, name: &str) -> &mut Provider {
        self.providers.entry(name.to_owned()).or_default()
    }
}

/// Adds 1 to a count.
pub(super) fn increment(counts: &mut Counts, name: impl Into<Cow<'static, str>>) {
    *counts.entry(name.into()).or_default() += 1;
}

/// Calls of one kind: how many, how many of them failed, how long each took.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) calls: u64,
    pub(super) errors: u64,
    pub(super) durations: Vec<Duration>,
}

impl Calls {
    /// EMF allows 100 values a metric.
    const MAX_DURATIONS: usize = 100;

    pub(super) fn add(&mut self, duration: Duration, ok: bool) {
        self.calls += 1;
        self.errors += u64::from(!ok);
        if self.durations.len() < Self::MAX_DURATIONS {
            self.durations.push(duration);
        }
    }
}
