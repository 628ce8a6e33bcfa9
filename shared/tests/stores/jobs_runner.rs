//! The runner of batches on a real DynamoDB API. There is no SQS: what it is told is tested beside the runner, here it is what
//! comes back and what the rows say.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use shared::{
    Context,
    clock::Clock,
    config::Config,
    ids::{DeliveryId, Ids, JobId},
    jobs::{self, Answer, Batch, Failure, Job, Message, NewJob, Tally, UNPARSABLE},
    store::{
        control::Counts,
        jobs::{Lease, Row, State, Taken, Wanted},
    },
    telemetry::{Captured, Metrics},
};

use crate::database::{CONTROL, Database, JOBS};

struct Worker {
    ctx: Context,
    captured: Captured,
    database: Database,
}

impl Worker {
    async fn new() -> Self {
        let database = Database::start().await;
        let config = Config::from_lookup(&[], |name| {
            let value = match name {
                "JOBS_TABLE" => JOBS,
                "CONTROL_TABLE" => CONTROL,
                "JOB_QUEUE_URL" => "http://127.0.0.1:1/000000000000/jobs",
                "JOB_DEAD_LETTER_QUEUE_URL" => "http://127.0.0.1:1/000000000000/dead-jobs",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let clock = Clock::manual("2026-11-21T09:30:00Z".parse().unwrap());
        let (metrics, captured) = Metrics::capture();
        let mut ctx = Context::new("job-worker", config.unwrap(), clock, metrics, database.aws.clone());
        ctx.control = database.control();
        Self { ctx, captured, database }
    }

    fn now(&self) -> DateTime<Utc> {
        self.ctx.clock.now()
    }

    fn advance(&self, seconds: u64) {
        self.ctx.clock.advance(std::time::Duration::from_secs(seconds));
    }

    /// Queued jobs, and a message for each.
    async fn queued(&self, count: usize) -> Vec<Message> {
        let jobs: Vec<_> = (0..count).map(|_| new_job(self.now())).collect();
        self.ctx.jobs.insert_many(&jobs).await.unwrap();
        jobs.iter().map(|job| Message { job_id: job.id, epoch: 1, job: None }).collect()
    }

    async fn respond(&self, bodies: &[String], perform: impl AsyncFn(&Context, &Batch)) -> Vec<usize> {
        self.respond_by(bodies, "jobs", self.now() + TimeDelta::seconds(30), perform).await
    }

    /// The positions of the messages that come back.
    async fn respond_by(
        &self,
        bodies: &[String],
        queue: &str,
        deadline: DateTime<Utc>,
        perform: impl AsyncFn(&Context, &Batch),
    ) -> Vec<usize> {
        let Answer { failures } = jobs::respond(&self.ctx, &perform, event(bodies, queue, self.now()), deadline).await;
        let mut back: Vec<usize> =
            failures.iter().map(|failure| failure.message_id.strip_prefix("m-").unwrap().parse().unwrap()).collect();
        back.sort_unstable();
        back
    }

    async fn row(&self, id: JobId) -> Row {
        self.ctx.jobs.read([id]).await.unwrap().remove(&id).unwrap()
    }

    async fn states(&self, messages: &[Message]) -> Vec<State> {
        let rows = self.ctx.jobs.read(messages.iter().map(|message| message.job_id)).await.unwrap();
        messages.iter().map(|message| rows[&message.job_id].state).collect()
    }

    async fn counts(&self) -> Counts {
        self.ctx.control.counts_of_day(self.now()).await.unwrap()[0]
    }
}

fn new_job(now: DateTime<Utc>) -> NewJob {
    let delivery_id = DeliveryId(Ids.uuid().to_string());
    let job = Job::TerraIngest { delivery_id, terra_user_id: "t".into() };
    NewJob { id: JobId(Ids.uuid()), job, created_at: now }
}

fn bodies(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| serde_json::to_string(message).unwrap()).collect()
}

fn event(bodies: &[String], queue: &str, sent_at: DateTime<Utc>) -> Value {
    let record = |(at, body): (usize, &String)| {
        json!({
            "messageId": format!("m-{at}"),
            "receiptHandle": format!("r-{at}"),
            "body": body,
            "attributes": { "SentTimestamp": sent_at.timestamp_millis().to_string() },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:eu-central-1:000000000000:{queue}"),
        })
    };
    json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() })
}

const TALLY: Tally = Tally { scored: 2, confident: 1, confidence_tenths: 1_600, webhooks: 1 };

async fn all_done(_: &Context, batch: &Batch) {
    batch.jobs.iter().for_each(|job| job.settle(Ok(TALLY)));
}

async fn none_done(_: &Context, batch: &Batch) {
    batch.jobs.iter().for_each(|job| job.settle(Err(Failure::transient("away"))));
}

async fn not_to_be_called(_: &Context, batch: &Batch) {
    assert!(batch.jobs.is_empty(), "there was nothing to do");
}

#[tokio::test]
async fn a_batch_is_done_counted_and_acknowledged() {
    let worker = Worker::new().await;
    let messages = worker.queued(3).await;
    worker.advance(2);
    let back = worker
        .respond(&bodies(&messages), async |_: &Context, batch: &Batch| {
            assert!(batch.jobs.iter().all(|job| (job.attempt, job.epoch, job.retried) == (1, 1, false)));
            batch.jobs.iter().for_each(|job| job.settle(Ok(TALLY)));
        })
        .await;
    assert_eq!(back, [0; 0]);
    assert_eq!(worker.states(&messages).await, [State::Done; 3]);
    let counts = Counts { scored: 6, confident: 3, confidence_tenths: 4_800, webhooks_done: 3, webhooks_dead: 0 };
    assert_eq!(worker.counts().await, counts);

    assert_eq!(worker.respond(&bodies(&messages), not_to_be_called).await, [0; 0], "received once more");
    assert_eq!(worker.counts().await, counts);

    let records = worker.captured.records();
    let ingested = records.iter().find(|record| record["job_type"] == "terra_ingest").unwrap();
    assert_eq!((&ingested["jobs_done"], &ingested["jobs_failed"]), (&json!(3), &json!(0)));
    assert_eq!(ingested["job_age"], json!({ "Values": [2000, 2000, 2000], "Counts": [1, 1, 1] }));
    assert_eq!(worker.captured.sum("messages"), 6.0);
}

#[tokio::test]
async fn each_job_of_a_batch_ends_in_its_own_way() {
    let worker = Worker::new().await;
    let messages = worker.queued(6).await;
    let at = |id: JobId| messages.iter().position(|message| message.job_id == id).unwrap();
    let back = worker
        .respond(&bodies(&messages), async |_: &Context, batch: &Batch| {
            for job in &batch.jobs {
                let end = at(job.id);
                job.run(async move {
                    match end {
                        0 => Ok(TALLY),
                        1 => Err(Failure::permanent("no list")),
                        2 => Err(Failure::transient("away")),
                        3 => panic!("poison"),
                        4 => Err(Failure::Void("its delivery was never stored")),
                        _ => Ok(Tally::default()),
                    }
                })
                .await;
            }
        })
        .await;
    assert_eq!(back, [2, 3]);
    let rows = worker.ctx.jobs.read(messages.iter().map(|message| message.job_id)).await.unwrap();
    let states: Vec<_> = messages.iter().map(|message| rows.get(&message.job_id).map(|row| row.state)).collect();
    let expected = [State::Done, State::Dead, State::Queued, State::Queued].map(Some);
    assert_eq!(states[..4], expected);
    assert_eq!(states[4..], [None, Some(State::Done)]);
    let errors = [1, 2, 3].map(|at| rows[&messages[at].job_id].last_error.clone().unwrap());
    assert_eq!(errors, ["no list", "away", "the job panicked"]);
    assert_eq!((worker.counts().await.webhooks_done, worker.counts().await.webhooks_dead), (1, 1));
}

#[tokio::test]
async fn a_panic_of_the_batch_costs_only_the_jobs_that_were_not_settled() {
    let worker = Worker::new().await;
    let messages = worker.queued(2).await;
    let first = messages[0].job_id;
    let back = worker
        .respond(&bodies(&messages), async |_: &Context, batch: &Batch| {
            batch.jobs.iter().find(|job| job.id == first).unwrap().settle(Ok(TALLY));
            panic!("poison");
        })
        .await;
    assert_eq!(back, [1]);
    assert_eq!(worker.states(&messages).await, [State::Done, State::Queued]);
    assert_eq!(worker.row(messages[1].job_id).await.attempts, 1);
}

#[tokio::test]
async fn a_failed_job_is_tried_again_after_growing_pauses_and_dies_of_its_fifth_failure() {
    let worker = Worker::new().await;
    let messages = worker.queued(1).await;
    let (bodies, id) = (bodies(&messages), messages[0].job_id);
    for attempt in 1..5 {
        assert_eq!(worker.respond(&bodies, none_done).await, [0], "attempt {attempt}");
        let row = worker.row(id).await;
        assert_eq!((row.state, row.attempts), (State::Queued, attempt));
        let pause = (row.due_at.unwrap() - worker.now()).num_seconds();
        let longest = 10 * 4_i64.pow(attempt - 1);
        assert!((longest / 2..=longest).contains(&pause), "attempt {attempt}: {pause} s");

        assert_eq!(worker.respond(&bodies, not_to_be_called).await, [0], "a second message comes too early");
        assert_eq!(worker.row(id).await.attempts, attempt);
        worker.advance(u64::try_from(pause).unwrap());
    }
    assert_eq!(worker.respond(&bodies, none_done).await, [0; 0]);
    let row = worker.row(id).await;
    assert_eq!((row.state, row.attempts, row.last_error.as_deref()), (State::Dead, 5, Some("away")));
    assert_eq!(worker.counts().await.webhooks_dead, 1);
    assert_eq!(worker.respond(&bodies, not_to_be_called).await, [0; 0]);
}

#[tokio::test]
async fn a_retry_starts_anew_and_the_messages_before_it_do_nothing() {
    let worker = Worker::new().await;
    let messages = worker.queued(1).await;
    worker
        .respond(&bodies(&messages), async |_: &Context, batch: &Batch| {
            batch.jobs[0].settle(Err(Failure::permanent("no list")));
        })
        .await;
    let dead = worker.ctx.jobs.dead("terra_ingest", None, 10, true).await.unwrap().jobs;
    let message = worker.ctx.jobs.revive(&dead[0], worker.now()).await.unwrap().unwrap();
    assert_eq!(worker.respond(&bodies(&messages), not_to_be_called).await, [0; 0]);
    let both = bodies(&[messages[0].clone(), message]);
    let back = worker
        .respond(&both, async |_: &Context, batch: &Batch| {
            let job = &batch.jobs[0];
            assert_eq!((job.attempt, job.epoch, job.retried), (1, 2, true));
            job.settle(Ok(TALLY));
        })
        .await;
    assert_eq!(back, [0; 0]);
    assert_eq!(worker.states(&messages).await, [State::Done]);
}

#[tokio::test]
async fn two_messages_of_one_job_are_one_job() {
    let worker = Worker::new().await;
    let messages = worker.queued(1).await;
    let twice = bodies(&[messages[0].clone(), messages[0].clone()]);
    let seen = AtomicUsize::new(0);
    let perform = async |_: &Context, batch: &Batch| {
        seen.fetch_add(batch.jobs.len(), Ordering::Relaxed);
        batch.jobs[0].settle(Err(Failure::transient("away")));
    };
    assert_eq!(worker.respond(&twice, &perform).await, [0, 1]);
    worker.advance(60);
    assert_eq!(worker.respond(&twice, all_done).await, [0; 0]);
    assert_eq!((seen.into_inner(), worker.counts().await.webhooks_done), (1, 1));
}

#[tokio::test]
async fn two_workers_with_the_same_messages_do_each_job_once() {
    let worker = Worker::new().await;
    let messages = worker.queued(30).await;
    let done = Arc::new(Mutex::new(Vec::new()));
    let perform = async |_: &Context, batch: &Batch| {
        done.lock().unwrap().extend(batch.jobs.iter().map(|job| job.id));
        batch.jobs.iter().for_each(|job| job.settle(Ok(TALLY)));
    };
    let bodies = bodies(&messages);
    tokio::join!(worker.respond(&bodies, &perform), worker.respond(&bodies, &perform));
    let mut done = done.lock().unwrap().clone();
    done.sort();
    let mut expected: Vec<_> = messages.iter().map(|message| message.job_id).collect();
    expected.sort();
    assert_eq!(done, expected);
    assert_eq!(worker.counts().await.webhooks_done, 30);
}

#[tokio::test]
async fn a_job_whose_worker_vanished_waits_for_its_lease_and_is_done_by_another() {
    let worker = Worker::new().await;
    let messages = worker.queued(1).await;
    let (bodies, id) = (bodies(&messages), messages[0].job_id);
    for crash in 1..=10 {
        let row = worker.row(id).await;
        let lease = Lease { token: Ids.uuid(), until: worker.now() + TimeDelta::seconds(32) };
        let taken = worker.ctx.jobs.lease(&[Wanted::Known(&row)], &lease, worker.now()).await.unwrap();
        assert_eq!(taken, [Taken::Held], "crash {crash}");
        assert_eq!(worker.respond(&bodies, not_to_be_called).await, [0], "it is another's");
        worker.advance(32);
        assert_eq!(worker.row(id).await.crashes, crash - 1);
    }
    assert_eq!(worker.respond(&bodies, not_to_be_called).await, [0; 0], "it took ten workers along");
    let row = worker.row(id).await;
    assert_eq!((row.state, row.attempts), (State::Dead, 0));
    assert_eq!(worker.counts().await.webhooks_dead, 1);

    let messages = worker.queued(1).await;
    let row = worker.row(messages[0].job_id).await;
    let lease = Lease { token: Ids.uuid(), until: worker.now() };
    worker.ctx.jobs.lease(&[Wanted::Known(&row)], &lease, worker.now()).await.unwrap();
    assert_eq!(worker.respond(&self::bodies(&messages), all_done).await, [0; 0]);
    assert_eq!(worker.states(&messages).await, [State::Done]);
}

#[tokio::test]
async fn a_message_may_bring_its_job_along() {
    let worker = Worker::new().await;
    let job = new_job(worker.now());
    let alone = Message { job_id: job.id, epoch: 1, job: None };
    let message = Message { job: Some(job.job.clone()), ..alone.clone() };
    let back = worker
        .respond(&bodies(&[alone, message]), async |_: &Context, batch: &Batch| {
            assert_eq!((&batch.jobs[0].job, batch.jobs.len()), (&job.job, 1));
            batch.jobs[0].settle(Ok(TALLY));
        })
        .await;
    assert_eq!(back, [0; 0]);
    assert_eq!(worker.row(job.id).await.state, State::Done);
}

#[tokio::test]
async fn what_is_no_job_takes_no_other_along() {
    let worker = Worker::new().await;
    let messages = worker.queued(1).await;
    let unknown = Message { job_id: JobId(Ids.uuid()), epoch: 1, job: None };
    let mut all = vec!["poison".to_owned(), "{}".into()];
    all.extend(bodies(&[unknown, messages[0].clone()]));
    // Nobody takes their letters here: they stay on the queue.
    assert_eq!(worker.respond(&all, all_done).await, [0, 1, 2]);
    assert_eq!(worker.states(&messages).await, [State::Done]);
    assert_eq!(worker.captured.sum("unparsable_messages"), 3.0);
}

#[tokio::test]
async fn a_batch_without_time_comes_back_and_costs_nothing() {
    let worker = Worker::new().await;
    let messages = worker.queued(2).await;
    let back = worker.respond_by(&bodies(&messages), "jobs", worker.now(), not_to_be_called).await;
    assert_eq!(back, [0, 1]);
    assert_eq!(worker.states(&messages).await, [State::Queued; 2]);
}

#[tokio::test]
async fn when_time_is_up_only_what_was_begun_has_failed() {
    let worker = Worker::new().await;
    let messages = worker.queued(3).await;
    let [settled, begun] = [messages[0].job_id, messages[1].job_id];
    let perform = async |_: &Context, batch: &Batch| {
        let find = |id| batch.jobs.iter().find(|job| job.id == id).unwrap();
        find(settled).settle(Ok(TALLY));
        find(begun).run(std::future::pending()).await;
    };
    let soon = worker.now() + TimeDelta::milliseconds(1_200);
    assert_eq!(worker.respond_by(&bodies(&messages), "jobs", soon, perform).await, [1, 2]);
    assert_eq!(worker.states(&messages).await, [State::Done, State::Queued, State::Queued]);
    let [begun, other] = [worker.row(begun).await, worker.row(messages[2].job_id).await];
    assert_eq!(([begun.attempts, begun.crashes], [other.attempts, other.crashes]), ([1, 0], [0, 1]));
    assert_eq!(worker.respond(&bodies(&messages[2..]), all_done).await, [0; 0], "it may be done at once");
}

#[tokio::test]
async fn what_a_batch_has_no_time_for_was_never_taken() {
    let worker = Worker::new().await;
    let messages = worker.queued(40).await;
    let slow = async |_: &Context, batch: &Batch| {
        worker.advance(28);
        batch.jobs.iter().for_each(|job| job.settle(Ok(TALLY)));
    };
    let deadline = worker.now() + TimeDelta::seconds(30);
    let back = worker.respond_by(&bodies(&messages), "jobs", deadline, slow).await;
    assert_eq!(back, (16..40).collect::<Vec<_>>());
    for (at, message) in messages.iter().enumerate() {
        let row = worker.row(message.job_id).await;
        let expected = if at < 16 { State::Done } else { State::Queued };
        assert_eq!((row.state, row.attempts, row.crashes), (expected, 0, 0), "{at}");
    }
    assert_eq!(worker.respond(&bodies(&messages), all_done).await, [0; 0], "the rest may be done at once");
    assert_eq!(worker.counts().await.webhooks_done, 40 * TALLY.webhooks);
}

#[tokio::test]
async fn dead_letters_are_put_where_the_dead_jobs_are() {
    let worker = Worker::new().await;
    let messages = worker.queued(3).await;
    assert_eq!(worker.respond(&bodies(&messages[..1]), all_done).await, [0; 0]);
    let row = worker.row(messages[2].job_id).await;
    let lease = Lease { token: Ids.uuid(), until: worker.now() + TimeDelta::seconds(32) };
    worker.ctx.jobs.lease(&[Wanted::Known(&row)], &lease, worker.now()).await.unwrap();

    let mut letters = bodies(&messages);
    letters.push("poison".into());
    letters.extend(bodies(&[Message { job_id: JobId(Ids.uuid()), epoch: 1, job: None }]));
    for _ in 0..2 {
        let deadline = worker.now() + TimeDelta::seconds(30);
        let back = worker.respond_by(&letters, "dead-jobs", deadline, not_to_be_called).await;
        assert_eq!(back, [2], "a worker has it at the moment");
    }
    assert_eq!(worker.states(&messages).await, [State::Done, State::Dead, State::Running]);
    let unparsable = worker.ctx.jobs.dead(UNPARSABLE, None, 10, true).await.unwrap().jobs;
    assert_eq!(unparsable.len(), 2, "{unparsable:?}");
    assert_eq!(worker.counts().await.webhooks_dead, 1);

    worker.advance(32);
    let deadline = worker.now() + TimeDelta::seconds(30);
    assert_eq!(worker.respond_by(&letters[2..3], "dead-jobs", deadline, not_to_be_called).await, [0; 0]);
    assert_eq!(worker.row(messages[2].job_id).await.state, State::Dead);
}

#[tokio::test]
async fn a_message_that_still_is_no_job_dies_again() {
    let worker = Worker::new().await;
    let deadline = worker.now() + TimeDelta::seconds(30);
    worker.respond_by(&["poison".into()], "dead-jobs", deadline, not_to_be_called).await;
    worker.advance(1);
    let dead = worker.ctx.jobs.dead(UNPARSABLE, None, 10, true).await.unwrap().jobs;
    let message = worker.ctx.jobs.revive(&dead[0], worker.now()).await.unwrap().unwrap();
    assert_eq!(worker.respond(&bodies(&[message]), not_to_be_called).await, [0; 0]);
    let again = worker.ctx.jobs.dead(UNPARSABLE, None, 10, true).await.unwrap().jobs;
    assert_eq!((again[0].id, again[0].epoch, again[0].failed_at), (dead[0].id, 2, worker.now()));
    assert!(again[0].error.starts_with("no job's message"), "{}", again[0].error);
}

#[tokio::test]
async fn without_a_database_everything_comes_back() {
    let Worker { ctx, database, .. } = Worker::new().await;
    let messages = [Message { job_id: JobId(Ids.uuid()), epoch: 1, job: None }];
    let event = event(&bodies(&messages), "jobs", ctx.clock.now());
    database.stop().await;
    let deadline = ctx.clock.now() + TimeDelta::seconds(30);
    let answer = jobs::respond(&ctx, &not_to_be_called, event, deadline).await;
    assert_eq!(answer.failures.len(), 1);
}
