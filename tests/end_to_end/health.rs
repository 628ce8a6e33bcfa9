//! What health-check says of the backend, and what it costs to say it.

use std::time::Duration;

use local::{
    Stack, StackOptions,
    front::{Fault, Service},
    grpc_model::ModelFn,
};
use serde_json::{Value, json};

use crate::support::{
    Answer, User,
    in_process::{Call, clock, instance},
    run, start,
    terra::{self, Sender, drained, job_of, webhook},
};

mod figures;

/// A report of an instance that keeps none yet.
async fn fresh(stack: &Stack, user: &User, route: &str) -> Answer {
    stack.kill_instances("health-check").await;
    user.get(route).await
}

/// A report that finds all services but the one as they should be. On a machine that stands still for 500 ms a service
/// seems to be away, never the reverse, so that the best of a few reports counts.
async fn settled(stack: &Stack, user: &User, route: &str, failed: &str) -> Answer {
    let mut answer = fresh(stack, user, route).await;
    for _ in 0..4 {
        if statuses(&answer.body) == all_but(failed) {
            break;
        }
        answer = fresh(stack, user, route).await;
    }
    assert_eq!(statuses(&answer.body), all_but(failed), "{:#}", answer.body);
    answer
}

/// What the report says of each service.
fn statuses(report: &Value) -> Vec<(&str, &str)> {
    let services = report["services"].as_object().unwrap().iter();
    services.map(|(name, service)| (name.as_str(), service["status"].as_str().unwrap())).collect()
}

/// As `statuses`, where one service has failed.
fn all_but(failed: &str) -> Vec<(&str, &str)> {
    let healthy = [
        ("camera", "operational"),
        ("database", "operational"),
        ("model", "operational"),
        ("queue", "operational"),
        ("roboflow", "not_configured"),
        ("storage", "operational"),
    ];
    healthy.map(|(name, status)| (name, if name == failed { "failed" } else { status })).into()
}

#[test]
fn a_healthy_backend_says_so_with_figures_that_are_true() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let sessions = [user.session().await, user.session().await, user.session().await];
        user.end(sessions[1]).await.success();
        let answer = settled(&stack, &user.without_token(), "health-check", "nothing").await;
        assert_eq!(answer.header("ratelimit-policy"), Some("\"lenient\";q=500;w=60"));
        let report = answer.success();
        assert_eq!(report["status"], "healthy", "{report:#}");
        assert_eq!(report["system"]["active_sessions"], 2);
        assert!(report["system"]["memory_usage_mb"].as_u64().is_some_and(|megabytes| megabytes > 0));
        assert!(report["system"]["uptime_ms"].is_u64() && report["services"]["database"]["latency_ms"].is_u64());
        assert_eq!(report["services"]["model"], json!({ "status": "operational", "kind": "builtin" }));
        let checks = &report["checks"];
        assert_eq!(
            (&checks["database"], &checks["pendingJobs"], &checks["failedJobs"]),
            (&json!("ok"), &json!(0), &json!(0))
        );
        for no_data in ["cacheHitRate", "avgConfidence", "webhookSuccessRate"] {
            assert_eq!(checks.get(no_data), Some(&Value::Null), "{no_data}");
        }
        assert_eq!(user.get("health-check/ready").await.success()["ready"], true);
        stack.shutdown().await;
    });
}

#[test]
fn the_detailed_report_is_for_trainers_and_admins() {
    run(async {
        let stack = start(StackOptions::default()).await;
        User::stranger(&stack).get("health-check/detailed").await.is_problem(401, "unauthenticated");
        User::new(&stack).get("health-check/detailed").await.is_problem(403, "forbidden");
        for role in ["trainer", "admin"] {
            let staff = User::with_role(&stack, Some(role));
            let report = settled(&stack, &staff, "health-check/detailed", "nothing").await.success();
            assert_eq!(report["status"], "healthy", "{role}");
        }
        stack.shutdown().await;
    });
}

#[test]
fn without_the_database_or_the_queue_it_is_unhealthy_and_not_ready() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let (anybody, admin) = (User::stranger(&stack), User::with_role(&stack, Some("admin")));
        for (service, name) in [(Service::DynamoDb, "database"), (Service::Sqs, "queue")] {
            stack.front().inject(Fault::refuse(500, "InternalServerError").service(service));
            let public = settled(&stack, &anybody, "health-check", name).await;
            assert_eq!((public.status, public.body["status"].as_str()), (503, Some("unhealthy")), "{name}");
            assert_eq!(public.body["services"][name], json!({ "status": "failed" }), "no error text for everybody");
            assert_eq!(public.body["checks"]["database"], if name == "database" { "failed" } else { "ok" });
            let ready = fresh(&stack, &anybody, "health-check/ready").await;
            assert_eq!((ready.status, &ready.body["ready"]), (503, &json!(false)));
            let detailed = fresh(&stack, &admin, "health-check/detailed").await;
            assert_eq!(detailed.status, 503);
            let error = detailed.body["services"][name]["error"].as_str().unwrap();
            assert!(!error.is_empty() && !public.body.to_string().contains(error), "{error}");
            anybody.get("health-check/live").await.success();
            stack.front().clear_faults();
        }
        assert_eq!(settled(&stack, &anybody, "health-check", "nothing").await.success()["status"], "healthy");
        stack.shutdown().await;
    });
}

#[test]
fn what_it_can_work_without_makes_it_degraded_and_leaves_it_ready() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let anybody = User::stranger(&stack);
        stack.front().inject(Fault::drop_connection().service(Service::S3));
        let report = settled(&stack, &anybody, "health-check", "storage").await.success();
        assert_eq!(report["status"], "degraded");
        // Of the same instance, and so the same report.
        assert_eq!(anybody.get("health-check/ready").await.success()["ready"], true);
        stack.front().clear_faults();

        let dead = webhook(&json!({ "type": "daily" }));
        Sender::new(&stack).accepted(&dead).await;
        assert_eq!(terra::settled(&stack, job_of(&dead).unwrap()).await.state, "dead");
        drained(&stack).await;
        let report = settled(&stack, &anybody, "health-check", "nothing").await.success();
        assert_eq!((&report["status"], &report["checks"]["failedJobs"]), (&json!("degraded"), &json!(1)));
        stack.shutdown().await;
    });
}

#[test]
fn a_camera_that_is_configured_and_away_makes_it_degraded() {
    run(async {
        // Nobody listens on port 1.
        let options = StackOptions::default().parameter("CameraApiUrl", "http://127.0.0.1:1");
        let stack = start(options).await;
        let report = settled(&stack, &User::stranger(&stack), "health-check", "camera").await.success();
        assert_eq!(report["status"], "degraded");
        stack.shutdown().await;
        let stack = start(StackOptions::default().parameter("CameraApiUrl", "")).await;
        let report = User::stranger(&stack).get("health-check").await.body;
        assert_eq!(report["services"]["camera"], json!({ "status": "not_configured" }));
        stack.shutdown().await;
    });
}

#[test]
fn it_is_not_ready_while_a_configured_model_is_away_and_works_on_with_the_built_in_one() {
    run(async {
        let stack = start(StackOptions::default().grpc_model(ModelFn::builtin())).await;
        let (anybody, admin) = (User::stranger(&stack), User::with_role(&stack, Some("admin")));
        let report = settled(&stack, &anybody, "health-check", "nothing").await.success();
        assert_eq!((&report["status"], &report["services"]["model"]["kind"]), (&json!("healthy"), &json!("grpc")));
        assert_eq!(anybody.get("health-check/ready").await.success()["ready"], true);

        let model = stack.grpc_model().unwrap();
        model.leave().await;
        let report = settled(&stack, &anybody, "health-check", "model").await.success();
        assert_eq!(report["status"], "degraded");
        assert_eq!(report["services"]["model"], json!({ "status": "failed", "kind": "grpc" }));
        let ready = anybody.get("health-check/ready").await;
        assert_eq!((ready.status, &ready.body["ready"]), (503, &json!(false)));
        let detailed = admin.get("health-check/detailed").await.success();
        assert!(detailed["services"]["model"]["error"].is_string(), "{detailed:#}");

        model.come_back().await.unwrap();
        settled(&stack, &anybody, "health-check", "nothing").await;
        assert_eq!(anybody.get("health-check/ready").await.success()["ready"], true);
        assert_eq!(model.asked().len(), 0, "no prediction was asked for");
        stack.shutdown().await;
    });
}

#[test]
fn live_asks_nobody_and_a_report_is_kept_for_five_seconds() {
    run(async {
        let (stack, clock) = (start(StackOptions::default()).await, clock());
        let anybody = User::stranger(&stack);
        let answer = anybody.get("health-check/live").await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("alive")));
        assert_eq!(stack.front().calls().count(), 0);

        let (health, kept, body) =
            (instance(&stack, "health-check", &clock), &*Box::leak(Box::<health_check::Kept>::default()), Value::Null);
        let calls = async |route: &str| {
            stack.front().clear_calls();
            let call = Call { route, from: "192.0.2.1", token: None, body: &body };
            health.call(|ctx, request| health_check::handle(ctx, kept, request), call).await;
            stack.front().calls().count()
        };
        let asked = "database, eight shards, two queues, eight types of dead jobs, heartbeat, counters, storage";
        assert_eq!(calls("GET health-check/ready").await, 22, "{asked}");
        for _ in 0..3 {
            assert_eq!(calls("GET health-check/ready").await, 0);
        }
        clock.advance(Duration::from_millis(4_999));
        assert_eq!(calls("GET health-check").await, 2, "the limiter's write, and its window before");
        clock.advance(Duration::from_millis(1));
        assert_eq!(calls("GET health-check").await, 23);
        stack.shutdown().await;
    });
}
