//! What is asked of wearables and of jobs, well and badly.

use futures::future::join_all;
use local::terra::Webhook;
use reqwest::Method;
use serde_json::json;

use super::{LATEST, OPERATIONS, Produced, WEBHOOK, requests::send};
use crate::support::{
    Answer, User, stack,
    storage::{Row, put, set},
    terra::{Sender, webhook},
    wearables::{Watch, days_ago},
};

pub async fn cases(produced: &Produced) {
    futures::join!(webhooks(produced), latest(produced), dead_jobs(produced), operations(produced));
}

async fn webhooks(produced: &Produced) {
    let stack = stack().await;
    let (terra, watch) = (Sender::new(stack), Watch::of(&User::new(stack), "GARMIN"));
    let delivery = webhook(&watch.steps(days_ago(1), 8_000));
    produced.success(WEBHOOK, 200, &terra.answered(&delivery).await.0);
    produced.problem(WEBHOOK, 400, "malformed_json", &terra.send(&Webhook::new("{")).await);
    produced.problem(WEBHOOK, 400, "missing_body", &terra.send(&Webhook::new("")).await);
    // A row that no code of ours wrote.
    let kept = webhook(&watch.says("healthcheck"));
    produced.success(WEBHOOK, 200, &terra.answered(&kept).await.0);
    let key = [("delivery_id", kept.trace_id.as_deref().unwrap())];
    set(stack, "WebhooksTable", &key, "received_at", "once upon a time").await;
    produced.problem(WEBHOOK, 500, "internal", &terra.answered(&kept).await.0);
}

async fn latest(produced: &Produced) {
    let stack = stack().await;
    let (user, other) = (User::new(stack), User::new(stack));
    let route = format!("latest-metrics/{}", user.id);
    let first = user.get(&route).await;
    produced.success(LATEST, 200, &first);
    let request = user.request(Method::GET, &route).header("if-none-match", first.header("etag").unwrap());
    produced.success(LATEST, 304, &Answer::of(request.send().await.unwrap()).await);
    produced.problem(LATEST, 403, "forbidden", &other.get(&route).await);
    produced.problem(LATEST, 422, "invalid", &user.get(&format!("{route}?metrics=mood")).await);
    produced.problem(LATEST, 422, "invalid", &user.get("latest-metrics/me").await);
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let foreign = Row::from([("user_id".into(), text(&other.id.to_string())), ("sk".into(), text("nothing of ours"))]);
    put(stack, "LatestMetricsTable", foreign).await;
    produced.problem(LATEST, 500, "internal", &other.get(&format!("latest-metrics/{}", other.id)).await);
}

async fn dead_jobs(produced: &Produced) {
    let stack = stack().await;
    let trainer = User::with_role(stack, Some("trainer"));
    produced.success("dead-jobs", 200, &trainer.get("dead-jobs").await);
    produced.problem("dead-jobs", 422, "invalid", &trainer.get("dead-jobs?limit=0").await);
    produced.problem("dead-jobs", 403, "forbidden", &User::new(stack).get("dead-jobs").await);
}

async fn operations(produced: &Produced) {
    let stack = stack().await;
    let (admin, user) = (&User::with_role(stack, Some("admin")), &User::new(stack));
    join_all(OPERATIONS.map(|route| async move {
        let json = "application/json";
        // Nobody's, so that nothing is done by it.
        let (good, status) = match route {
            "retry-jobs" => (json!({ "job_type": "unparsable", "limit": 1 }), 200),
            _ => (json!({ "user_id": user.id }), 202),
        };
        produced.success(route, status, &admin.post(route, &good).await);
        produced.problem(route, 400, "malformed_json", &send(admin, route, json, "{\"a\":".into()).await);
        produced.problem(route, 400, "missing_body", &send(admin, route, json, String::new()).await);
        produced.problem(route, 415, "unsupported_media_type", &send(admin, route, "text/plain", "{}".into()).await);
        produced.problem(route, 422, "invalid", &admin.post(route, &json!([])).await);
        produced.problem(route, 403, "forbidden", &user.post(route, &good).await);
    }))
    .await;
}
