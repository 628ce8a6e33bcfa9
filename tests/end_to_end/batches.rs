//! Batches: what goes wrong with one job stays with that job, and what is done is done and counted once.

use std::{collections::BTreeSet, time::Duration};

use chrono::TimeDelta;
use futures::future::{join_all, pending};
use serde_json::json;
use shared::{
    Context,
    ids::{Ids, JobId},
    jobs::{self, Batch, Failure, Leased, Message, Tally},
};

use crate::support::{run, wearables::counted};

mod attempts;
mod lost_answers;
mod mixed;
pub mod rig;

use rig::{Rig, text};

/// What each job of these tests adds to the counters.
const DONE: Tally = Tally { webhooks: 1, scored: 2, confident: 1, confidence_tenths: 1_500 };

/// Does all jobs of a batch as `work` says.
async fn each(batch: &Batch, work: impl AsyncFn(&Leased) -> Result<Tally, Failure>) {
    join_all(batch.jobs.iter().map(|job| job.run(work(job)))).await;
}

async fn all_done(_: &Context, batch: &Batch) {
    each(batch, async |_| Ok(DONE)).await;
}

async fn none_done(_: &Context, batch: &Batch) {
    each(batch, async |_| Err(Failure::transient("not today"))).await;
}

/// How many jobs were counted, by both of their marks.
async fn jobs_counted(rig: &Rig) -> u64 {
    let done = counted(&rig.stack, "webhooks_done").await;
    assert_eq!(counted(&rig.stack, "confidence_tenths").await, done * DONE.confidence_tenths);
    done
}

fn standing(state: &str, attempts: u64, crashes: u64) -> (String, u64, u64) {
    (state.to_owned(), attempts, crashes)
}

#[test]
fn a_job_that_panics_takes_no_other_along() {
    run(async {
        let rig = Rig::start().await;
        let jobs = rig.submit(12).await;
        let event = rig.receive().await;
        let culprit = jobs[4];
        let panics = async |_: &Context, batch: &Batch| {
            each(batch, async |job| if job.id == culprit { panic!("ordered by a test") } else { Ok(DONE) }).await;
        };
        assert_eq!(rig.work(&event, panics).await, BTreeSet::from([culprit]));
        for id in jobs {
            let expected = if id == culprit { standing("queued", 1, 0) } else { standing("done", 0, 0) };
            assert_eq!(rig.standing(id).await, expected);
        }
        assert_eq!(text(&rig.row(culprit).await, "last_error"), Some("the job panicked"));
        assert_eq!(jobs_counted(&rig).await, 11);
        rig.stack.shutdown().await;
    });
}

#[test]
fn a_worker_that_panics_between_its_jobs_keeps_what_it_has_done() {
    run(async {
        let rig = Rig::start().await;
        let jobs = rig.submit(4).await;
        let event = rig.receive().await;
        let panics = async |_: &Context, batch: &Batch| {
            for job in batch.jobs.iter().filter(|job| jobs[..2].contains(&job.id)) {
                job.run(async { Ok(DONE) }).await;
            }
            batch.jobs.iter().for_each(Leased::begin);
            panic!("ordered by a test");
        };
        assert_eq!(rig.work(&event, panics).await, jobs[2..].iter().copied().collect());
        for (at, id) in jobs.iter().enumerate() {
            let expected = if at < 2 { standing("done", 0, 0) } else { standing("queued", 1, 0) };
            assert_eq!(rig.standing(*id).await, expected);
        }
        assert_eq!(jobs_counted(&rig).await, 2);
        rig.stack.shutdown().await;
    });
}

#[test]
fn messages_that_no_time_is_left_for_come_back_at_once_and_cost_nothing() {
    run(async {
        let rig = Rig::start().await;
        let jobs = rig.submit(12).await;
        let event = rig.receive().await;
        assert_eq!(rig.counts().await.in_flight, 12);
        let never = async |_: &Context, batch: &Batch| assert!(batch.jobs.is_empty());
        // The time passes while the jobs' rows are being read, which on a busy machine must not be over before it does.
        rig.stack.front().set_latency(Duration::from_millis(300));
        let (back, ()) = futures::join!(rig.work(&event, never), async { rig.advance(28) });
        rig.stack.front().set_latency(Duration::ZERO);
        assert_eq!(back, jobs.iter().copied().collect());
        for id in &jobs {
            assert_eq!(rig.standing(*id).await, standing("queued", 0, 0));
        }
        assert_eq!(rig.counts().await.visible, 12);
        rig.stack.shutdown().await;
    });
}

#[test]
fn when_the_time_is_up_what_was_begun_has_failed_and_what_was_not_comes_back_at_once() {
    run(async {
        let rig = Rig::start().await;
        let jobs = rig.submit(3).await;
        let event = rig.receive().await;
        let slow = async |_: &Context, batch: &Batch| {
            let job = |id: JobId| batch.jobs.iter().find(|job| job.id == id).unwrap();
            job(jobs[0]).run(async { Ok(DONE) }).await;
            job(jobs[1]).run(pending()).await;
        };
        let soon = rig.clock.now() + TimeDelta::seconds(2);
        assert_eq!(rig.work_until(soon, &event, slow).await, jobs[1..].iter().copied().collect());
        assert_eq!(rig.standing(jobs[0]).await, standing("done", 0, 0));
        assert_eq!(rig.standing(jobs[1]).await, standing("queued", 1, 0));
        assert_eq!(rig.standing(jobs[2]).await.1, 0);
        assert_eq!(rig.counts().await.visible, 1);
        assert_eq!(rig.work(&event, all_done).await, BTreeSet::from([jobs[1]]), "its pause is not over");
        rig.advance(60);
        assert_eq!(rig.work(&event, all_done).await, BTreeSet::new());
        assert_eq!(jobs_counted(&rig).await, 3);
        rig.stack.shutdown().await;
    });
}

#[test]
fn a_message_that_brings_its_job_along_makes_it_once_however_often_it_comes() {
    run(async {
        let rig = Rig::start().await;
        let id = JobId(Ids.uuid());
        let body = json!({ "job_id": id, "epoch": 1, "job": { "type": "end_stale_sessions" } }).to_string();
        for _ in 0..3 {
            rig.send(&body).await;
        }
        let event = rig.receive().await;
        assert_eq!(rig.work(&event, all_done).await, BTreeSet::new());
        rig.send(&body).await;
        assert_eq!(rig.work(&rig.receive().await, none_done).await, BTreeSet::new());
        assert_eq!((rig.standing(id).await, jobs_counted(&rig).await), (standing("done", 0, 0), 1));
        rig.stack.shutdown().await;
    });
}

#[test]
fn two_messages_of_one_job_in_a_batch_are_settled_by_one_run() {
    run(async {
        let rig = Rig::start().await;
        let id = rig.submit(1).await[0];
        jobs::send(rig.ctx, &[Message { job_id: id, epoch: 1, job: None }]).await.unwrap();
        let event = rig.receive().await;
        assert_eq!(event["Records"].as_array().unwrap().len(), 2);
        assert_eq!(rig.work(&event, none_done).await, BTreeSet::from([id]));
        assert_eq!(rig.standing(id).await, standing("queued", 1, 0));
        rig.advance(60);
        assert_eq!(rig.work(&event, all_done).await, BTreeSet::new());
        assert_eq!(jobs_counted(&rig).await, 1);
        rig.stack.shutdown().await;
    });
}
