//! What webhooks, their jobs and those who read them cost.

use futures::future::join_all;
use local::{Stack, StackOptions, front::Service};
use serde_json::{Value, json};

use super::{calls_of, measured};
use crate::support::{
    User, run, start,
    terra::{Sender, drained, webhook},
    wearables::{self, Watch, days_ago, full_day, full_night, latest},
};

#[test]
fn a_webhook_takes_two_round_trips_whatever_its_size() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of(&user, "GARMIN"));
        stack.pause_sources("job-worker").await;
        let small: &[(&str, usize)] = &[("PutItem", 2), ("SendMessage", 1), ("UpdateItem", 1)];
        let large: &[(&str, usize)] = &[("PutItem", 2), ("PutObject", 1), ("SendMessage", 1), ("UpdateItem", 1)];
        let kept: &[(&str, usize)] = &[("PutItem", 1), ("UpdateItem", 1)];
        for (body, expected, depth) in [
            (watch.steps(days_ago(1), 8_000), small, 2),
            (watch.event("daily", [full_day(days_ago(1))]), large, 2),
            (watch.event("daily", (1..40).map(|ago| full_day(days_ago(ago)))), large, 2),
            (watch.says("auth"), small, 2),
            (watch.says("processing"), kept, 1),
        ] {
            let calls = measured(&stack, 1, async || {
                terra.accepted(&webhook(&body)).await;
                let delivery = webhook(&body);
                let accepted = async { Value::from(terra.accepted(&delivery).await) };
                calls_of(&stack, "webhook-terra", accepted).await.0
            })
            .await;
            let expected = expected.iter().copied().collect();
            assert_eq!((calls.operations(), calls.depth()), (expected, depth), "{}", body["type"]);
        }
        stack.shutdown().await;
    });
}

#[test]
fn latest_metrics_takes_one_round_trip_however_many_there_are() {
    run(async {
        let stack = start(wearables::options()).await;
        let terra = Sender::new(&stack);
        for connections in [0, 1, 3] {
            let user = User::new(&stack);
            for provider in ["GARMIN", "OURA", "FITBIT"].iter().take(connections) {
                let watch = Watch::of(&user, provider);
                let events = [
                    watch.event("daily", (1..30).map(|ago| full_day(days_ago(ago)))),
                    watch.event("sleep", [full_night(days_ago(0), "n")]),
                ];
                terra.deliver(&events.map(|body| webhook(&body))).await;
            }
            let route = format!("latest-metrics/{}", user.id);
            let calls = measured(&stack, 1, async || {
                latest(&user).await;
                calls_of(&stack, "latest-metrics", async { user.get(&route).await.success() }).await.0
            })
            .await;
            let expected = [("Query", 1), ("UpdateItem", 1)].into();
            assert_eq!((calls.operations(), calls.depth()), (expected, 1), "{connections} connections");
        }
        stack.shutdown().await;
    });
}

/// Jobs that die at once.
async fn die(stack: &Stack, count: usize) {
    let terra = Sender::new(stack);
    join_all((0..count).map(|_| async { terra.accepted(&webhook(&json!({ "type": "daily" }))).await })).await;
    drained(stack).await;
}

#[test]
fn dead_jobs_are_read_retried_and_metrics_recalculated_in_a_few_round_trips() {
    run(async {
        let stack = start(wearables::options()).await;
        die(&stack, 12).await;
        stack.pause_sources("job-worker").await;
        let admin = User::with_role(&stack, Some("admin"));
        for (query, queries) in [("?job_type=terra_ingest", 1), ("?job_type=terra_ingest&limit=2", 1), ("", 8)] {
            let calls = measured(&stack, 1, async || {
                admin.get("dead-jobs").await.success();
                let listed = async { admin.get(&format!("dead-jobs{query}")).await.success() };
                calls_of(&stack, "dead-jobs", listed).await.0
            })
            .await;
            assert!(calls.named("Query").count() <= queries, "{query}: {:?}", calls.operations());
            assert_eq!((calls.named("UpdateItem").count(), calls.count()), (1, calls.named("Query").count() + 1));
        }
        let admin = User::with_role(&stack, Some("admin"));
        let user = admin.id;
        let calls = measured(&stack, 2, async || {
            admin.post("recalculate-metrics", &json!({ "user_id": user })).await.success();
            let asked = async { admin.post("recalculate-metrics", &json!({ "user_id": user })).await.success() };
            calls_of(&stack, "recalculate-metrics", asked).await.0
        })
        .await;
        assert_eq!(calls.named("UpdateItem").count(), 1, "the limiter's write");
        assert!(calls.count() <= 3 && calls.depth() <= 3, "{:?}", calls.operations());

        let body = json!({ "job_type": "terra_ingest" });
        let retry = async { User::with_role(&stack, Some("admin")).post("retry-jobs", &body).await.success() };
        let (calls, retried) = calls_of(&stack, "retry-jobs", retry).await;
        assert_eq!(retried["retried"], 12);
        let writes = calls.named("UpdateItem");
        assert_eq!(writes.count(), 12 + 1, "one a job, and the limiter's");
        assert!(writes.depth() <= 3, "the jobs' writes run at once: {}", writes.depth());
        assert_eq!(calls.named("SendMessageBatch").count(), 2, "ten messages a call");
        stack.shutdown().await;
    });
}

#[test]
fn a_batch_of_ten_deliveries_costs_less_than_two_calls_a_job() {
    run(async {
        // The template's own mapping, which waits for a batch to fill.
        let stack = start(StackOptions::default()).await;
        let terra = Sender::new(&stack);
        // An instance that has all its clients.
        terra.deliver_body(&Watch::of(&User::new(&stack), "GARMIN").steps(days_ago(1), 8_000)).await;
        let watches: Vec<Watch> = (0..10).map(|_| Watch::of(&User::new(&stack), "GARMIN")).collect();
        // Ten writes bind the Terra users; that they were bound before saves these. Twice a few, should a batch be two.
        for (round, most) in [(1, 26), (2, 16)] {
            stack.pause_sources("job-worker").await;
            for watch in &watches {
                terra.accepted(&webhook(&watch.steps(days_ago(round), 8_000))).await;
            }
            stack.front().clear_calls();
            stack.resume_sources("job-worker");
            drained(&stack).await;
            let calls = stack.front().calls().by("job-worker");
            assert!(calls.count() <= most, "{} calls: {:?}", calls.count(), calls.operations());
            assert!(calls.of(Service::DynamoDb).named("PutItem").count() <= if round == 1 { 10 } else { 0 });
        }
        stack.shutdown().await;
    });
}
