//! Dead jobs are retried once their cause is gone, each once, whoever asks how often and whatever breaks on the way.

use std::{cell::RefCell, collections::BTreeSet, time::Duration};

use chrono::TimeDelta;
use futures::future::join_all;
use local::{
    Counts, Stack,
    front::{Call, Fault},
    terra::Webhook,
};
use serde_json::{Value, json};
use shared::{
    clock::Clock,
    ids::{DeliveryId, JobId},
    jobs,
};

use crate::support::{
    Answer, User,
    in_process::instance,
    run,
    stand_in::{Reply, StandIn},
    start,
    storage::{Row, all_rows, item},
    terra::{Sender, delivery_of, drained, job_of, job_of_delivery, number, text, webhook},
    wearables::{Watch, latest_values, options, today},
};

mod sweeper;

/// Large deliveries whose links are not to be had at first.
const LARGE: usize = 24;

/// A stack, and where Terra keeps large deliveries: its links answer 403 until they are mended.
struct Broken {
    stack: Stack,
    terra: StandIn,
    user: User,
    deliveries: Vec<Webhook>,
    poison: Webhook,
    payload: Value,
}

impl Broken {
    /// All of them dead, and one job of another type.
    async fn start() -> Self {
        let terra = StandIn::start(Reply::json(403, &Value::Null)).await;
        let hosts = terra.url().trim_start_matches("http://").to_owned();
        let stack = start(options().parameter("TerraPayloadHosts", hosts)).await;
        let user = User::new(&stack);
        let watch = Watch::of(&user, "GARMIN");
        let link = |at: usize| json!({ "type": "s3_payload", "url": format!("{}/{at}?key=secret", terra.url()) });
        let deliveries: Vec<_> = (0..LARGE).map(|at| webhook(&link(at))).collect();
        let poison = webhook(&json!({ "type": "daily", "user": watch.user(), "data": 7 }));
        let sender = Sender::new(&stack);
        for delivery in deliveries.iter().chain([&poison]) {
            assert_eq!(sender.accepted(delivery).await, "queued");
        }
        drained(&stack).await;
        let payload = watch.steps(today(), 7_777);
        let broken = Self { stack, terra, user, deliveries, poison, payload };
        broken.each_large(|row| (state(row), number(row, "epoch"))).await.iter().for_each(|job| {
            assert_eq!(*job, ("dead".to_owned(), 1));
        });
        assert_eq!(broken.terra.asked().len(), LARGE);
        broken
    }

    fn mend(&self) {
        self.terra.replies([Reply::json(200, &self.payload)]);
    }

    async fn row(&self, job: JobId) -> Row {
        item(&self.stack, "JobsTable", &[("job_id", &job.to_string())]).await.unwrap()
    }

    async fn each_large<T>(&self, of: impl Fn(&Row) -> T) -> Vec<T> {
        let jobs = self.deliveries.iter().map(|delivery| job_of(delivery).unwrap());
        join_all(jobs.map(async |job| of(&self.row(job).await))).await
    }

    async fn retry(&self, body: &Value) -> Answer {
        User::with_role(&self.stack, Some("admin")).post("retry-jobs", body).await
    }

    async fn dead(&self) -> Vec<String> {
        let answer = User::with_role(&self.stack, Some("trainer")).get("dead-jobs").await.success();
        answer["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until retry-jobs has marked each of them.
    async fn all_marked(&self) {
        let jobs = self.stack.table("JobsTable").unwrap().to_owned();
        let marked = RefCell::new(BTreeSet::new());
        let last = |call: &Call| {
            let mark =
                call.function == "retry-jobs" && call.operation == "UpdateItem" && call.resources.contains(&jobs);
            mark && marked.borrow_mut().insert(call.start) && marked.borrow().len() == LARGE
        };
        self.stack.front().wait_for(last).await;
    }

    /// Each was fetched once more, made its metrics, and says that it was retried; the other type's is as it was.
    async fn all_succeeded_once(&self) {
        let standing =
            self.each_large(|row| (state(row), number(row, "epoch"), number(row, "attempts"), number(row, "crashes")));
        for standing in standing.await {
            assert_eq!(standing, ("done".to_owned(), 2, 0, 0));
        }
        assert!(self.each_large(|row| row.contains_key("retried_at")).await.iter().all(|retried| *retried));
        assert_eq!(self.terra.asked().len(), 2 * LARGE);
        for delivery in &self.deliveries {
            let id = DeliveryId(format!("{}.payload", delivery_of(delivery)));
            let ingested = self.row(job_of_delivery(&id, self.payload.to_string().as_bytes()).unwrap()).await;
            assert_eq!((state(&ingested), number(&ingested, "epoch")), ("done".to_owned(), 1));
        }
        assert_eq!(latest_values(&self.user).await["steps"], 7_777.0);
        let poison = self.row(job_of(&self.poison).unwrap()).await;
        assert_eq!((state(&poison), number(&poison, "epoch")), ("dead".to_owned(), 1));
        assert!(!poison.contains_key("retried_at"));
        assert_eq!(self.dead().await, [job_of(&self.poison).unwrap().to_string()]);
    }
}

fn state(row: &Row) -> String {
    text(row, "state").unwrap()
}

#[test]
fn jobs_of_a_type_all_succeed_when_their_cause_is_gone() {
    run(async {
        let broken = Broken::start().await;
        assert_eq!(broken.dead().await.len(), LARGE + 1);
        broken.mend();
        let only = json!({ "job_type": "fetch_large_delivery", "limit": 10 });
        let answer = broken.retry(&only).await.success();
        assert_eq!(answer, json!({ "success": true, "retried": 10, "remaining": LARGE - 10 }));
        let answer = broken.retry(&json!({ "job_type": "fetch_large_delivery" })).await.success();
        assert_eq!(answer, json!({ "success": true, "retried": LARGE - 10, "remaining": 0 }));
        drained(&broken.stack).await;
        broken.all_succeeded_once().await;
        let answer = broken.retry(&json!({ "job_type": "fetch_large_delivery" })).await.success();
        assert_eq!(answer, json!({ "success": true, "retried": 0, "remaining": 0 }));
        broken.stack.shutdown().await;
    });
}

#[test]
fn a_job_whose_cause_is_not_gone_is_dead_again() {
    run(async {
        let broken = Broken::start().await;
        assert_eq!(broken.retry(&json!({})).await.success()["retried"], LARGE + 1);
        drained(&broken.stack).await;
        for standing in broken.each_large(|row| (state(row), number(row, "epoch"), number(row, "attempts"))).await {
            assert_eq!(standing, ("dead".to_owned(), 2, 1));
        }
        assert_eq!(number(&broken.row(job_of(&broken.poison).unwrap()).await, "epoch"), 2);
        assert_eq!((broken.dead().await.len(), broken.terra.asked().len()), (LARGE + 1, 2 * LARGE));
        broken.stack.shutdown().await;
    });
}

#[test]
fn called_many_times_at_once_each_job_runs_once() {
    run(async {
        let broken = Broken::start().await;
        broken.mend();
        let body = json!({ "job_type": "fetch_large_delivery" });
        let answers = join_all((0..5).map(|_| broken.retry(&body))).await;
        let retried: Vec<u64> =
            answers.into_iter().map(|answer| answer.success()["retried"].as_u64().unwrap()).collect();
        assert_eq!(retried.iter().sum::<u64>(), LARGE as u64, "{retried:?}");
        // Messages of before, and one too many.
        let old = broken.deliveries.iter().map(|delivery| jobs::Message {
            job_id: job_of(delivery).unwrap(),
            epoch: 1,
            job: None,
        });
        let again = broken.deliveries.iter().map(|delivery| jobs::Message {
            job_id: job_of(delivery).unwrap(),
            epoch: 2,
            job: None,
        });
        let messages: Vec<_> = old.chain(again).collect();
        jobs::send(instance(&broken.stack, "job-worker", &Clock::System).context(), &messages).await.unwrap();
        drained(&broken.stack).await;
        broken.all_succeeded_once().await;
        broken.stack.shutdown().await;
    });
}

/// Overdue by then, whatever the stack's own clock says.
fn later() -> Clock {
    Clock::manual(Clock::System.now() + TimeDelta::hours(1))
}

#[test]
fn a_retry_that_ends_before_it_sends_is_mended_by_the_sweeper() {
    run(async {
        let refused = Fault::refuse(500, "InternalError");
        let stopped = Fault::delay(Duration::from_secs(60));
        for (fault, killed) in [(refused, false), (Fault::drop_connection(), false), (stopped, true)] {
            let broken = Broken::start().await;
            broken.mend();
            broken.stack.front().clear_calls();
            let fault = broken.stack.front().inject(fault.function("retry-jobs").operation("SendMessageBatch"));
            let body = json!({ "job_type": "fetch_large_delivery" });
            let crash = async {
                if killed {
                    broken.all_marked().await;
                    broken.stack.kill_instances("retry-jobs").await;
                }
            };
            let (answer, ()) = futures::join!(broken.retry(&body), crash);
            assert!(answer.status >= 500, "{answer:?}");
            assert!(killed || fault.hits() > 0);
            broken.stack.front().clear_faults();
            for job in broken.each_large(|row| (state(row), number(row, "epoch"))).await {
                assert_eq!(job, ("queued".to_owned(), 2));
            }
            assert_eq!(broken.stack.queue_counts("JobQueue").await.unwrap(), Counts::default());
            assert_eq!(broken.retry(&body).await.success()["retried"], 0, "they are no longer dead");
            // Two sweepers at once, as when one is late.
            let worker = instance(&broken.stack, "job-worker", &later()).context();
            let (one, other) = futures::join!(jobs::sweep(worker), jobs::sweep(worker));
            one.and(other).unwrap();
            drained(&broken.stack).await;
            broken.all_succeeded_once().await;
            broken.stack.shutdown().await;
        }
    });
}

#[test]
fn a_message_that_was_no_job_is_looked_at_again() {
    run(async {
        let stack = start(options()).await;
        let worker = instance(&stack, "job-worker", &Clock::System).context();
        let unknown = JobId(shared::ids::Ids.uuid());
        let send = async |body: &str| {
            let send = worker.aws.sqs().await.send_message().queue_url(stack.queue_url("JobQueue").unwrap());
            send.message_body(body).send().await.unwrap();
        };
        send("no job").await;
        send(&json!({ "job_id": unknown, "epoch": 1 }).to_string()).await;
        drained(&stack).await;
        let retry = async || {
            let body = json!({ "job_type": "unparsable" });
            let answer = User::with_role(&stack, Some("admin")).post("retry-jobs", &body).await.success();
            drained(&stack).await;
            answer["retried"].as_u64().unwrap()
        };
        let dead = async || {
            let rows = all_rows(&stack, "JobsTable").await.into_iter().filter(|row| state(row) == "dead");
            rows.map(|row| (text(&row, "payload").unwrap(), number(&row, "epoch"))).collect::<Vec<_>>()
        };
        assert_eq!(retry().await, 2);
        assert!(dead().await.iter().all(|(_, epoch)| *epoch == 2), "{:?}", dead().await);
        // By now there is such a job.
        let job = jobs::NewJob { id: unknown, job: jobs::Job::EndStaleSessions, created_at: worker.clock.now() };
        worker.jobs.insert(&job).await.unwrap();
        assert_eq!(retry().await, 2);
        assert_eq!(dead().await, [("no job".to_owned(), 3)]);
        let known = item(&stack, "JobsTable", &[("job_id", &unknown.to_string())]).await.unwrap();
        assert_eq!((state(&known), number(&known, "epoch")), ("done".to_owned(), 1));
        stack.shutdown().await;
    });
}
