//! The EMF records of an invocation that is no request: a batch of messages, or a schedule.

use std::time::Duration;

use metrique::{
    unit::{Count, Millisecond},
    unit_of_work::metrics,
};

use super::{
    Metrics,
    emf::{Durations, DynamoDbEntry, NamedCounts},
    pending::Pending,
};

/// EMF allows 100 values a metric.
const MAX_VALUES: usize = 100;

/// How an invocation ended.
#[derive(Debug, Clone, Copy)]
pub struct InvocationRecord<'a> {
    /// What it came from: `jobs`, `dead_letters` or `schedule`.
    pub source: &'static str,
    pub request_id: &'a str,
    pub messages: u64,
    pub failed: bool,
    pub duration: Duration,
    pub cold_start: bool,
}

/// What became of an invocation's jobs of one type.
#[derive(Debug, Clone, Default)]
pub struct JobsRecord {
    pub job_type: String,
    pub done: u64,
    /// They will be tried again.
    pub failed: u64,
    pub dead: u64,
    /// How long each of them was worked on.
    pub durations: Vec<Duration>,
    /// From its creation, or its retry, to its end: of each that is done.
    pub ages: Vec<Duration>,
}

/// The second dimension set is what a canary is watched by.
#[metrics(emf::dimension_sets = [["function", "source"], ["function", "version"]])]
pub(super) struct InvocationEntry<'a> {
    function: &'static str,
    source: &'a str,
    version: &'a str,
    request_id: &'a str,
    #[metrics(unit = Count)]
    invocations: u64,
    #[metrics(unit = Count)]
    invocation_errors: u64,
    #[metrics(unit = Millisecond)]
    invocation_duration: Duration,
    #[metrics(unit = Count)]
    messages: u64,
    #[metrics(unit = Count)]
    cold_starts: u64,
    #[metrics(flatten)]
    dynamodb: Option<DynamoDbEntry>,
    #[metrics(flatten_entry, no_close)]
    counts: NamedCounts,
}

/// The second dimension set is all types together.
#[metrics(emf::dimension_sets = [["function", "job_type"], ["function"]])]
pub(super) struct JobsEntry<'a> {
    function: &'static str,
    job_type: &'a str,
    request_id: &'a str,
    #[metrics(unit = Count)]
    jobs_done: u64,
    #[metrics(unit = Count)]
    jobs_failed: u64,
    #[metrics(unit = Count)]
    jobs_dead: u64,
    job_duration: Option<Durations>,
    job_age: Option<Durations>,
}

impl Metrics {
    /// Writes the invocation's record, with what was counted since the last one, one for each type of job, and one for each
    /// provider that was used. They are out when this returns.
    pub fn invocation(&self, record: InvocationRecord<'_>, jobs: Vec<JobsRecord>) {
        let Pending { dynamodb, counts, providers } = self.take_pending();
        let mut lines = Vec::with_capacity(2048);
        let entry = InvocationEntry {
            function: self.function(),
            source: record.source,
            version: self.version(),
            request_id: record.request_id,
            invocations: 1,
            invocation_errors: u64::from(record.failed),
            invocation_duration: record.duration,
            messages: record.messages,
            cold_starts: u64::from(record.cold_start),
            dynamodb: DynamoDbEntry::of(dynamodb),
            counts: NamedCounts(counts),
        };
        self.format(entry, &mut lines);
        for jobs in jobs {
            let entry = JobsEntry {
                function: self.function(),
                job_type: &jobs.job_type,
                request_id: record.request_id,
                jobs_done: jobs.done,
                jobs_failed: jobs.failed,
                jobs_dead: jobs.dead,
                job_duration: values(jobs.durations),
                job_age: values(jobs.ages),
            };
            self.format(entry, &mut lines);
        }
        self.format_providers(providers, "", record.request_id, &mut lines);
        self.write(&lines);
    }
}

/// A metric without a value would be none that EMF allows.
fn values(mut durations: Vec<Duration>) -> Option<Durations> {
    durations.truncate(MAX_VALUES);
    (!durations.is_empty()).then_some(Durations(durations))
}
