//! Dead jobs are retried once their cause is gone, each once, whoever asks how often and whatever breaks on the way.

use std::{cell::Cell, time::Duration};

use chrono::TimeDelta;
use futures::future::join_all;
use local::{Counts, front::Fault};
use serde_json::json;
use shared::{
    clock::Clock,
    ids::{Ids, JobId},
    jobs::{self, Job, Message, NewJob},
};

use crate::support::{
    User,
    in_process::instance,
    run, start,
    storage::{all_rows, item},
    terra::{drained, job_of, number, text},
    wearables::options,
};

mod broken;
mod sweeper;

use broken::{Broken, LARGE, state};

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
        let message = |epoch| {
            let jobs = broken.deliveries.iter().map(|delivery| job_of(delivery).unwrap());
            jobs.map(move |job_id| Message { job_id, epoch, job: None })
        };
        let messages: Vec<_> = message(1).chain(message(2)).collect();
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
            let cut = Cell::new(false);
            let crash = async {
                if killed {
                    broken.all_marked().await;
                    cut.set(true);
                    broken.stack.kill_instances("retry-jobs").await;
                }
            };
            let calls = async {
                // A busy machine may end a call even earlier.
                while !cut.get() && fault.hits() == 0 {
                    let answer = broken.retry(&body).await;
                    assert!(answer.status >= 500, "{answer:?}");
                }
            };
            futures::join!(calls, crash);
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
        let unknown = JobId(Ids.uuid());
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
        let job = NewJob { id: unknown, job: Job::EndStaleSessions, created_at: worker.clock.now() };
        worker.jobs.insert(&job).await.unwrap();
        assert_eq!(retry().await, 2);
        assert_eq!(dead().await, [("no job".to_owned(), 3)]);
        let known = item(&stack, "JobsTable", &[("job_id", &unknown.to_string())]).await.unwrap();
        assert_eq!((state(&known), number(&known, "epoch")), ("done".to_owned(), 1));
        stack.shutdown().await;
    });
}
