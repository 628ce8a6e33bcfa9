//! The range camera, when it works and when it does not.

use std::time::Duration;

use futures::{StreamExt, stream::FuturesUnordered};
use local::{
    Stack, StackOptions,
    camera::{Fault, FaultBody, SceneOrder},
    front,
};
use serde_json::{Value, json};
use shared::config::CameraConfig;
use uuid::Uuid;

use crate::support::{
    Answer, User, base64, frame,
    in_process::{Call, Instance, clock, instance_with},
    run, scene,
    stand_in::{Reply, StandIn},
    start,
    watch::{assert_not_logged, provider_record},
};

fn wish(session: Uuid) -> Value {
    json!({ "session_id": session, "frame_number": 1, "timestamp": "2026-11-21T09:00:00.000Z" })
}

/// A session whose frames are small: these tests look at none of them.
async fn small(stack: &Stack, user: &User) -> Uuid {
    let session = user.session().await;
    scene(stack, session, SceneOrder { shots: 1, width: 320, height: 240, ..SceneOrder::default() });
    session
}

fn fault(stack: &Stack, fault: Fault) {
    stack.camera().unwrap().set_fault(fault);
}

fn status(status: u16, times: u32) -> Fault {
    Fault { status: Some(status), times, ..Fault::default() }
}

fn works(stack: &Stack) {
    fault(stack, Fault { times: 0, ..Fault::default() });
}

/// What neither a caller nor the log may hear.
fn assert_nothing_leaks(stack: &Stack, answers: &[Answer]) {
    let camera = stack.camera().unwrap();
    let address = camera.url().trim_start_matches("http://");
    let secrets = [
        ("the camera's key", camera.key()),
        ("its address", address),
        ("its answer", "as ordered"),
        ("its text", "being serviced"),
    ];
    for answer in answers {
        let told = format!("{}{:?}", answer.body, answer.headers);
        for (name, secret) in secrets {
            assert!(!told.contains(secret), "{name} in {told}");
        }
    }
    assert_not_logged(stack, &secrets);
}

#[test]
fn whatever_the_camera_does_the_caller_gets_a_status_of_the_api() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let session = small(&stack, &user).await;
        let body = |body| Fault { body: Some(body), ..Fault::default() };
        let table = [
            ("gone", Fault { gone: true, times: 100, ..Fault::default() }, 503, "unavailable"),
            ("503", status(503, 3), 503, "unavailable"),
            ("500", status(500, 1), 502, "upstream_failed"),
            ("404", status(404, 1), 502, "upstream_failed"),
            ("401", status(401, 1), 502, "upstream_failed"),
            ("junk", body(FaultBody::Junk), 502, "upstream_failed"),
            ("truncated", body(FaultBody::Truncated), 502, "upstream_failed"),
            ("huge", body(FaultBody::Huge), 502, "upstream_failed"),
            ("text", body(FaultBody::Text), 502, "upstream_failed"),
            ("empty", body(FaultBody::Empty), 502, "upstream_failed"),
        ];
        let mut answers = Vec::new();
        for (name, ordered, status, code) in table {
            fault(&stack, ordered);
            let answer = user.post("camera-proxy", &wish(session)).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{name}: {:#}", answer.body);
            answer.is_problem(status, code);
            assert_eq!(answer.header("retry-after").is_some(), status == 503, "{name}");
            let record = provider_record(&stack, "camera-proxy", &answer, "camera");
            assert_eq!(
                (record["provider_calls"].as_u64(), record["provider_errors"].as_u64()),
                (Some(1), Some(1)),
                "{name}"
            );
            answers.push(answer);
            works(&stack);
            user.post("camera-proxy", &wish(session)).await.success();
        }
        assert_nothing_leaks(&stack, &answers);
        stack.shutdown().await;
    });
}

#[test]
fn what_the_camera_sends_is_passed_on_with_what_its_bytes_say() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let session = small(&stack, &user).await;
        let shown = user.post("camera-proxy", &wish(session)).await.success();
        let bytes = frame(&stack, session, 1).await;
        assert_eq!(shown["frame_data"].as_str(), Some(base64(&bytes).as_str()));
        assert_eq!(shown["session_id"], json!(session));
        let of = |shown: &Value, name: &str| shown["frame_metadata"][name].clone();
        assert_eq!(of(&shown, "resolution"), "320x240");
        assert_eq!(
            (of(&shown, "format"), of(&shown, "source"), of(&shown, "frame_number")),
            ("jpeg".into(), "hardware".into(), 1.into())
        );
        fault(&stack, Fault { body: Some(FaultBody::Png), ..Fault::default() });
        let png = user.post("camera-proxy", &wish(session)).await.success();
        assert_eq!((of(&png, "resolution"), of(&png, "format")), ("320x240".into(), "png".into()));

        let mut by_url = wish(session);
        by_url["delivery"] = "url".into();
        let told = user.post("camera-proxy", &by_url).await.success();
        assert!(told.get("frame_data").is_none());
        let served = reqwest::get(told["frame_url"].as_str().unwrap()).await.unwrap();
        assert_eq!(
            (served.status().as_u16(), &served.headers()["content-type"]),
            (200, &"image/jpeg".parse().unwrap())
        );
        assert_eq!(served.bytes().await.unwrap(), bytes);
        let forged = told["frame_url"].as_str().unwrap().replace(&session.to_string(), &user.id.to_string());
        assert_eq!(reqwest::get(forged).await.unwrap().status(), 403, "signed for this frame alone");
        stack.shutdown().await;
    });
}

#[test]
fn a_camera_that_says_when_to_come_back_is_taken_at_its_word() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let session = small(&stack, &user).await;
        let busy = |seconds, times| Fault { retry_after: Some(seconds), ..status(503, times) };
        fault(&stack, busy(0, 2));
        let answer = user.post("camera-proxy", &wish(session)).await;
        let record = provider_record(&stack, "camera-proxy", &answer, "camera");
        assert_eq!(record["provider_retries"], 2);
        answer.success();
        // Longer than the camera's own deadline: the caller hears it at once instead.
        fault(&stack, busy(40, 1));
        let answer = user.post("camera-proxy", &wish(session)).await;
        answer.is_problem(503, "unavailable");
        assert_eq!(answer.header("retry-after"), Some("40"));
        stack.shutdown().await;
    });
}

#[test]
fn a_camera_that_does_not_answer_is_given_up_after_its_deadline() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let session = small(&stack, &user).await;
        fault(&stack, Fault { delay_ms: 60_000, ..Fault::default() });
        let answer = user.post("camera-proxy", &wish(session)).await;
        answer.is_problem(504, "upstream_timeout");
        assert_nothing_leaks(&stack, &[answer]);
        stack.shutdown().await;
    });
}

#[test]
fn without_a_camera_there_is_none_unless_a_test_frame_is_wanted() {
    run(async {
        let none = StackOptions::default().parameter("CameraApiUrl", "");
        let stack = start(none.clone()).await;
        let user = User::new(&stack);
        let session = user.session().await;
        let answer = user.post("camera-proxy", &wish(session)).await;
        answer.is_problem(503, "unavailable");
        assert_eq!(answer.body["detail"], "no camera is configured");
        stack.shutdown().await;

        let stack = start(none.parameter("CameraFallback", "test-frame")).await;
        let user = User::new(&stack);
        let session = user.session().await;
        let answer = user.post("camera-proxy", &wish(session)).await;
        let record = provider_record(&stack, "camera-proxy", &answer, "camera");
        assert_eq!(record["fallback_used"], 1);
        let shown = answer.success();
        assert_eq!(shown["frame_metadata"]["source"], "test");
        stack.shutdown().await;
    });
}

#[test]
fn five_failures_in_a_row_open_the_breaker() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let session = small(&stack, &user).await;
        let ask = async || user.post("camera-proxy", &wish(session)).await;
        // A refusal says that the request was wrong, not that the camera is down: four failures, it, and four more.
        for round in [status(500, 4), status(404, 1), status(500, 4)] {
            fault(&stack, round.clone());
            for _ in 0..round.times {
                ask().await.is_problem(502, "upstream_failed");
            }
        }
        ask().await.success();
        fault(&stack, status(500, 5));
        for _ in 0..5 {
            ask().await.is_problem(502, "upstream_failed");
        }
        // The camera works again, and is left alone.
        let refused = ask().await;
        refused.is_problem(503, "unavailable");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=30).contains(&wait), "{wait}");
        // Without the table that the state lies in, another instance asks the camera.
        stack.front().inject(front::Fault::drop_connection().resource(stack.table("ControlTable").unwrap()));
        stack.kill_instances("camera-proxy").await;
        ask().await.success();
        stack.shutdown().await;
    });
}

#[test]
fn after_thirty_seconds_one_call_at_a_time_probes_and_three_that_succeed_close_the_breaker() {
    run(async {
        let (stack, clock) = (start(StackOptions::default()).await, clock());
        let user = User::new(&stack);
        let session = user.session().await;
        let camera = StandIn::start(Reply::json(500, &Value::Null)).await;
        let here = || {
            let configured = CameraConfig { url: camera.url().into() };
            instance_with(&stack, "camera-proxy", &clock, |config| config.camera = Some(configured))
        };
        let body = wish(session);
        let call = Call { route: "POST camera-proxy", from: "192.0.2.1", token: user.token.as_deref(), body: &body };
        let ask = async |instance: &Instance| instance.call(camera_proxy::handle, call).await;
        let one = here();
        for _ in 0..5 {
            ask(&one).await.is_problem(502, "upstream_failed");
        }
        clock.advance(Duration::from_secs(29));
        let refused = ask(&here()).await;
        refused.is_problem(503, "unavailable");
        // Another instance than the one that found the camera broken.
        assert_eq!((refused.header("retry-after"), camera.asked().len()), (Some("1"), 5));

        clock.advance(Duration::from_secs(1));
        let shown = Reply::jpeg(&frame(&stack, session, 1).await);
        camera.replies([shown.clone().held(), shown]);
        let instances: Vec<Instance> = (0..6).map(|_| here()).collect();
        let mut calls: FuturesUnordered<_> = instances.iter().map(ask).collect();
        for _ in 0..5 {
            calls.next().await.unwrap().is_problem(503, "unavailable");
        }
        camera.release();
        assert_eq!((calls.next().await.unwrap().status, camera.asked().len()), (200, 6), "one of six asked");
        for _ in 0..2 {
            ask(&here()).await.success();
        }
        // Closed: a failure more is one of five, and several may ask at once.
        camera.replies([Reply::json(500, &Value::Null), Reply::jpeg(&frame(&stack, session, 1).await)]);
        let last = here();
        ask(&last).await.is_problem(502, "upstream_failed");
        ask(&last).await.success();
        stack.shutdown().await;
    });
}
