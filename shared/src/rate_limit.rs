//! Rate limits: a sliding window per caller and route, counted in the Control table by all instances together.
//!
//! One write a request adds 1 and returns the count. The window before can no longer change: it is read once, beside
//! that write, and remembered. Who is over the limit is answered from memory, without a write. Where the table can't
//! be asked, users pass (they are known), addresses are counted by the instance alone.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tracing::warn;

use crate::{
    clock::Clock,
    store::control::{Control, ControlUnavailable},
    telemetry::Metrics,
};

mod blocks;
mod memory;
mod subject;
mod window;

pub use subject::Subject;
pub use window::WINDOW;

use blocks::Blocks;
use memory::Memory;
use window::{Counts, Moment};

/// Requests per minute that a caller has on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// 10: what is dear or dangerous.
    Strict,
    /// 100
    Standard,
    /// 500: reads.
    Lenient,
    /// 1,000
    Webhook,
}

impl Preset {
    pub fn per_minute(self) -> u32 {
        match self {
            Self::Strict => 10,
            Self::Standard => 100,
            Self::Lenient => 500,
            Self::Webhook => 1000,
        }
    }

    /// The policy's name in `RateLimit-Policy`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Standard => "standard",
            Self::Lenient => "lenient",
            Self::Webhook => "webhook",
        }
    }
}

/// The verdict on one request, with what `RateLimit-Policy` and `RateLimit` say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub policy: &'static str,
    /// Requests per [`WINDOW`].
    pub quota: u32,
    /// How many more would pass at this moment.
    pub remaining: u32,
    /// Until the window turns, in whole seconds, at least 1; for a refused request as long as it has to wait.
    pub reset: Duration,
    /// None where the request passes; else how long to wait, in whole seconds, at least 1.
    pub denied: Option<Duration>,
}

impl Limit {
    pub fn allowed(&self) -> bool {
        self.denied.is_none()
    }

    fn passed(preset: Preset, counts: Counts, at: Moment) -> Self {
        let left = counts.remaining(preset.per_minute().into(), at);
        let remaining = u32::try_from(left).unwrap_or(u32::MAX);
        Self { remaining, denied: None, ..Self::refused(preset, at.rest()) }
    }

    fn refused(preset: Preset, wait: Duration) -> Self {
        let (policy, quota, wait) = (preset.name(), preset.per_minute(), whole_seconds(wait));
        Self { policy, quota, remaining: 0, reset: wait, denied: Some(wait) }
    }

    /// None where the next request would pass by what is known.
    fn known_refusal(preset: Preset, known: Counts, at: Moment) -> Option<Self> {
        let wait = known.wait(preset.per_minute().into(), at);
        (!wait.is_zero()).then(|| Self::refused(preset, wait))
    }

    fn verdict(preset: Preset, counts: Counts, at: Moment) -> Self {
        if counts.passes(preset.per_minute().into(), at) {
            Self::passed(preset, counts, at)
        } else {
            Self::refused(preset, counts.wait(preset.per_minute().into(), at))
        }
    }
}

/// Rounded up, at least 1: who waits that long has waited long enough.
fn whole_seconds(wait: Duration) -> Duration {
    Duration::from_secs((wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1))
}

/// The limiter of one instance.
#[derive(Clone)]
pub struct RateLimiter(Arc<Inner>);

struct Inner {
    control: Control,
    clock: Clock,
    metrics: Metrics,
    /// What the shared windows came to when they were last asked.
    shared: Mutex<Memory>,
    /// What this instance counts alone.
    local: Mutex<Memory>,
    blocks: Mutex<Blocks>,
}

impl RateLimiter {
    pub fn new(control: Control, clock: Clock, metrics: Metrics) -> Self {
        let (shared, local, blocks) = Default::default();
        Self(Arc::new(Inner { control, clock, metrics, shared, local, blocks }))
    }

    /// Counts a request of this caller on this route, and says whether it passes. It must be run to its end (`join!`),
    /// or a request that is cut short would not count.
    pub async fn take(&self, subject: &Subject, route: &str, preset: Preset) -> Limit {
        let at = Moment::at(self.0.clock.now());
        let name = format!("{subject}#{route}");
        let (previous, known) = self.known(&name, at);
        if let Some(refused) = Limit::known_refusal(preset, known, at) {
            return refused;
        }
        match self.count(&name, previous, at).await {
            Ok(counts) => Limit::verdict(preset, counts, at),
            Err(err) => {
                self.0.metrics.count("limiter_unavailable");
                warn!(error = %err, route, "limiter not available");
                match subject {
                    Subject::User(_) => Limit::passed(preset, known, at),
                    Subject::Address(_) => self.count_alone(&name, preset, at),
                }
            }
        }
    }

    /// The refusal that [`RateLimiter::take`] would answer from memory, if it would: whoever has work to do beside the
    /// count need not begin it.
    pub fn refused(&self, subject: &Subject, route: &str, preset: Preset) -> Option<Limit> {
        let at = Moment::at(self.0.clock.now());
        let (_, known) = self.known(&format!("{subject}#{route}"), at);
        Limit::known_refusal(preset, known, at)
    }

    /// What the shared windows came to when they were last asked; the previous one also as it was read, if it was.
    fn known(&self, name: &str, at: Moment) -> (Option<u64>, Counts) {
        let (previous, current) = lock(&self.0.shared).recall(name, at);
        (previous, Counts { previous: previous.unwrap_or_default(), current })
    }

    /// As [`RateLimiter::take`], counted by this instance alone: no I/O.
    pub fn take_in_memory(&self, subject: &Subject, route: &str, preset: Preset) -> Limit {
        self.count_alone(&format!("{subject}#{route}"), preset, Moment::at(self.0.clock.now()))
    }

    fn count_alone(&self, name: &str, preset: Preset, at: Moment) -> Limit {
        let mut local = lock(&self.0.local);
        if let Some(refused) = Limit::known_refusal(preset, local.counts(name, at), at) {
            return refused;
        }
        Limit::verdict(preset, local.add_one(name, at), at)
    }

    /// Adds 1 to the shared window, and reads the one before unless it is known.
    async fn count(&self, name: &str, previous: Option<u64>, at: Moment) -> Result<Counts, ControlUnavailable> {
        let key = |window: u64| format!("{name}#{window}");
        let read = async {
            match previous {
                Some(count) => Ok(count),
                None => self.0.control.count(&key(at.window.saturating_sub(1))).await,
            }
        };
        let key_now = key(at.window);
        let (current, previous) = tokio::join!(self.0.control.add_one(&key_now, at.expires()), read);
        let current = current?;
        // The count alone is a limit too. What was not read this time is read beside the next request.
        let previous = previous.inspect_err(|err| warn!(error = %err, "the previous window was not read")).ok();
        lock(&self.0.shared).learn(name, at, previous, current);
        Ok(Counts { previous: previous.unwrap_or_default(), current })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic left behind is at worst a count that is off by one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
