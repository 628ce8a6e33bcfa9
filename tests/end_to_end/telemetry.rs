//! What each request leaves in the log and in the metrics.

use local::{StackOptions, camera::SceneOrder};
use serde_json::{Value, json};

use crate::support::{
    Answer, User, base64, frame, run, scene, stack,
    stand_in::{Reply, StandIn},
    start,
    terra::{Sender, drained, job_of, webhook},
    watch::{assert_not_logged, closing_lines, provider_record, records, sum},
    wearables::{self, PREVIOUS_SECRET, Watch, days_ago},
};

fn id(answer: &Answer) -> &str {
    answer.header("x-correlation-id").unwrap()
}

/// A whole number of a record's.
fn count(record: &Value, metric: &str) -> u64 {
    record[metric].as_u64().unwrap_or_else(|| panic!("no {metric} in {record:#}"))
}

#[test]
fn each_request_leaves_one_closing_line_with_all_that_names_it() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let trace = "1-6921a5f0-7c6f1d2e3b4a59687f8e9d0c";
        let header = format!("Root={trace};Parent=53995c3f42cd8ad8;Sampled=1");
        let headers = [("x-correlation-id", "shooter-42.first_try"), ("x-amzn-trace-id", header.as_str())];
        let body = json!({ "user_id": user.id, "session_type": "practice", "metadata": {} });
        let started = user.post_with("start-session", &body, &headers).await;
        let refused = user.post("start-session", &json!({})).await;
        let missing = user.post("end-session", &json!({ "session_id": user.id, "end_reason": "completed" })).await;
        for (function, answer, status, code) in [
            ("start-session", &started, 201, Value::Null),
            ("start-session", &refused, 422, json!("invalid")),
            ("end-session", &missing, 404, json!("not_found")),
        ] {
            assert_eq!(answer.status, status);
            let lines = closing_lines(stack, function, id(answer));
            assert_eq!(lines.len(), 1, "{lines:#?}");
            let line = &lines[0];
            assert_eq!((&line["function"], &line["route"]), (&json!(function), &json!(function)));
            assert_eq!((&line["status"], line.get("code").unwrap_or(&Value::Null)), (&json!(status), &code));
            assert!(line["duration_ms"].as_f64().is_some_and(|time| time > 0.0), "{line:#}");
            assert!(line["cold_start"].is_boolean() && line["level"] == "INFO", "{line:#}");
            assert!(line["request_id"].as_str().is_some_and(|id| id.parse::<uuid::Uuid>().is_ok()), "{line:#}");
            assert!(line["trace_id"].as_str().is_some_and(|id| id.starts_with("1-")), "{line:#}");
        }
        assert_eq!(id(&started), "shooter-42.first_try");
        assert_eq!(closing_lines(stack, "start-session", id(&started))[0]["trace_id"], trace);
    });
}

#[test]
fn each_request_leaves_one_metrics_record_that_counts_it_by_its_status() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let body = json!({ "user_id": user.id, "session_type": "practice", "metadata": {} });
        let ok = user.post("start-session", &body).await;
        let invalid = user.post("start-session", &json!({})).await;
        let limited = loop {
            let answer = user.post("start-session", &json!({})).await;
            if answer.status != 422 {
                break answer;
            }
        };
        let other = User::new(&stack);
        stack.front().inject(local::front::Fault::refuse(400, "ValidationException").operation("PutItem"));
        let failed = other
            .post("start-session", &json!({ "user_id": other.id, "session_type": "practice", "metadata": {} }))
            .await;
        // status: client errors, server errors, throttled, cold starts
        for (answer, status, counts) in [
            (&ok, 201, [0, 0, 0, 1]),
            (&invalid, 422, [1, 0, 0, 0]),
            (&limited, 429, [1, 0, 1, 0]),
            (&failed, 503, [0, 1, 0, 0]),
        ] {
            assert_eq!(answer.status, status);
            let records = records(&stack, "start-session", id(answer));
            assert_eq!(records.len(), 1, "{records:#?}");
            let record = &records[0];
            let names = ["client_errors", "server_errors", "throttled", "cold_starts"];
            assert_eq!(names.map(|name| count(record, name)), counts, "{status}: {record:#}");
            assert_eq!(count(record, "requests"), 1);
            let directive = &record["_aws"]["CloudWatchMetrics"][0];
            assert_eq!(directive["Namespace"], "Backend");
            assert_eq!(directive["Dimensions"], json!([["function", "route"], ["function", "version"], []]));
            assert_eq!(
                (&record["function"], &record["route"], &record["version"]),
                (&json!("start-session"), &json!("start-session"), &json!("$LATEST"))
            );
            let named: Vec<&str> = directive["Metrics"]
                .as_array()
                .unwrap()
                .iter()
                .map(|metric| metric["Name"].as_str().unwrap())
                .collect();
            for metric in names.iter().chain(&["requests", "latency"]) {
                assert!(named.contains(metric), "{metric} of {named:?}");
            }
        }
        let of = |answer: &Answer| records(&stack, "start-session", id(answer)).remove(0);
        assert_eq!((count(&of(&ok), "jwks_cache_misses"), count(&of(&invalid), "jwks_cache_hits")), (1, 1));
        assert!(count(&of(&invalid), "dynamodb_calls") >= 1 && count(&of(&failed), "dynamodb_errors") >= 1);
        stack.shutdown().await;
    });
}

#[test]
fn a_provider_has_a_record_of_its_own() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        scene(stack, session, SceneOrder { width: 320, height: 240, ..SceneOrder::default() });
        let answer = user.post("camera-proxy", &json!({ "session_id": session, "frame_number": 1 })).await;
        assert_eq!(answer.status, 200);
        let record = provider_record(stack, "camera-proxy", &answer, "camera");
        let counts = ["provider_calls", "provider_errors", "provider_retries"].map(|name| count(&record, name));
        assert_eq!(counts, [1, 0, 0], "{record:#}");
        assert_eq!(record["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["function", "provider"]]));
        let latency = &record["provider_latency"];
        assert!(latency.as_f64().or(latency["Values"][0].as_f64()).is_some_and(|time| time > 0.0), "{record:#}");
        assert_eq!(records(stack, "camera-proxy", id(&answer)).len(), 2, "the request's, and the camera's");
    });
}

#[test]
fn nothing_that_is_secret_or_a_picture_is_ever_logged() {
    run(async {
        let stack = start(StackOptions::default().parameter("LogLevel", "trace")).await;
        let user = User::new(&stack);
        let session = user.session().await;
        scene(&stack, session, SceneOrder { shots: 1, width: 640, height: 480, ..SceneOrder::default() });
        let picture = frame(&stack, session, 2).await;
        let by_url = json!({ "session_id": session, "frame_number": 2, "delivery": "url" });
        let url = user.post("camera-proxy", &by_url).await.success()["frame_url"].as_str().unwrap().to_owned();
        user.analyze(session, 1, &picture).await.success();
        user.analyze(session, 2, &picture[..picture.len() / 2]).await;
        stack.front().inject(local::front::Fault::refuse(400, "AccessDeniedException").operation("Query"));
        user.end(session).await.is_problem(503, "unavailable");
        stack.front().clear_faults();
        user.with_token(&format!("{}x", user.token.as_ref().unwrap()))
            .end(session)
            .await
            .is_problem(401, "unauthenticated");
        let report = user.end(session).await.success()["session"]["report_url"].as_str().unwrap().to_owned();
        user.get("health-check").await.success();

        let token = user.token.as_deref().unwrap();
        let data = base64(&picture);
        let signature = |url: &str| url.split_once("X-Amz-Signature=").unwrap().1[..64].to_owned();
        let (frame_signature, report_signature) = (signature(&url), signature(&report));
        let [_, payload, signed] = token.split('.').collect::<Vec<_>>()[..] else { panic!("no token: {token}") };
        assert_not_logged(
            &stack,
            &[
                ("the token's claims", payload),
                ("the token's signature", signed),
                ("the camera's key", stack.camera().unwrap().key()),
                ("the frame", &data[..100]),
                ("the frame's middle", &data[data.len() / 2..data.len() / 2 + 100]),
                ("a signature", &frame_signature),
                ("a signature", &report_signature),
                ("the session token of AWS", "X-Amz-Security-Token=local"),
            ],
        );
        stack.shutdown().await;
    });
}

#[test]
fn a_batch_leaves_a_line_and_a_job_that_failed_one_that_names_it() {
    run(async {
        let stack = start(wearables::options()).await;
        let (terra, watch) = (Sender::new(&stack), Watch::of(&User::new(&stack), "GARMIN"));
        let good = webhook(&watch.steps(days_ago(1), 8_000));
        let bad = webhook(&json!({ "type": "sleep", "user": watch.user(), "data": [7] }));
        for delivery in [&good, &bad] {
            terra.accepted(delivery).await;
        }
        drained(&stack).await;
        let job = job_of(&bad).unwrap().to_string();
        let lines = stack.logs().entries("job-worker");
        let warned: Vec<_> = lines.iter().filter(|line| line["level"] == "WARN" && line["job_id"] == *job).collect();
        assert_eq!(warned.len(), 1, "{lines:#?}");
        assert_eq!(warned[0]["job_type"], "terra_ingest", "{:#}", warned[0]);
        assert_eq!(warned[0]["attempt"], 1, "{:#}", warned[0]);
        assert!(warned[0]["error"].as_str().is_some_and(|error| error.contains("/data/0")), "{:#}", warned[0]);
        assert!(warned[0]["request_id"].is_string(), "{:#}", warned[0]);
        for (metric, expected) in [("jobs_done", 1.0), ("jobs_dead", 1.0), ("jobs_failed", 0.0)] {
            assert_eq!(sum(&stack, "job-worker", metric), expected, "{metric}");
        }
        let of_type: Vec<_> = stack
            .logs()
            .metrics("job-worker")
            .into_iter()
            .filter(|record| record["job_type"] == "terra_ingest")
            .collect();
        let directive = &of_type[0]["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["function", "job_type"], ["function"]]));
        stack.shutdown().await;
    });
}

#[test]
fn nothing_that_is_secret_or_personal_of_a_webhook_is_ever_logged() {
    run(async {
        let bucket = StandIn::start(Reply::json(404, &Value::Null)).await;
        let host = bucket.url().strip_prefix("http://").unwrap();
        let options = wearables::options().parameter("LogLevel", "trace").parameter("TerraPayloadHosts", host);
        let stack = start(options.secret("terra_signing_secret_previous", PREVIOUS_SECRET)).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of(&user, "GARMIN"));
        let mut day = watch.steps(days_ago(1), 8_642_017);
        day["user"]["email"] = "ada@personal.example".into();
        let url = |query: &str| format!("{}/p?X-Amz-Signature={query}", bucket.url());
        let bodies = [
            day.clone(),
            watch.says("auth"),
            json!({ "type": "athlete", "user": watch.user(), "athlete": { "email": "ada@personal.example" } }),
            json!({ "type": "daily", "user": watch.user(), "data": "ada@personal.example" }),
            json!({ "type": "s3_payload", "url": url("hush-hush-1") }),
            json!({ "type": "s3_payload", "url": "https://user:hush-hush-2@elsewhere.example/p?X-Amz-Signature=hush-hush-3" }),
            json!({ "type": "s3_payload", "url": "hush-hush-4" }),
        ];
        let secret = stack.terra_signing_secret();
        let signature = local::terra::signature(&secret, 1_700_000_000, b"{}");
        terra.post(&[("terra-signature", &signature)], "{}").await.is_problem(401, "unauthenticated");
        for body in &bodies {
            terra.accepted(&webhook(body)).await;
        }
        drained(&stack).await;
        user.get(&format!("latest-metrics/{}", user.id)).await.success();
        let admin = User::with_role(&stack, Some("admin"));
        admin.get("dead-jobs").await.success();
        admin.post("retry-jobs", &json!({})).await.success();
        admin.post("recalculate-metrics", &json!({ "user_id": user.id })).await.success();
        drained(&stack).await;
        assert!(!bucket.asked().is_empty());
        let claims = |user: &User| user.token.as_deref().unwrap().split('.').nth(1).unwrap().to_owned();
        assert_not_logged(
            &stack,
            &[
                ("the signing secret", &secret),
                ("the secret before", PREVIOUS_SECRET),
                ("a signature", signature.split_once("v1=").unwrap().1),
                ("a URL's signature or password", "hush-hush"),
                ("a measurement", "8642017"),
                ("an address", "ada@personal.example"),
                ("the user's token", &claims(&user)),
                ("the admin's token", &claims(&admin)),
            ],
        );
        stack.shutdown().await;
    });
}
