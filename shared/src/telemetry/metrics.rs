//! `Metrics`: counts and times what a request does, and writes it as EMF records when the request ends.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use metrique::{CloseValue, InflectableEntry, RootEntry, emf::Emf, writer::format::Format};
use serde_json::Value;
use tracing::error;

use super::{
    emf::{Durations, DynamoDbEntry, NAMESPACE, NamedCounts, ProviderEntry, RequestEntry},
    pending::{Pending, Provider, increment},
};

/// Where a function counts. Cheap to clone; all clones count into the same place.
///
/// Everything but [`Metrics::request`] and [`Metrics::invocation`] only remembers; these two write what was remembered
/// since the last time. An instance has one request at a time. Where it has several (a managed instance), what they
/// share is told with the one that ends first: sums stay right.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    function: &'static str,
    version: String,
    served: AtomicBool,
    pending: Mutex<Pending>,
    emf: Mutex<Emf>,
    output: Output,
}

enum Output {
    Stdout,
    Nowhere,
    Captured(Captured),
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub struct RequestRecord<'a> {
    /// The route's short name: of a bounded set, never the path.
    pub route: &'a str,
    pub correlation_id: &'a str,
    pub request_id: &'a str,
    pub status: u16,
    pub duration: Duration,
    pub cold_start: bool,
}

impl Metrics {
    /// EMF records on stdout, where CloudWatch finds them. `version` is the deployed version that runs here.
    pub fn to_stdout(function: &'static str, version: &str) -> Self {
        Self::new(function, version, Output::Stdout)
    }

    /// For tests that look at no metrics.
    pub fn discard() -> Self {
        Self::new("test", "1", Output::Nowhere)
    }

    /// For tests that do: the records stay in memory.
    pub fn capture() -> (Self, Captured) {
        let captured = Captured::default();
        (Self::new("test", "1", Output::Captured(captured.clone())), captured)
    }

    fn new(function: &'static str, version: &str, output: Output) -> Self {
        // The dimension sets stand beside the records; `[[]]` adds nothing to them.
        let emf = Emf::builder(NAMESPACE.into(), vec![vec![]]).build();
        Self(Arc::new(Inner {
            function,
            version: version.into(),
            served: AtomicBool::new(false),
            pending: Mutex::default(),
            emf: Mutex::new(emf),
            output,
        }))
    }

    /// A look into one of the instance's caches, e.g. `jwks` or `limiter`: `jwks_cache_hits`, `jwks_cache_misses`.
    pub fn cache(&self, cache: &'static str, hit: bool) {
        let outcome = if hit { "hits" } else { "misses" };
        increment(&mut self.pending().counts, format!("{cache}_cache_{outcome}"));
    }

    /// Something that happened, e.g. `limiter_unavailable`.
    pub fn count(&self, name: &'static str) {
        increment(&mut self.pending().counts, name);
    }

    /// Something that happened to several.
    pub fn count_many(&self, name: &'static str, count: u64) {
        *self.pending().counts.entry(name.into()).or_default() += count;
    }

    /// A call to a provider, with all its attempts.
    pub fn provider_call(&self, provider: &str, ok: bool, duration: Duration, retries: u32) {
        let mut pending = self.pending();
        let provider = pending.provider(provider);
        provider.calls.add(duration, ok);
        provider.retries += u64::from(retries);
    }

    /// The provider's breaker changed its state: `open`, `half_open` or `closed`.
    pub fn breaker_transition(&self, provider: &str, to: &'static str) {
        increment(&mut self.pending().provider(provider).counts, format!("breaker_{to}"));
    }

    /// The provider's fallback answered in its place.
    pub fn fallback_used(&self, provider: &str) {
        increment(&mut self.pending().provider(provider).counts, "fallback_used");
    }

    /// An operation of DynamoDB, with all its attempts.
    pub fn dynamodb_call(&self, duration: Duration, ok: bool) {
        self.pending().dynamodb.add(duration, ok);
    }

    /// Whether no request was served before: true once, for the request that paid for the cold start.
    pub fn cold_start(&self) -> bool {
        !self.0.served.swap(true, Ordering::Relaxed)
    }

    /// Writes the request's record, and one for each provider that it used. They are out when this returns.
    pub fn request(&self, record: RequestRecord<'_>) {
        let Pending { dynamodb, counts, providers } = self.take_pending();
        let mut lines = Vec::with_capacity(1024);
        let entry = RequestEntry {
            function: self.0.function,
            route: record.route,
            version: &self.0.version,
            correlation_id: record.correlation_id,
            request_id: record.request_id,
            requests: 1,
            latency: record.duration,
            client_errors: u64::from((400..500).contains(&record.status)),
            server_errors: u64::from(record.status >= 500),
            throttled: u64::from(record.status == 429),
            cold_starts: u64::from(record.cold_start),
            dynamodb: DynamoDbEntry::of(dynamodb),
            counts: NamedCounts(counts),
        };
        self.format(entry, &mut lines);
        self.format_providers(providers, record.correlation_id, record.request_id, &mut lines);
        self.0.output.write(&lines);
    }

    pub(super) fn format_providers(
        &self,
        providers: BTreeMap<String, Provider>,
        correlation_id: &str,
        request_id: &str,
        lines: &mut Vec<u8>,
    ) {
        for (provider, Provider { calls, retries, counts }) in providers {
            let entry = ProviderEntry {
                function: self.0.function,
                provider: &provider,
                correlation_id,
                request_id,
                provider_calls: calls.calls,
                provider_errors: calls.errors,
                provider_retries: retries,
                provider_latency: Durations(calls.durations),
                counts: NamedCounts(counts),
            };
            self.format(entry, lines);
        }
    }

    pub(super) fn format<T>(&self, entry: T, lines: &mut Vec<u8>)
    where
        T: CloseValue<Closed: InflectableEntry>,
    {
        if let Err(err) = lock(&self.0.emf).format(&RootEntry::new(entry.close()), lines) {
            error!(error = &err as &dyn std::error::Error, "metrics not written");
        }
    }

    pub(super) fn write(&self, lines: &[u8]) {
        self.0.output.write(lines);
    }

    pub(super) fn function(&self) -> &'static str {
        self.0.function
    }

    pub(super) fn version(&self) -> &str {
        &self.0.version
    }

    /// What was counted and timed since the last time.
    pub(super) fn take_pending(&self) -> Pending {
        std::mem::take(&mut *self.pending())
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        lock(&self.0.pending)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("function", &self.0.function).finish_non_exhaustive()
    }
}

impl Output {
    fn write(&self, lines: &[u8]) {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                // Nobody is left to tell when stdout is gone.
                let _ = stdout.write_all(lines).and_then(|()| stdout.flush());
            }
            Self::Nowhere => {}
            Self::Captured(captured) => lock(&captured.0).extend_from_slice(lines),
        }
    }
}

/// The lines that [`Metrics::capture`] kept.
#[derive(Debug, Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// All records so far, the oldest first; a line that is no JSON is `Null`.
    pub fn records(&self) -> Vec<Value> {
        let bytes = lock(&self.0);
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap_or_default()).collect()
    }

    /// The sum of a metric over all records, 0 where it does not occur.
    pub fn sum(&self, metric: &str) -> f64 {
        self.records().iter().filter_map(|record| record[metric].as_f64()).sum()
    }
}

/// A count is as good after a panic as before it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
