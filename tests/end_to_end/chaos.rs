//! A thousand webhooks, two hundred of them twice, while workers die and the database refuses calls: what comes of them
//! is what comes of them in peace.

use std::{collections::BTreeSet, time::Duration};

use local::{
    Stack, StackOptions,
    front::{Fault, Service},
};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::support::{
    run, start,
    storage::{Row, all_rows},
    terra::{number, text},
};

mod deliveries;
mod oracle;
mod outcome;
mod sender;
mod wearables;

use deliveries::Delivery;
use oracle::Values;
use outcome::Outcome;
use sender::Seen;

const DUPLICATES: usize = 200;
const BETWEEN_KILLS: Duration = Duration::from_secs(1);
/// The share of DynamoDB's calls that is refused, every function's.
const REFUSED: f64 = 0.05;
/// Of DynamoDB's and SQS' calls, the share that is carried out and never answered.
const LOST: f64 = 0.02;
/// How long the worker is still killed once everything has been sent: without an end to it, the last batches would take
/// minutes, since what a dead worker held comes back after half a minute.
const KILLED_ON: Duration = Duration::from_secs(15);
/// Seconds until the sweeper misses the message of a job.
const OVERDUE: &str = "5";
/// A stack that is at work for longer than this is not going to end.
const PATIENCE: Duration = Duration::from_secs(150);

/// What a stack was left with.
struct Left {
    seen: Seen,
    jobs: Vec<Row>,
    outcome: Outcome,
    values: Values,
}

#[test]
fn every_delivery_counts_once_while_workers_die_and_the_database_refuses_calls() {
    run(async {
        let deliveries = deliveries::all();
        let (calm, wild) = futures::join!(in_peace(&deliveries), in_chaos(&deliveries));
        for left in [&calm, &wild] {
            every_job_ended_as_it_should(&deliveries, &left.jobs);
            every_delivery_was_counted_once(&deliveries, &left.outcome);
            assert_eq!(left.values, oracle::expected(&deliveries));
            assert_eq!(left.outcome["ConnectionsTable"].len(), deliveries::terra_users());
            assert_eq!(left.outcome["QuarantineTable"].len(), oracle::waiting(&deliveries));
        }
        let struck = |left: &Left, by: &str| left.jobs.iter().filter(|job| number(job, by) > 0).count();
        assert_eq!(struck(&calm, "crashes"), 0, "that was no peace");
        assert!(struck(&wild, "crashes") > 0, "no worker died at its work");
        assert!(wild.seen.known() >= DUPLICATES, "{:?}", wild.seen);
        let differences = outcome::differences(&calm.outcome, &wild.outcome);
        assert!(differences.is_empty(), "{} rows differ:\n{}", differences.len(), differences.join("\n"));
    });
}

/// With the timeouts that it is deployed with, and without duplicates.
async fn in_peace(deliveries: &[Delivery]) -> Left {
    let stack = start(StackOptions::default().parameter("JobOverdueAfterSeconds", OVERDUE)).await;
    let seen = sender::send(&stack, &shuffled(deliveries, 0, 1), 3).await;
    settled(&stack).await;
    left(stack, seen).await
}

/// From one address, as Terra may well send.
async fn in_chaos(deliveries: &[Delivery]) -> Left {
    let options = StackOptions::default().parameter("JobWorkerTimeout", "5").parameter("JobVisibilityTimeout", "30");
    let stack = start(options.parameter("JobOverdueAfterSeconds", OVERDUE)).await;
    let refused = stack.front().inject(Fault::throttle().rate(REFUSED).seed(2));
    let lost = [Service::DynamoDb, Service::Sqs]
        .map(|service| stack.front().inject(Fault::lose_answer().service(service).rate(LOST).seed(2)));
    let sent = async {
        let seen = sender::send(&stack, &shuffled(deliveries, DUPLICATES, 2), 1).await;
        timeout(KILLED_ON, settled(&stack)).await.ok();
        seen
    };
    let seen = tokio::select! { seen = sent => seen, never = kill_the_worker_every_second(&stack) => never };
    settled(&stack).await;
    for (fault, least) in [(&refused, 100), (&lost[0], 40), (&lost[1], 5)] {
        assert!(fault.hits() >= least, "{} of {} calls", fault.hits(), fault.matched());
    }
    stack.front().clear_faults();
    left(stack, seen).await
}

async fn left(stack: Stack, seen: Seen) -> Left {
    let (jobs, outcome) = (all_rows(&stack, "JobsTable").await, outcome::of(&stack).await);
    let values = oracle::stored(&all_rows(&stack, "MetricsTable").await);
    stack.shutdown().await;
    Left { seen, jobs, outcome, values }
}

/// All of them, so many of them twice, in an order that the seed decides.
fn shuffled(deliveries: &[Delivery], duplicates: usize, seed: u64) -> Vec<&Delivery> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<&Delivery> = deliveries.iter().collect();
    order.shuffle(&mut chance);
    order.extend_from_within(..duplicates);
    order.shuffle(&mut chance);
    order
}

async fn kill_the_worker_every_second<T>(stack: &Stack) -> T {
    let mut seconds = interval(BETWEEN_KILLS);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        stack.kill_instances("job-worker").await;
    }
}

/// Waits until nothing waits any more, neither as a message nor as a job. The sweeper runs as it does by its schedule, save
/// that its minutes are short.
async fn settled(stack: &Stack) {
    let ended = async {
        let mut minutes = interval(Duration::from_secs(2));
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let minute = minutes.tick().await;
            // Killed or refused, it comes again.
            stack.fire("SweepJobs").await.unwrap();
            let mut drained = true;
            for queue in ["JobQueue", "JobDeadLetterQueue"] {
                let limit = Duration::from_secs(5).saturating_sub(minute.elapsed());
                drained &= stack.queue_drained(queue, limit).await.unwrap();
            }
            if drained && all_rows(stack, "JobsTable").await.iter().all(has_ended) {
                return;
            }
        }
    };
    if timeout(PATIENCE, ended).await.is_err() {
        let jobs = all_rows(stack, "JobsTable").await;
        let open: Vec<_> = jobs.iter().filter(|job| !has_ended(job)).collect();
        let counts = stack.queue_counts("JobQueue").await.unwrap();
        panic!("{counts:?} and {} open jobs, such as {:?}", open.len(), open.iter().take(3).collect::<Vec<_>>());
    }
}

fn has_ended(job: &Row) -> bool {
    is(job, "done") || is(job, "dead")
}

fn is(job: &Row, state: &str) -> bool {
    text(job, "state").as_deref() == Some(state)
}

/// No job is lost, and exactly those that nothing can be made of are dead.
fn every_job_ended_as_it_should(deliveries: &[Delivery], jobs: &[Row]) {
    let of = |state: &str| -> BTreeSet<String> {
        jobs.iter().filter(|job| is(job, state)).filter_map(|job| text(job, "job_id")).collect()
    };
    let wanted = |poison: bool| -> BTreeSet<String> {
        let deliveries = deliveries.iter().filter(|delivery| delivery.poison == poison);
        deliveries.filter_map(|delivery| delivery.job).map(|job| job.to_string()).collect()
    };
    let dead = jobs.iter().filter(|job| is(job, "dead"));
    let why: Vec<_> = dead.map(|job| (text(job, "type"), text(job, "last_error"))).collect();
    assert_eq!(of("dead"), wanted(true), "{why:#?}");
    let lost: Vec<_> = wanted(false).difference(&of("done")).cloned().collect();
    assert!(lost.is_empty(), "{lost:?}");
}

fn every_delivery_was_counted_once(deliveries: &[Delivery], outcome: &Outcome) {
    let jobs = |poison: bool| {
        let deliveries = deliveries.iter().filter(|delivery| delivery.job.is_some() && delivery.poison == poison);
        deliveries.count().to_string()
    };
    let counters = &outcome["counters"];
    assert_eq!((&counters["webhooks_done"], &counters["webhooks_dead"]), (&jobs(false), &jobs(true)), "{counters:?}");
}
