//! Transactions that were written and whose answers never came: what they say holds, once.

use std::collections::BTreeSet;

use local::front::{Fault, FaultHandle};
use shared::{Context, jobs::Batch};

use super::{all_done, jobs_counted, rig::Rig, standing};
use crate::support::run;

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
