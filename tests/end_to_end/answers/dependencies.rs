//! What the backend depends on, gone or broken. Each case has a stack of its own.

use local::{
    Stack, StackOptions,
    camera::{Fault as CameraFault, FaultBody},
    front::{Fault, Service},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{OPERATIONS, POSTS, Produced, READS, WEBHOOK, engines};
use crate::support::{
    Answer, User,
    engines::readings,
    frame_body,
    pictures::picture,
    start,
    terra::{Sender, webhook},
    wearables::{Watch, days_ago},
};

pub async fn cases(produced: &Produced) {
    futures::join!(camera(produced), storage(produced), no_camera(produced), issuer(produced));
}

async fn wish(user: &User, session: Uuid) -> Answer {
    user.post("camera-proxy", &json!({ "session_id": session, "frame_number": 1 })).await
}

async fn camera(produced: &Produced) {
    let stack = start(StackOptions::default()).await;
    let user = User::new(&stack);
    let session = user.session().await;
    let spoilt = |body| CameraFault { body: Some(body), ..CameraFault::default() };
    let status = |status| CameraFault { status: Some(status), times: 3, ..CameraFault::default() };
    let cases = [
        (spoilt(FaultBody::Junk), 502, "upstream_failed"),
        (spoilt(FaultBody::Truncated), 502, "upstream_failed"),
        (spoilt(FaultBody::Huge), 502, "upstream_failed"),
        (spoilt(FaultBody::Text), 502, "upstream_failed"),
        (spoilt(FaultBody::Empty), 502, "upstream_failed"),
        (status(500), 502, "upstream_failed"),
        (status(404), 502, "upstream_failed"),
        (status(503), 503, "unavailable"),
        (CameraFault { gone: true, times: 3, ..CameraFault::default() }, 503, "unavailable"),
        // It is given five seconds.
        (CameraFault { delay_ms: 8_000, ..CameraFault::default() }, 504, "upstream_timeout"),
    ];
    for (fault, status, code) in cases {
        stack.camera().unwrap().set_fault(fault.clone());
        let answer = wish(&user, session).await;
        assert_eq!(answer.status, status, "{fault:?}: {:#}", answer.body);
        produced.problem("camera-proxy", status, code, &answer);
        assert!(answer.body["detail"].as_str().unwrap().contains("camera"), "{:#}", answer.body);
        // In between it works, so that the breaker stays closed.
        stack.camera().unwrap().set_fault(CameraFault { times: 0, ..CameraFault::default() });
        produced.success("camera-proxy", 200, &wish(&user, session).await);
    }
}

async fn no_camera(produced: &Produced) {
    let stack = start(StackOptions::default().parameter("CameraApiUrl", "")).await;
    let user = User::new(&stack);
    let session = user.session().await;
    let answer = wish(&user, session).await;
    produced.problem("camera-proxy", 503, "unavailable", &answer);
    assert_eq!(answer.body["detail"], "no camera is configured");
}

/// The requests of a session, in the order of [`POSTS`].
async fn requests(user: &User, session: Uuid) -> [Value; 4] {
    [
        json!({ "user_id": user.id, "session_type": "practice" }),
        json!({ "session_id": session, "frame_number": 1, "delivery": "url" }),
        frame_body(session, 1, &picture(2).await),
        json!({ "session_id": session, "end_reason": "completed" }),
    ]
}

async fn storage(produced: &Produced) {
    let stack = start(StackOptions { max_instances: 1, ..StackOptions::default() }).await;
    let user = User::new(&stack);
    let session = user.session().await;
    let requests = requests(&user, session).await;
    stack.front().inject(Fault::drop_connection().service(Service::DynamoDb));
    unhealthy(produced, &stack, "database").await;
    for (route, body) in POSTS.iter().zip(&requests) {
        produced.problem(route, 503, "unavailable", &user.post(route, body).await);
    }
    let admin = User::with_role(&stack, Some("admin"));
    for route in OPERATIONS {
        produced.problem(route, 503, "unavailable", &admin.post(route, &json!({})).await);
    }
    for route in READS {
        let path = route.replace("{user_id}", &user.id.to_string());
        produced.problem(route, 503, "unavailable", &admin.get(&path).await);
    }
    let planner = User::with_own_fleet(&stack).0;
    let body = json!({ "engine_id": "e", "readings": readings(1, 2) });
    for route in engines::ROUTES.into_iter().filter(|route| route.2 != "predict/batch") {
        produced.problem(route.2, 503, "unavailable", &engines::send(&planner, &route, &body).await);
    }
    let delivery = webhook(&Watch::of(&user, "GARMIN").steps(days_ago(1), 8_000));
    produced.problem(WEBHOOK, 503, "unavailable", &Sender::new(&stack).send(&delivery).await);
    stack.front().clear_faults();
    for (route, body) in POSTS.iter().zip(&requests).skip(1) {
        stack.front().inject(Fault::drop_connection().service(Service::S3));
        produced.problem(route, 503, "unavailable", &user.post(route, body).await);
        stack.front().clear_faults();
        // Sent again, it succeeds.
        produced.success(route, 200, &user.post(route, body).await);
    }
    unhealthy_without_queue(produced).await;
}

/// The report is a 503 and names what failed; its text is for those who run the system.
async fn unhealthy(produced: &Produced, stack: &Stack, failed: &str) {
    let (stranger, admin) = (User::stranger(stack), User::with_role(stack, Some("admin")));
    let public = stranger.get("health-check").await;
    report(produced, "health-check", &public);
    assert_eq!(public.body["status"], "unhealthy");
    assert_eq!(public.body["services"][failed], json!({ "status": "failed" }));
    let ready = stranger.get("health-check/ready").await;
    report(produced, "health-check/ready", &ready);
    assert_eq!(ready.body["ready"], false);
    let detailed = admin.get("health-check/detailed").await;
    report(produced, "health-check/detailed", &detailed);
    assert!(detailed.body["services"][failed]["error"].is_string(), "{:#}", detailed.body);
    stranger.get("health-check/live").await.success();
}

#[track_caller]
fn report(produced: &Produced, route: &str, answer: &Answer) {
    produced.success(route, 503, answer);
}

async fn unhealthy_without_queue(produced: &Produced) {
    let stack = start(StackOptions { max_instances: 1, ..StackOptions::default() }).await;
    stack.front().inject(Fault::internal_error().service(Service::Sqs));
    unhealthy(produced, &stack, "queue").await;
}

/// Nobody's keys are known: the token may be good, so it is not refused.
async fn issuer(produced: &Produced) {
    let stack = start(StackOptions::default()).await;
    stack.identity().set_available(false);
    let admin = User::with_role(&stack, Some("admin"));
    let detailed = admin.get("health-check/detailed").await;
    produced.problem("health-check/detailed", 503, "unavailable", &detailed);
    for route in engines::ROUTES {
        produced.problem(route.2, 503, "unavailable", &engines::send(&admin, &route, &json!({})).await);
    }
    for route in POSTS.into_iter().chain(OPERATIONS) {
        produced.problem(route, 503, "unavailable", &admin.post(route, &json!({})).await);
    }
    for route in READS {
        let path = route.replace("{user_id}", &admin.id.to_string());
        produced.problem(route, 503, "unavailable", &admin.get(&path).await);
    }
}
