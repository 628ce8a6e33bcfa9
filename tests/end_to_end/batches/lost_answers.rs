//! Transactions that were written and whose answers never came: what they say holds, once.

use std::collections::BTreeSet;

use local::front::{Fault, FaultHandle};
use shared::{Context, jobs::Batch};

use super::{all_done, jobs_counted, rig::Rig, standing};
use crate::support::{
    User, run, start,
    storage::all_rows,
    terra::{Sender, drained, job_of, outcome, webhook},
    wearables::{Watch, counted, latest_values, options, today},
};

/// The transactions whose answers are lost: so many, from now on.
fn lose(rig: &Rig, times: usize) -> FaultHandle {
    let jobs = rig.stack.table("JobsTable").unwrap();
    rig.stack.front().inject(Fault::lose_answer().operation("TransactWriteItems").resource(jobs).times(times))
}

#[test]
fn a_lease_whose_answer_is_lost_is_held_all_the_same() {
    run(async {
        let rig = Rig::start().await;
        for (times, crashes) in [(1, 0), (2, 0), (3, 1)] {
            let jobs = rig.submit(3).await;
            let event = rig.receive().await;
            let lost = lose(&rig, times);
            let back = rig.work(&event, all_done).await;
            assert_eq!(lost.hits(), times);
            assert_eq!(back.is_empty(), crashes == 0, "{back:?}");
            // Where the worker never learnt that it holds them, the leases have to run out.
            rig.advance(60);
            assert_eq!(rig.work(&event, all_done).await, BTreeSet::new());
            for id in &jobs {
                assert_eq!(rig.standing(*id).await, standing("done", 0, crashes));
            }
        }
        assert_eq!(jobs_counted(&rig).await, 9);
        rig.stack.shutdown().await;
    });
}

#[test]
fn jobs_whose_end_was_written_without_an_answer_are_done_and_counted_once() {
    run(async {
        let rig = Rig::start().await;
        for (times, known) in [(1, true), (2, true), (3, false)] {
            let jobs = rig.submit(3).await;
            let event = rig.receive().await;
            let lost_at_the_end = async |ctx: &Context, batch: &Batch| {
                all_done(ctx, batch).await;
                lose(&rig, times);
            };
            let back = rig.work(&event, lost_at_the_end).await;
            rig.stack.front().clear_faults();
            assert_eq!(back.is_empty(), known, "{back:?}");
            for id in &jobs {
                assert_eq!(rig.standing(*id).await, standing("done", 0, 0));
            }
            rig.advance(60);
            let never = async |_: &Context, batch: &Batch| assert!(batch.jobs.is_empty());
            assert_eq!(rig.work(&event, never).await, BTreeSet::new());
        }
        assert_eq!(jobs_counted(&rig).await, 9);
        rig.stack.shutdown().await;
    });
}

#[test]
fn a_webhook_is_worked_on_and_counted_once_whatever_its_worker_is_not_told() {
    run(async {
        let stack = start(options()).await;
        let tables = ["JobsTable", "ControlTable", "ConnectionsTable", "MetricsTable"];
        for (done, id) in (1..).zip(tables) {
            let (user, table) = (User::new(&stack), stack.table(id).unwrap());
            // Of three attempts, the last one hears.
            let writes = ["TransactWriteItems", "PutItem", "UpdateItem"].map(|operation| {
                let lost = Fault::lose_answer().function("job-worker").operation(operation);
                stack.front().inject(lost.resource(table).times(2))
            });
            let webhook = webhook(&Watch::of(&user, "OURA").steps(today(), 6_543));
            assert_eq!(Sender::new(&stack).accepted(&webhook).await, "queued");
            drained(&stack).await;
            assert_eq!(writes.iter().map(FaultHandle::hits).max(), Some(2), "{id}");
            stack.front().clear_faults();
            let job = outcome(&stack, job_of(&webhook).unwrap()).await;
            assert_eq!((job.state.as_str(), job.epoch, job.attempts, job.error), ("done", 1, 0, None), "{id}");
            assert_eq!(latest_values(&user).await["steps"], 6_543.0, "{id}");
            assert_eq!(counted(&stack, "webhooks_done").await, done, "{id}");
            assert_eq!(counted(&stack, "scored").await, done, "{id}");
        }
        assert_eq!(all_rows(&stack, "JobsTable").await.len(), tables.len());
        stack.shutdown().await;
    });
}
