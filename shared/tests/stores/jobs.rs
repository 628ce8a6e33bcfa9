//! The Jobs table and the counters: each write holds only for what it was decided on.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use shared::{
    error::Error,
    ids::{DeliveryId, Ids, JobId},
    jobs::{Job, NewJob, Tally, UNPARSABLE},
    store::{
        control::{Control, Counts},
        jobs::{Change, DeadJob, Jobs, Lease, Payload, Row, Settlement, State, Stored, Taken, Wanted, Written},
    },
};
use uuid::Uuid;

use crate::database::{Database, JOBS};

struct Table {
    jobs: Jobs,
    control: Control,
    now: DateTime<Utc>,
    _database: Database,
}

impl Table {
    async fn new() -> Self {
        let database = Database::start().await;
        let jobs = Jobs::new(database.aws.clone(), JOBS.into());
        let now = "2026-11-21T09:30:00Z".parse().unwrap();
        Self { jobs, control: database.control(), now, _database: database }
    }

    fn new_job(&self) -> NewJob {
        let job = Job::TerraIngest { delivery_id: DeliveryId(Ids.uuid().to_string()), terra_user_id: "t".into() };
        NewJob { id: JobId(Ids.uuid()), job, created_at: self.now }
    }

    /// Jobs that are queued.
    async fn queued(&self, count: usize) -> Vec<Row> {
        let jobs: Vec<_> = (0..count).map(|_| self.new_job()).collect();
        assert!(self.jobs.insert_many(&jobs).await.unwrap().iter().all(|stored| *stored == Stored::New));
        let mut rows = self.jobs.read(jobs.iter().map(|job| job.id)).await.unwrap();
        jobs.iter().map(|job| rows.remove(&job.id).unwrap()).collect()
    }

    fn lease(&self) -> Lease {
        Lease { token: Ids.uuid(), until: self.now + TimeDelta::seconds(30) }
    }

    async fn take(&self, rows: &[Row], lease: &Lease) -> Vec<Taken> {
        let wanted: Vec<_> = rows.iter().map(Wanted::Known).collect();
        self.jobs.lease(&wanted, lease, self.now).await.unwrap()
    }

    /// Jobs that are running under the lease.
    async fn running(&self, count: usize, lease: &Lease) -> Vec<Row> {
        let rows = self.queued(count).await;
        assert!(self.take(&rows, lease).await.iter().all(|taken| *taken == Taken::Held));
        rows
    }

    async fn settle(&self, rows: &[Row], change: &Change, lease: &Lease) -> Vec<Written> {
        let settle = |row: &Row| Settlement { id: row.id, kind: row.kind.clone(), change: change.clone() };
        let settlements: Vec<_> = rows.iter().map(settle).collect();
        self.jobs.settle(&settlements, lease, &self.control, self.now).await.unwrap()
    }

    async fn dead(&self, count: usize) -> Vec<Row> {
        let lease = self.lease();
        let rows = self.running(count, &lease).await;
        self.settle(&rows, &died("broken"), &lease).await;
        rows
    }

    async fn row(&self, id: JobId) -> Row {
        self.jobs.read([id]).await.unwrap().remove(&id).unwrap()
    }

    async fn listed(&self) -> Vec<DeadJob> {
        self.jobs.dead("terra_ingest", None, 100, true).await.unwrap().jobs
    }

    async fn this_hour(&self) -> Counts {
        self.control.counts_of_day(self.now).await.unwrap()[0]
    }
}

fn died(error: &str) -> Change {
    Change::Dead { attempts: 5, error: error.into() }
}

fn done() -> Change {
    Change::Done(Tally { scored: 3, confident: 2, confidence_tenths: 2_501, webhooks: 1 })
}

#[tokio::test]
async fn a_job_is_stored_once_and_what_is_known_of_it_is_told() {
    let table = Table::new().await;
    let job = table.new_job();
    assert_eq!(table.jobs.insert(&job).await.unwrap(), Stored::New);
    assert_eq!(table.jobs.insert(&job).await.unwrap(), Stored::New, "an attempt whose answer was lost is its own");
    let later = NewJob { created_at: table.now + TimeDelta::milliseconds(1), ..job.clone() };
    let known = |state| Stored::Known { state, epoch: 1 };
    assert_eq!(table.jobs.insert(&later).await.unwrap(), known(State::Queued));
    let within = std::time::Duration::from_secs(20);
    assert_eq!(table.jobs.insert_within(&later, within).await.unwrap(), known(State::Queued));

    let lease = table.lease();
    let row = table.row(job.id).await;
    table.take(std::slice::from_ref(&row), &lease).await;
    assert_eq!(table.jobs.insert(&job).await.unwrap(), known(State::Running));
    table.settle(&[row], &done(), &lease).await;
    assert_eq!(table.jobs.insert(&later).await.unwrap(), known(State::Done));
}

#[tokio::test]
async fn a_row_says_what_the_job_is() {
    let table = Table::new().await;
    let job = table.new_job();
    table.jobs.insert(&job).await.unwrap();
    let row = table.row(job.id).await;
    let expected = Row {
        id: job.id,
        kind: "terra_ingest".into(),
        payload: Payload::Text(serde_json::to_string(&job.job).unwrap()),
        state: State::Queued,
        epoch: 1,
        attempts: 0,
        crashes: 0,
        leased_until: None,
        created_at: table.now,
        due_at: Some(table.now),
        last_error: None,
        retried_at: None,
    };
    assert_eq!(row, expected);
}

#[tokio::test]
async fn many_jobs_are_stored_with_those_that_are_known_among_them() {
    let table = Table::new().await;
    let known = table.new_job();
    table.jobs.insert(&known).await.unwrap();
    let mut jobs: Vec<_> = (0..150).map(|_| table.new_job()).collect();
    jobs[120] = NewJob { created_at: table.now + TimeDelta::seconds(1), ..known };
    let stored = table.jobs.insert_many(&jobs).await.unwrap();
    for (at, stored) in stored.iter().enumerate() {
        let expected = if at == 120 { Stored::Known { state: State::Queued, epoch: 1 } } else { Stored::New };
        assert_eq!(*stored, expected, "{at}");
    }
    assert_eq!(table.jobs.read(jobs.iter().map(|job| job.id)).await.unwrap().len(), 150);
}

#[tokio::test]
async fn a_job_that_no_row_has_room_for_is_refused() {
    let table = Table::new().await;
    let job = Job::ReleaseQuarantine { terra_user_id: "x".repeat(40_000) };
    let refused = table.jobs.insert(&NewJob { job, ..table.new_job() }).await;
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
}

#[tokio::test]
async fn of_two_workers_at_once_each_job_is_one_s() {
    let table = Table::new().await;
    let rows = table.queued(20).await;
    let (one, other) = (table.lease(), table.lease());
    let (first, second) = tokio::join!(table.take(&rows, &one), table.take(&rows, &other));
    for (first, second) in first.iter().zip(&second) {
        let held = [first, second].into_iter().filter(|taken| **taken == Taken::Held).count();
        assert_eq!(held, 1, "{first:?}, {second:?}");
    }
}

#[tokio::test]
async fn a_lease_is_taken_again_by_its_own_holder_only_until_it_runs_out() {
    let mut table = Table::new().await;
    let lease = table.lease();
    let rows = table.running(1, &lease).await;
    assert_eq!(table.take(&rows, &lease).await, [Taken::Held], "its answer may have been lost");

    let refused = table.take(&rows, &table.lease()).await;
    assert!(matches!(&refused[..], [Taken::Refused(Some(row))] if row.state == State::Running), "{refused:?}");

    table.now = lease.until;
    let read = [table.row(rows[0].id).await];
    assert_eq!(table.take(&read, &table.lease()).await, [Taken::Held]);
    let row = table.row(rows[0].id).await;
    assert_eq!((row.attempts, row.crashes), (0, 1), "a run without a word is no attempt");
    assert!(
        matches!(&table.settle(&rows, &done(), &lease).await[..], [Written::Lost(Some(_))]),
        "the first is too late"
    );
}

#[tokio::test]
async fn what_was_read_before_an_attempt_failed_is_no_base_for_a_lease() {
    let table = Table::new().await;
    let lease = table.lease();
    let rows = table.running(1, &lease).await;
    let change = Change::Queued { attempts: 1, crashes: 0, due_at: table.now, error: "lost".into() };
    assert_eq!(table.settle(&rows, &change, &lease).await, [Written::Done]);
    assert!(matches!(&table.take(&rows, &table.lease()).await[..], [Taken::Refused(Some(_))]));
    let row = table.row(rows[0].id).await;
    assert_eq!((row.attempts, row.last_error.as_deref()), (1, Some("lost")));
    assert_eq!(table.take(&[row], &table.lease()).await, [Taken::Held]);
}

#[tokio::test]
async fn a_job_that_a_message_brought_along_is_created_once() {
    let table = Table::new().await;
    let job = table.new_job();
    let (one, other) = (table.lease(), table.lease());
    let wanted = [Wanted::New { job: &job, epoch: 1 }];
    for (lease, held) in [(one, true), (one, true), (other, false)] {
        let taken = table.jobs.lease(&wanted, &lease, table.now).await.unwrap();
        assert_eq!(taken == [Taken::Held], held, "{taken:?}");
    }
    assert_eq!(table.row(job.id).await.state, State::Running);
}

#[tokio::test]
async fn a_hundred_jobs_are_taken_and_settled_together() {
    let table = Table::new().await;
    let lease = table.lease();
    let rows = table.running(100, &lease).await;
    assert!(table.settle(&rows[..99], &done(), &lease).await.iter().all(|written| *written == Written::Done));
    assert_eq!(table.this_hour().await.scored, 297);
}

#[tokio::test]
async fn a_job_is_counted_with_its_end_and_only_once() {
    let table = Table::new().await;
    let (lease, other) = (table.lease(), table.lease());
    let mut rows = table.running(3, &lease).await;
    rows.extend(table.running(1, &other).await);
    let written = table.settle(&rows, &done(), &lease).await;
    assert_eq!(&written[..3], [Written::Done, Written::Done, Written::Done]);
    assert!(matches!(written[3], Written::Lost(Some(_))), "another's job");
    table.settle(&rows, &done(), &lease).await;
    let counts = Counts { scored: 9, confident: 6, confidence_tenths: 7_503, webhooks_done: 3, webhooks_dead: 0 };
    assert_eq!(table.this_hour().await, counts);
}

#[tokio::test]
async fn workers_that_are_done_at_once_lose_no_count() {
    let table = Table::new().await;
    let settled = (0..12).map(|_| async {
        let lease = table.lease();
        let rows = table.running(5, &lease).await;
        assert!(table.settle(&rows, &done(), &lease).await.iter().all(|written| *written == Written::Done));
    });
    join_all(settled).await;
    assert_eq!(table.this_hour().await.webhooks_done, 60);
}

#[tokio::test]
async fn counts_are_kept_by_the_hour_for_a_day() {
    let mut table = Table::new().await;
    let start = table.now;
    for hours in [0, 1, 23, 24] {
        table.now = start - TimeDelta::hours(hours);
        let lease = table.lease();
        let rows = table.running(usize::try_from(hours).unwrap() + 1, &lease).await;
        table.settle(&rows, &done(), &lease).await;
    }
    let day = table.control.counts_of_day(start).await.unwrap();
    let webhooks: Vec<_> = day.iter().map(|counts| counts.webhooks_done).collect();
    let mut expected = [0; 24];
    (expected[0], expected[1], expected[23]) = (1, 2, 24);
    assert_eq!(webhooks, expected);
}

#[tokio::test]
async fn a_job_that_never_was_leaves_nothing_behind() {
    let table = Table::new().await;
    let lease = table.lease();
    let rows = table.running(1, &lease).await;
    assert_eq!(table.settle(&rows, &Change::Removed, &lease).await, [Written::Done]);
    assert!(table.jobs.read([rows[0].id]).await.unwrap().is_empty());
    assert_eq!(table.settle(&rows, &Change::Removed, &lease).await, [Written::Lost(None)]);
}

#[tokio::test]
async fn dead_jobs_are_listed_with_the_newest_first_in_pages() {
    let mut table = Table::new().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        table.now += TimeDelta::seconds(1);
        ids.push(table.dead(1).await[0].id);
    }
    assert_eq!(table.jobs.count_dead(&Job::TYPES).await.unwrap(), 5);
    assert_eq!(table.jobs.count_dead(&["terra_connection"]).await.unwrap(), 0);
    assert_eq!(table.this_hour().await.webhooks_dead, 5);
    for newest_first in [true, false] {
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let page = table.jobs.dead("terra_ingest", after.as_ref(), 2, newest_first).await.unwrap();
            listed.extend(page.jobs.iter().map(|job| job.id));
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        if newest_first {
            listed.reverse();
        }
        assert_eq!(listed, ids);
    }
    let newest = &table.listed().await[0];
    assert_eq!((newest.attempts, newest.error.as_str(), newest.failed_at), (5, "broken", table.now));
}

#[tokio::test]
async fn an_error_is_kept_as_far_as_it_is_readable() {
    let table = Table::new().await;
    let lease = table.lease();
    let rows = table.running(1, &lease).await;
    table.settle(&rows, &died(&"ü".repeat(10_000)), &lease).await;
    assert_eq!(table.listed().await[0].error, "ü".repeat(500) + "…");
}

#[tokio::test]
async fn of_two_who_retry_a_dead_job_at_once_one_does() {
    let mut table = Table::new().await;
    let rows = table.dead(10).await;
    let dead = table.listed().await;
    table.now += TimeDelta::seconds(60);
    let revived = join_all(dead.iter().chain(&dead).map(|job| table.jobs.revive(job, table.now))).await;
    let mut messages: Vec<_> = revived.into_iter().filter_map(Result::unwrap).collect();
    messages.sort_by_key(|message| message.job_id);
    let mut ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    ids.sort();
    assert_eq!(messages.iter().map(|message| message.job_id).collect::<Vec<_>>(), ids);
    assert!(messages.iter().all(|message| message.epoch == 2 && message.job.is_none()));

    let row = table.row(ids[0]).await;
    assert_eq!((row.state, row.epoch, row.attempts, row.retried_at), (State::Queued, 2, 0, Some(table.now)));
    assert!(table.listed().await.is_empty());
    assert_eq!(table.jobs.overdue(table.now + TimeDelta::seconds(1), 100).await.unwrap().len(), 10);
}

#[tokio::test]
async fn only_a_job_that_nobody_works_on_is_buried() {
    let mut table = Table::new().await;
    let bury =
        async |table: &Table, row: &Row| table.jobs.bury(row, "too often", &table.control, table.now).await.unwrap();
    let queued = table.queued(1).await.remove(0);
    assert_eq!(bury(&table, &queued).await, Written::Done);
    assert!(matches!(bury(&table, &queued).await, Written::Lost(Some(row)) if row.state == State::Dead));

    let lease = table.lease();
    let running = table.running(1, &lease).await.remove(0);
    assert!(matches!(bury(&table, &running).await, Written::Lost(Some(row)) if row.state == State::Running));
    table.now = lease.until;
    assert_eq!(bury(&table, &running).await, Written::Done);
    assert_eq!(table.this_hour().await.webhooks_dead, 2);
    assert_eq!(table.listed().await.len(), 2);
    assert!(table.jobs.overdue(table.now + TimeDelta::days(1), 100).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_message_that_is_no_job_is_kept_whole_and_once() {
    let table = Table::new().await;
    let id = JobId(Uuid::from_u128(7));
    let payload = Payload::Text("{\"no\":\"job\"}".into());
    for _ in 0..2 {
        table.jobs.put_unparsable(id, &payload, "malformed", table.now).await.unwrap();
    }
    let row = table.row(id).await;
    assert_eq!((row.kind.as_str(), row.state, row.payload), (UNPARSABLE, State::Dead, payload));
    let listed = table.jobs.dead(UNPARSABLE, None, 10, true).await.unwrap().jobs;
    assert_eq!(listed.len(), 1);
    assert!(table.jobs.revive(&listed[0], table.now).await.unwrap().is_some());
    table.jobs.put_unparsable(id, &row_payload(), "malformed", table.now).await.unwrap();
    assert_eq!(table.row(id).await.state, State::Queued, "a letter that comes twice undoes no retry");
}

fn row_payload() -> Payload {
    Payload::Text("{\"no\":\"job\"}".into())
}

#[tokio::test]
async fn an_overdue_job_is_claimed_once_and_then_due_anew() {
    let mut table = Table::new().await;
    let rows = table.queued(30).await;
    table.now += TimeDelta::minutes(20);
    let fresh = table.queued(5).await;
    let before = table.now - TimeDelta::minutes(15);
    let overdue = table.jobs.overdue(before, 1_000).await.unwrap();
    assert_eq!(overdue.len(), 30);
    assert!(overdue.iter().all(|job| fresh.iter().all(|row| row.id != job.id)));
    assert!(table.jobs.overdue(before, 8).await.unwrap().len() <= 8);

    let lease = table.lease();
    let taken = rows.iter().find(|row| row.id == overdue[0].id).unwrap().clone();
    assert_eq!(table.take(&[taken], &lease).await, [Taken::Held]);
    let claims = overdue.iter().chain(&overdue).map(|job| table.jobs.claim_overdue(*job, before, table.now));
    let claimed: Vec<_> = join_all(claims).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(claimed.len(), 29, "the one that a worker has meanwhile is nobody's to send");
    assert!(table.jobs.overdue(before, 1_000).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_heartbeat_tells_what_the_worker_last_saw_and_when_the_queue_was_empty() {
    let table = Table::new().await;
    let after = |seconds| table.now + TimeDelta::seconds(seconds);
    let beat = async || table.control.heartbeat().await.unwrap();
    assert_eq!(beat().await, shared::store::control::Heartbeat::default());
    table.control.record_batch(after(0), after(-60)).await.unwrap();
    table.control.record_empty_queue(after(1)).await.unwrap();
    table.control.record_batch(after(9), after(-5)).await.unwrap();
    let seen = beat().await;
    assert_eq!((seen.at, seen.oldest_sent_at, seen.empty_at), (Some(after(0)), Some(after(-60)), Some(after(1))));
    table.control.record_batch(after(10), after(-5)).await.unwrap();
    assert_eq!(beat().await.oldest_sent_at, Some(after(-5)));
}
