//! From messages to the jobs that this invocation holds.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use tracing::{error, warn};

use super::{
    Job, Message, NewJob, UNPARSABLE,
    decision::{Decision, GRACE, Unusable, decide},
    effect::{Effect, Outcome},
    record::Record,
    report::Report,
};
use crate::{
    Context,
    ids::JobId,
    store::jobs::{Lease, Payload, Row, Taken, Wanted, Written},
};

/// Most leases of one transaction.
const LEASED_AT_ONCE: usize = 100;
const GAVE_UP: &str = "its worker ended without a word, time and again";

/// A job that this invocation holds.
#[derive(Debug)]
pub(super) struct Held<'a> {
    pub(super) row: Row,
    /// Runs without a word before this one.
    pub(super) crashes: u32,
    pub(super) task: Task,
    pub(super) records: Vec<&'a Record>,
}

/// What there is to do.
#[derive(Debug)]
pub(super) enum Task {
    Job(Job),
    /// A message that was no job is to be looked at again.
    Unparsable,
    /// A row whose job can't be read: why.
    Unreadable(String),
}

/// The messages of one job.
struct Group<'a> {
    epoch: u64,
    job: Option<Job>,
    records: Vec<(&'a Record, u64)>,
}

/// A job that is to be taken.
struct Candidate<'a> {
    row: Row,
    new: Option<NewJob>,
    records: Vec<&'a Record>,
}

/// What is being sorted.
pub(super) struct Intake<'a, 'c> {
    pub(super) ctx: &'c Context,
    pub(super) lease: Lease,
    /// What is not begun by then stays undone.
    pub(super) latest_start: DateTime<Utc>,
    pub(super) outcomes: Vec<Outcome<'a>>,
    pub(super) report: Report,
}

impl<'a> Intake<'a, '_> {
    /// Takes the jobs that these messages are about, as far as they are to be done; of all other messages it says what becomes
    /// of them.
    pub(super) async fn take(&mut self, records: &[&'a Record]) -> Vec<Held<'a>> {
        if self.is_late() {
            self.all(records.to_vec(), &Effect::BackIn(Duration::ZERO));
            return Vec::new();
        }
        let groups = self.group(records);
        if groups.is_empty() {
            return Vec::new();
        }
        let mut rows = match self.ctx.jobs.read(groups.keys().copied()).await {
            Ok(rows) => rows,
            Err(err) => {
                error!(error = &err as &dyn std::error::Error, "jobs not read");
                self.report.broken = true;
                let records = groups.into_values().flat_map(|group| group.records).map(|(record, _)| record);
                self.all(records.collect(), &Effect::Away);
                return Vec::new();
            }
        };
        let mut candidates = Vec::with_capacity(groups.len());
        for (id, group) in groups {
            candidates.extend(self.choose(id, group, rows.remove(&id)).await);
        }
        if !candidates.is_empty() && self.is_late() {
            let records = candidates.into_iter().flat_map(|candidate| candidate.records);
            self.all(records.collect(), &Effect::BackIn(Duration::ZERO));
            return Vec::new();
        }
        self.lease(candidates).await
    }

    fn is_late(&self) -> bool {
        let late = self.ctx.clock.now() > self.latest_start;
        if late {
            warn!("no time left to begin further jobs");
        }
        late
    }

    /// By job; what can't be read goes where somebody will look at it.
    fn group(&mut self, records: &[&'a Record]) -> BTreeMap<JobId, Group<'a>> {
        let mut groups = BTreeMap::new();
        for record in records.iter().copied() {
            match Message::parse(&record.body) {
                Ok(Message { job_id, epoch, job }) => {
                    let group = groups.entry(job_id).or_insert_with(|| Group { epoch, job: None, records: Vec::new() });
                    group.epoch = group.epoch.max(epoch);
                    group.job = job.or(group.job.take());
                    group.records.push((record, epoch));
                }
                Err(unusable) => self.give_away(record, unusable),
            }
        }
        groups
    }

    fn give_away(&mut self, record: &'a Record, unusable: Unusable) {
        self.ctx.metrics.count("unparsable_messages");
        self.outcomes.push((record, Effect::DeadLetter(unusable)));
    }

    fn all(&mut self, records: Vec<&'a Record>, effect: &Effect) {
        self.report.put_off += records.len();
        self.outcomes.extend(records.into_iter().map(|record| (record, effect.clone())));
    }

    /// The job, if it is to be taken.
    async fn choose(&mut self, id: JobId, group: Group<'a>, row: Option<Row>) -> Option<Candidate<'a>> {
        let now = self.ctx.clock.now();
        let current = row.as_ref().map_or(0, |row| row.epoch);
        let decision = decide(group.epoch, group.job.is_some(), row.as_ref(), now);
        let (mut records, mut old) = (Vec::new(), Vec::new());
        for (record, epoch) in group.records {
            if epoch < current { old.push(record) } else { records.push(record) }
        }
        self.outcomes.extend(old.into_iter().map(|record| (record, Effect::Acknowledge)));
        match (decision, row, group.job) {
            (Decision::Take, Some(row), _) => return Some(Candidate { row, new: None, records }),
            (Decision::Take, None, Some(job)) => {
                let created_at = records.iter().filter_map(|record| record.sent_at).min().unwrap_or(now);
                let new = NewJob { id, job, created_at };
                return Some(Candidate { row: Row::of_new(&new, group.epoch), new: Some(new), records });
            }
            (Decision::GiveUp, Some(row), _) => self.give_up(&row, records).await,
            (Decision::Unknown | Decision::Take | Decision::GiveUp, _, _) => {
                records.into_iter().for_each(|record| self.give_away(record, Unusable::unknown()));
            }
            (decision, _, _) => self.put_off(decision, records),
        }
        None
    }

    /// Of messages whose job is not to be taken.
    fn put_off(&mut self, decision: Decision, records: Vec<&'a Record>) {
        match decision {
            Decision::Held(rest) => {
                self.ctx.metrics.count("lease_held");
                self.all(records, &Effect::BackIn(rest));
            }
            Decision::NotDue(rest) => self.all(records, &Effect::BackIn(rest)),
            Decision::Acknowledge | Decision::Unknown => {
                self.outcomes.extend(records.into_iter().map(|record| (record, Effect::Acknowledge)));
            }
            // It was another's a moment ago: what it is now is read when it comes again.
            Decision::Take | Decision::GiveUp => self.all(records, &Effect::BackIn(Duration::ZERO)),
        }
    }

    async fn give_up(&mut self, row: &Row, records: Vec<&'a Record>) {
        match self.ctx.jobs.bury(row, GAVE_UP, &self.ctx.control, self.ctx.clock.now()).await {
            Ok(Written::Done) => {
                self.report.buried(row, GAVE_UP);
                self.outcomes.extend(records.into_iter().map(|record| (record, Effect::Acknowledge)));
            }
            Ok(Written::Lost(_) | Written::Busy) => self.all(records, &Effect::Away),
            Err(err) => {
                error!(error = &err as &dyn std::error::Error, job_id = %row.id, "job not declared dead");
                self.all(records, &Effect::Away);
            }
        }
    }

    async fn lease(&mut self, candidates: Vec<Candidate<'a>>) -> Vec<Held<'a>> {
        let (ctx, lease, now) = (self.ctx, self.lease, self.ctx.clock.now());
        let wanted: Vec<_> = candidates.iter().map(Candidate::wanted).collect();
        let crashes: Vec<_> = wanted.iter().map(Wanted::crashes).collect();
        let taken = join_all(wanted.chunks(LEASED_AT_ONCE).map(async |wanted| {
            ctx.jobs.lease(wanted, &lease, now).await.unwrap_or_else(|err| {
                error!(error = &err as &dyn std::error::Error, "jobs not leased");
                vec![Taken::Busy; wanted.len()]
            })
        }));
        let taken = taken.await.concat();
        let mut held = Vec::with_capacity(taken.len());
        for ((candidate, crashes), taken) in candidates.into_iter().zip(crashes).zip(taken) {
            match taken {
                Taken::Held => held.push(candidate.held(crashes)),
                Taken::Refused(Some(row)) => {
                    let decision = decide(candidate.row.epoch, false, Some(&row), now);
                    self.put_off(decision, candidate.records);
                }
                Taken::Refused(None) => {
                    self.all(candidate.records, &Effect::BackIn(GRACE.to_std().unwrap_or_default()));
                }
                Taken::Busy => self.all(candidate.records, &Effect::Away),
            }
        }
        held
    }
}

impl<'a> Candidate<'a> {
    fn wanted(&self) -> Wanted<'_> {
        match &self.new {
            Some(job) => Wanted::New { job, epoch: self.row.epoch },
            None => Wanted::Known(&self.row),
        }
    }

    fn held(self, crashes: u32) -> Held<'a> {
        let task = match (self.new, &self.row.payload) {
            (Some(new), _) => Task::Job(new.job),
            (None, _) if self.row.kind == UNPARSABLE => Task::Unparsable,
            (None, Payload::Text(json)) => match serde_json::from_str(json) {
                Ok(job) => Task::Job(job),
                Err(err) => Task::Unreadable(format!("its row's payload can't be read: {err}")),
            },
            (None, Payload::Object(key)) => Task::Unreadable(format!("its row has no payload, only {key}")),
        };
        Held { row: self.row, crashes, task, records: self.records }
    }
}
