//! Each type of event that Terra sends has its answer, its row and its job.

use local::terra::{Webhook, signature};
use serde_json::{Value, json};
use shared::clock::Clock;

use super::fixtures;
use crate::support::{
    User, run,
    storage::{item, object},
    terra::{Sender, delivery_of, job_of, outcome, settled, text, webhook},
    wearables::{Watch, stack},
};

/// Every event of a type that makes a job, and the job's type.
fn queued(watch: &Watch) -> Vec<(Value, &'static str)> {
    let mut events: Vec<_> = fixtures::data(watch).into_iter().map(|(body, _)| (body, "terra_ingest")).collect();
    let changes = ["auth", "deauth", "access_revoked", "connection_error", "permission_change"];
    events.extend(changes.map(|kind| (watch.says(kind), "terra_connection")));
    events.push((watch.replaces(None), "terra_connection"));
    // Refused by the worker, since the host is none that it may ask: that is no matter here.
    let url = "https://elsewhere.example/payload.json?X-Amz-Signature=secret";
    events.push((
        json!({ "type": "s3_payload", "status": "success", "url": url, "expires_in": 300 }),
        "fetch_large_delivery",
    ));
    events
}

/// What is kept for the record, known or not.
fn ignored(watch: &Watch) -> Vec<Value> {
    let known = [
        "auth_cancelled",
        "google_no_datasource",
        "lab_report.completed",
        "lab_report.failed",
        "large_request_processing",
        "large_request_sending",
        "processing",
        "rate_limit_hit",
        "s3_upload",
    ];
    let mut bodies: Vec<Value> = known.map(|kind| watch.says(kind)).into();
    bodies.push(
        json!({ "type": "healthcheck", "creation_timestamp": "2026-11-21T09:00:00Z", "sent_webhooks_last_hour": 7 }),
    );
    bodies.push(watch.says("a_type_of_tomorrow"));
    bodies.push(watch.says("Daily"));
    bodies.push(json!({ "type": 7, "user": "nobody" }));
    bodies.extend([json!({}), json!([]), json!([{ "type": "daily" }]), json!("daily"), json!(7), json!(null)]);
    bodies
}

/// The body as it was stored.
async fn stored_body(webhook: &Webhook) -> Vec<u8> {
    let stack = stack().await;
    let row = item(stack, "WebhooksTable", &[("delivery_id", &delivery_of(webhook).0)]).await.expect("a row");
    match (text(&row, "body"), text(&row, "object_key")) {
        (Some(body), None) => body.into_bytes(),
        (None, Some(key)) => object(stack, &key).await.1,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_to_be_done_is_stored_as_it_came_and_queued_under_its_job() {
    run(async {
        let stack = stack().await;
        let (terra, watch) = (Sender::new(stack), Watch::of(&User::new(stack), "GARMIN"));
        let events: Vec<_> = queued(&watch).into_iter().map(|(body, kind)| (webhook(&body), body, kind)).collect();
        for (webhook, body, kind) in &events {
            assert_eq!(terra.accepted(webhook).await, "queued", "{}", body["type"]);
            assert_eq!(stored_body(webhook).await, webhook.body, "{}", body["type"]);
            let job = item(stack, "JobsTable", &[("job_id", &job_of(webhook).unwrap().to_string())]).await.unwrap();
            assert_eq!(text(&job, "type").as_deref(), Some(*kind), "{}", body["type"]);
        }
        for (webhook, body, kind) in &events {
            let state = settled(stack, job_of(webhook).unwrap()).await.state;
            assert_eq!(state, if *kind == "fetch_large_delivery" { "dead" } else { "done" }, "{}", body["type"]);
        }
    });
}

#[test]
fn what_is_only_kept_is_stored_as_it_came_and_ignored() {
    run(async {
        let stack = stack().await;
        let (terra, watch) = (Sender::new(stack), Watch::of_nobody("FITBIT"));
        for body in ignored(&watch) {
            let webhook = webhook(&body);
            assert_eq!(terra.accepted(&webhook).await, "ignored", "{body}");
            assert_eq!(stored_body(&webhook).await, webhook.body, "{body}");
            // Whatever job it could be taken for.
            for kind in ["daily", "auth", "s3_payload"] {
                let job = json!({ "type": kind }).to_string();
                let job = crate::support::terra::job_of_delivery(&delivery_of(&webhook), job.as_bytes()).unwrap();
                assert_eq!(outcome(stack, job).await.state, "gone", "{body}");
            }
            assert_eq!(terra.accepted(&webhook).await, "duplicate", "{body}");
        }
    });
}

#[test]
fn what_is_no_json_is_refused_and_not_stored() {
    run(async {
        let stack = stack().await;
        let terra = Sender::new(stack);
        for body in ["{\"type\":\"daily\",", "nothing", "{} {}", "\u{feff}{}"] {
            let signature = signature(&stack.terra_signing_secret(), Clock::System.now().timestamp(), body.as_bytes());
            let id = shared::ids::Ids.uuid().to_string();
            let headers =
                [("content-type", "application/json"), ("terra-signature", &*signature), ("x-terra-trace-id", &*id)];
            terra.post(&headers, body).await.is_problem(400, "malformed_json");
            assert_eq!(item(stack, "WebhooksTable", &[("delivery_id", &id)]).await, None, "{body}");
        }
    });
}

#[test]
fn a_body_that_can_be_no_event_is_accepted_and_dies_where_it_is_seen() {
    run(async {
        let stack = stack().await;
        let (terra, watch) = (Sender::new(stack), Watch::of(&User::new(stack), "OURA"));
        let mut nobody = watch.event("daily", []);
        nobody["user"]["user_id"] = Value::Null;
        for (body, field) in [
            (nobody, "/user/user_id"),
            (json!({ "type": "daily", "data": [] }), "/user/user_id"),
            (json!({ "type": "sleep", "user": watch.user(), "data": { "0": {} } }), "/data"),
            (json!({ "type": "body", "user": watch.user(), "data": [{}, 7] }), "/data/1"),
            (json!({ "type": "auth", "status": "success" }), "/user/user_id"),
            (json!({ "type": "user_reauth", "user": watch.user() }), "/new_user/user_id"),
        ] {
            let webhook = webhook(&body);
            assert_eq!(terra.accepted(&webhook).await, "queued", "{body}");
            let outcome = settled(stack, job_of(&webhook).unwrap()).await;
            let error = outcome.error.unwrap_or_default();
            assert!(outcome.state == "dead" && error.contains(field), "{body}: {} {error}", outcome.state);
            assert_eq!(outcome.attempts, 1, "{body}: another attempt would do no better");
        }
    });
}
