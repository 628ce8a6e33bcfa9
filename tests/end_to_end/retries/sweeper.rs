//! The sweeper finds what has no message, and takes a backlog for what it is.

use std::collections::BTreeSet;

use shared::{
    Context,
    ids::{Ids, JobId},
    jobs::{self, Batch, Job, NewJob, Tally},
};

use crate::{
    batches::rig::{Rig, job_of},
    support::run,
};

async fn all_done(_: &Context, batch: &Batch) {
    batch.jobs.iter().for_each(|job| job.settle(Ok(Tally::default())));
}

/// A job whose message was never sent.
async fn lost(rig: &Rig) -> JobId {
    let job = NewJob { id: JobId(Ids.uuid()), job: Job::EndStaleSessions, created_at: rig.clock.now() };
    rig.ctx.jobs.insert(&job).await.unwrap();
    job.id
}

async fn visible(rig: &Rig) -> i64 {
    rig.counts().await.visible
}

const HOUR: u64 = 3_600;

#[test]
fn a_job_without_a_message_gets_one_when_it_is_overdue_and_no_second_one_before_that_is_overdue_too() {
    run(async {
        let rig = Rig::start().await;
        for _ in 0..3 {
            lost(&rig).await;
        }
        jobs::sweep(rig.ctx).await.unwrap();
        assert_eq!(visible(&rig).await, 0, "they are not overdue");
        rig.advance(HOUR);
        let sweeps = futures::join!(jobs::sweep(rig.ctx), jobs::sweep(rig.ctx), jobs::sweep(rig.ctx));
        sweeps.0.and(sweeps.1).and(sweeps.2).unwrap();
        assert_eq!(visible(&rig).await, 3);
        let event = rig.receive().await;
        jobs::sweep(rig.ctx).await.unwrap();
        assert_eq!(visible(&rig).await, 0, "they were swept a moment ago");
        assert_eq!(rig.work(&event, all_done).await, BTreeSet::new());
        rig.advance(HOUR);
        jobs::sweep(rig.ctx).await.unwrap();
        assert_eq!(visible(&rig).await, 0, "they are done");
        rig.stack.shutdown().await;
    });
}

#[test]
fn a_backlog_is_not_multiplied() {
    run(async {
        let rig = Rig::start().await;
        rig.submit(30).await;
        for _ in 0..3 {
            rig.advance(HOUR);
            jobs::sweep(rig.ctx).await.unwrap();
            assert_eq!(visible(&rig).await, 30, "no worker was ever seen");
        }
        // A worker comes at last, with more to do than it can.
        let first = rig.receive_some(10).await;
        assert_eq!(rig.work(&first, all_done).await, BTreeSet::new());
        for _ in 0..3 {
            jobs::sweep(rig.ctx).await.unwrap();
            rig.advance(HOUR);
            assert_eq!(visible(&rig).await, 20);
        }
        rig.stack.shutdown().await;
    });
}

#[test]
fn in_a_backlog_only_what_should_have_had_its_turn_is_taken_for_lost() {
    run(async {
        let rig = Rig::start().await;
        let lost = lost(&rig).await;
        rig.advance(HOUR);
        let waiting: BTreeSet<JobId> = rig.submit(20).await.into_iter().collect();
        rig.advance(HOUR);
        // What comes next was sent an hour after the lost one should have been.
        let next = rig.receive_some(10).await;
        let next = rig.sent_at(next, rig.clock.now() - chrono::TimeDelta::hours(1));
        assert_eq!(rig.work(&next, all_done).await, BTreeSet::new());
        jobs::sweep(rig.ctx).await.unwrap();
        assert_eq!(visible(&rig).await, 10 + 1);
        let rest: BTreeSet<JobId> = rig.receive().await["Records"].as_array().unwrap().iter().map(job_of).collect();
        assert!(rest.contains(&lost) && rest.len() == 11, "{rest:?}");
        assert_eq!(rest.difference(&waiting).count(), 1);
        rig.stack.shutdown().await;
    });
}
