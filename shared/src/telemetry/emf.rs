//! The EMF records: their fields, dimensions and units.
//!
//! A dashboard, an alarm and the template name these metrics; a name is therefore never changed in passing.

#![expect(unused_qualifications, reason = "what the metrics macro writes")]

use std::time::Duration;

use metrique::{
    CloseValue,
    unit::{Count, Millisecond},
    unit_of_work::metrics,
    writer::{
        Entry, EntryWriter, MetricFlags, MetricValue, Observation, Value, ValueWriter,
        unit::{self, UnitTag, WithUnit},
    },
};

use super::pending::{Calls, Counts};

/// CloudWatch's namespace of all our metrics.
pub(super) const NAMESPACE: &str = "Backend";

/// One request. The second dimension set is what a canary is watched by: its few requests would drown in the
/// function's own figures. The third, of no dimension, is the whole backend: what an alarm asks of all functions together.
#[metrics(emf::dimension_sets = [["function", "route"], ["function", "version"], []])]
pub(super) struct RequestEntry<'a> {
    pub(super) function: &'static str,
    pub(super) route: &'a str,
    pub(super) version: &'a str,
    pub(super) correlation_id: &'a str,
    pub(super) request_id: &'a str,
    #[metrics(unit = Count)]
    pub(super) requests: u64,
    #[metrics(unit = Millisecond)]
    pub(super) latency: Duration,
    #[metrics(unit = Count)]
    pub(super) client_errors: u64,
    #[metrics(unit = Count)]
    pub(super) server_errors: u64,
    #[metrics(unit = Count)]
    pub(super) throttled: u64,
    #[metrics(unit = Count)]
    pub(super) cold_starts: u64,
    #[metrics(flatten)]
    pub(super) dynamodb: Option<DynamoDbEntry>,
    #[metrics(flatten_entry, no_close)]
    pub(super) counts: NamedCounts,
}

/// The DynamoDB calls of one request.
#[metrics(subfield_owned)]
pub(super) struct DynamoDbEntry {
    #[metrics(unit = Count)]
    dynamodb_calls: u64,
    #[metrics(unit = Count)]
    dynamodb_errors: u64,
    dynamodb_latency: Durations,
}

impl DynamoDbEntry {
    pub(super) fn of(calls: Calls) -> Option<Self> {
        (calls.calls > 0).then_some(Self {
            dynamodb_calls: calls.calls,
            dynamodb_errors: calls.errors,
            dynamodb_latency: Durations(calls.durations),
        })
    }
}

/// One provider during one request.
#[metrics(emf::dimension_sets = [["function", "provider"]])]
pub(super) struct ProviderEntry<'a> {
    pub(super) function: &'static str,
    pub(super) provider: &'a str,
    pub(super) correlation_id: &'a str,
    pub(super) request_id: &'a str,
    #[metrics(unit = Count)]
    pub(super) provider_calls: u64,
    #[metrics(unit = Count)]
    pub(super) provider_errors: u64,
    #[metrics(unit = Count)]
    pub(super) provider_retries: u64,
    pub(super) provider_latency: Durations,
    #[metrics(flatten_entry, no_close)]
    pub(super) counts: NamedCounts,
}

/// Counts whose names are known only at run time.
pub(super) struct NamedCounts(pub(super) Counts);

impl Entry for NamedCounts {
    fn write<'a>(&'a self, writer: &mut impl EntryWriter<'a>) {
        for (name, count) in &self.0 {
            writer.value(name.as_ref(), &WithUnit::<u64, Count>::from(*count));
        }
    }
}

/// How long each of several calls took, in milliseconds: all values, not their mean, so that percentiles are true.
pub(super) struct Durations(pub(super) Vec<Duration>);

impl Value for Durations {
    fn write(&self, writer: impl ValueWriter) {
        let millis = self.0.iter().map(|duration| Observation::Floating(duration.as_secs_f64() * 1000.0));
        writer.metric(millis, unit::Millisecond::UNIT, [], MetricFlags::empty());
    }
}

impl MetricValue for Durations {
    type Unit = unit::Millisecond;
}

impl CloseValue for Durations {
    type Closed = Self;

    fn close(self) -> Self {
        self
    }
}
