//! What it says of jobs and webhooks.

use std::time::Duration;

use chrono::TimeDelta;
use local::Stack;
use serde_json::{Value, json};
use shared::clock::Clock;

use super::settled;
use crate::support::{
    User,
    in_process::{Call, clock, instance},
    run, start,
    terra::{Sender, drained, webhook},
    wearables::{self, Watch, counted, days_ago, latest, night_until, of_day},
};

/// A report's `checks`, without the database's.
async fn checks(stack: &Stack) -> Value {
    let report = settled(stack, &User::stranger(stack), "health-check", "nothing").await.success();
    let mut checks = report["checks"].clone();
    checks["status"] = report["status"].clone();
    checks.as_object_mut().unwrap().retain(|name, _| !name.starts_with("database"));
    checks
}

#[test]
fn its_figures_are_those_of_what_was_delivered() {
    run(async {
        let stack = start(wearables::options()).await;
        let (terra, user) = (Sender::new(&stack), User::new(&stack));
        let watch = Watch::of(&user, "GARMIN");
        // Ten values that are worth 80 and more, and two that contradict each other.
        let now = Clock::System.now();
        let mut contradictory = json!({ "metadata": of_day(days_ago(1)) });
        contradictory["heart_rate_data"] = json!({ "summary": { "avg_hr_bpm": 90, "max_hr_bpm": 80 } });
        let events = [
            watch.event("sleep", [night_until(now.fixed_offset() - TimeDelta::hours(2), "night")]),
            watch.event("daily", [contradictory]),
        ];
        terra.deliver(&events.map(|body| webhook(&body).ordered_at(now.timestamp_millis()))).await;
        // Kept only, and refused: neither is a webhook that was done or not.
        terra.accepted(&webhook(&watch.says("healthcheck"))).await;
        terra.post(&[], "{}").await.is_problem(401, "unauthenticated");
        let (scored, tenths) = (counted(&stack, "scored").await, counted(&stack, "confidence_tenths").await);
        assert_eq!((scored, counted(&stack, "confident").await), (12, 10));
        let expected = json!({
            "status": "healthy", "pendingJobs": 0, "failedJobs": 0, "jobWorker": "ok", "cacheHitRate": "83.3",
            "avgConfidence": null, "webhookSuccessRate": "100.0", "webhookStatus": "ok",
        });
        let mut found = checks(&stack).await;
        let average: f64 = found["avgConfidence"].take().as_str().unwrap().parse().unwrap();
        assert_eq!(found, expected);
        assert!((average - tenths as f64 / 120.0).abs() <= 0.05, "{average} of {tenths} tenths");
        // What is told now is what was counted, each value as far as its own delivery goes.
        let told: f64 = latest(&user).await.values().map(|row| row["confidence"].as_f64().unwrap()).sum();
        assert!((told / 12.0 - average).abs() < 15.0, "{average}, and {} now", told / 12.0);

        let poison = webhook(&json!({ "type": "daily", "user": watch.user(), "data": 7 }));
        terra.accepted(&poison).await;
        drained(&stack).await;
        stack.pause_sources("job-worker").await;
        for ago in 1..=3 {
            terra.accepted(&webhook(&watch.steps(days_ago(ago), 8_000))).await;
        }
        let report = checks(&stack).await;
        for (check, value) in [
            ("status", json!("degraded")),
            ("pendingJobs", json!(3)),
            ("failedJobs", json!(1)),
            ("jobWorker", json!("ok")),
            ("webhookSuccessRate", json!("66.7")),
            ("webhookStatus", json!("degraded")),
        ] {
            assert_eq!(report[check], value, "{report:#}");
        }
        stack.shutdown().await;
    });
}

#[test]
fn jobs_that_wait_for_five_minutes_are_reported() {
    run(async {
        let (stack, clock) = (start(wearables::options()).await, clock());
        let (terra, watch) = (Sender::new(&stack), Watch::of(&User::new(&stack), "GARMIN"));
        terra.deliver_body(&watch.steps(days_ago(1), 8_000)).await;
        stack.pause_sources("job-worker").await;
        terra.accepted(&webhook(&watch.steps(days_ago(2), 8_000))).await;
        let (health, body) = (instance(&stack, "health-check", &clock), Value::Null);
        for (after, status, worker) in [(0, "healthy", "ok"), (420, "degraded", "stalled")] {
            clock.advance(Duration::from_secs(after));
            let kept = &*Box::leak(Box::<health_check::Kept>::default());
            let call = Call { route: "GET health-check", from: "192.0.2.9", token: None, body: &body };
            let report = health.call(|ctx, request| health_check::handle(ctx, kept, request), call).await.success();
            assert_eq!(
                (&report["status"], &report["checks"]["jobWorker"]),
                (&json!(status), &json!(worker)),
                "{after} s"
            );
        }
        stack.shutdown().await;
    });
}
