//! What costs an attempt, and what does not.

use std::collections::BTreeSet;

use futures::future::pending;
use local::front::Fault;
use shared::{Context, jobs::Batch};
use tokio::sync::Notify;

use super::{
    all_done, jobs_counted, none_done,
    rig::{Rig, text},
    standing,
};
use crate::support::run;

#[test]
fn the_fifth_failed_attempt_is_the_last() {
    run(async {
        let rig = Rig::start().await;
        let id = rig.submit(1).await[0];
        let event = rig.receive().await;
        for attempt in 1..=4 {
            assert_eq!(rig.work(&event, none_done).await, BTreeSet::from([id]));
            assert_eq!(rig.standing(id).await, standing("queued", attempt, 0));
            assert_eq!(rig.work(&event, none_done).await, BTreeSet::from([id]), "its pause is not over");
            assert_eq!(rig.standing(id).await, standing("queued", attempt, 0));
            rig.advance(900);
        }
        assert_eq!(rig.work(&event, none_done).await, BTreeSet::new());
        assert_eq!(rig.standing(id).await, standing("dead", 5, 0));
        assert_eq!(text(&rig.row(id).await, "last_error"), Some("not today"));
        assert_eq!(rig.work(&event, all_done).await, BTreeSet::new());
        assert_eq!((rig.standing(id).await.0.as_str(), jobs_counted(&rig).await), ("dead", 0));
        rig.stack.shutdown().await;
    });
}

#[test]
fn a_job_whose_workers_die_is_taken_up_again_ten_times_and_costs_no_attempt() {
    run(async {
        let rig = Rig::start().await;
        let id = rig.submit(1).await[0];
        let event = rig.receive().await;
        let begun = Notify::new();
        let dies = async |_: &Context, _: &Batch| {
            begun.notify_one();
            pending::<()>().await;
        };
        for crashes in 0..10 {
            // Dropped in its midst, as a worker that is killed.
            tokio::select! {
                back = rig.work(&event, dies) => panic!("{back:?}"),
                () = begun.notified() => {}
            }
            assert_eq!(rig.standing(id).await, standing("running", 0, crashes));
            rig.advance(40);
        }
        assert_eq!(rig.work(&event, all_done).await, BTreeSet::new());
        assert_eq!(rig.standing(id).await.0, "dead");
        rig.stack.shutdown().await;
    });
}

#[test]
fn a_job_that_another_works_on_comes_back_and_costs_no_attempt() {
    run(async {
        let rig = Rig::start().await;
        let jobs = rig.submit(1).await;
        let event = rig.receive().await;
        let (begun, end) = (Notify::new(), Notify::new());
        let slow = async |ctx: &Context, batch: &Batch| {
            begun.notify_one();
            end.notified().await;
            all_done(ctx, batch).await;
        };
        let another = async {
            begun.notified().await;
            let idle = async |_: &Context, batch: &Batch| assert!(batch.jobs.is_empty());
            for _ in 0..7 {
                assert_eq!(rig.work(&event, idle).await, BTreeSet::from([jobs[0]]));
            }
            assert_eq!(rig.standing(jobs[0]).await, standing("running", 0, 0));
            assert_eq!(rig.counts().await.visible, 0);
            end.notify_one();
        };
        let (back, ()) = futures::join!(rig.work(&event, slow), another);
        assert_eq!(back, BTreeSet::new());
        assert_eq!(rig.standing(jobs[0]).await, standing("done", 0, 0));
        assert_eq!(rig.work(&event, none_done).await, BTreeSet::new(), "it is done");
        assert_eq!(jobs_counted(&rig).await, 1);
        rig.stack.shutdown().await;
    });
}

#[test]
fn what_a_worker_did_after_it_lost_its_lease_is_neither_written_nor_counted() {
    run(async {
        let rig = Rig::start().await;
        let id = rig.submit(1).await[0];
        let event = rig.receive().await;
        let overtaken = async |ctx: &Context, batch: &Batch| {
            rig.advance(60);
            assert_eq!(rig.work(&event, all_done).await, BTreeSet::new());
            none_done(ctx, batch).await;
        };
        rig.work(&event, overtaken).await;
        assert_eq!((rig.standing(id).await, jobs_counted(&rig).await), (standing("done", 0, 1), 1));
        rig.stack.shutdown().await;
    });
}

#[test]
fn a_database_that_refuses_leases_costs_nobody_an_attempt() {
    run(async {
        let rig = Rig::start().await;
        let jobs = rig.submit(3).await;
        let event = rig.receive().await;
        let front = rig.stack.front();
        for operation in ["BatchGetItem", "TransactWriteItems"] {
            let refused = front.inject(Fault::throttle().operation(operation));
            let never = async |_: &Context, batch: &Batch| assert!(batch.jobs.is_empty());
            assert_eq!(rig.work(&event, never).await, jobs.iter().copied().collect());
            assert!(refused.hits() > 0);
            front.clear_faults();
            for id in &jobs {
                assert_eq!(rig.standing(*id).await, standing("queued", 0, 0));
            }
            assert_eq!(rig.counts().await.visible, 0, "they come back a while later");
        }
        assert_eq!(rig.work(&event, all_done).await, BTreeSet::new());
        assert_eq!(jobs_counted(&rig).await, 3);
        rig.stack.shutdown().await;
    });
}
