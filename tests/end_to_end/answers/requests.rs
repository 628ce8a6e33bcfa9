//! What is wrong with the request itself, or with what it asks for.

use futures::future::join_all;
use local::functions::PAYLOAD_LIMIT;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{OPERATIONS, POSTS, Produced, READS, WEBHOOK};
use crate::support::{
    Answer, User, frame_body,
    pictures::{another_target, picture},
    run, stack, storage,
};

pub async fn cases(produced: &Produced) {
    futures::join!(
        broken_bodies(produced),
        without_token(produced),
        states(produced),
        oversized(produced),
        broken_rows(produced)
    );
}

/// A request with a body as it stands.
pub async fn send(user: &User, route: &str, media_type: &str, body: String) -> Answer {
    let request = user.request(reqwest::Method::POST, route).header("content-type", media_type);
    Answer::of(request.body(body).send().await.unwrap()).await
}

async fn broken_bodies(produced: &Produced) {
    let user = &User::new(stack().await);
    join_all(POSTS.map(|route| async move {
        produced.problem(route, 400, "malformed_json", &send(user, route, "application/json", "{\"a\":".into()).await);
        produced.problem(route, 400, "missing_body", &send(user, route, "application/json", String::new()).await);
        let text = send(user, route, "text/plain", "{}".into()).await;
        produced.problem(route, 415, "unsupported_media_type", &text);
        let empty = send(user, route, "application/json; charset=utf-8", "{}".into()).await;
        produced.problem(route, 422, "invalid", &empty);
        let first = if route == "start-session" { "/user_id" } else { "/session_id" };
        assert!(empty.pointers().contains(&first), "{route}: {:#}", empty.body);
    }))
    .await;
}

async fn without_token(produced: &Produced) {
    let stranger = &User::stranger(stack().await);
    join_all(POSTS.into_iter().chain(OPERATIONS).chain([WEBHOOK]).map(|route| async move {
        produced.problem(route, 401, "unauthenticated", &stranger.post(route, &json!({})).await);
    }))
    .await;
    for route in READS {
        let path = route.replace("{user_id}", &Uuid::nil().to_string());
        produced.problem(route, 401, "unauthenticated", &stranger.get(&path).await);
    }
    let detailed = stranger.get("health-check/detailed").await;
    produced.problem("health-check/detailed", 401, "unauthenticated", &detailed);
}

async fn states(produced: &Produced) {
    let stack = stack().await;
    let user = User::new(stack);
    let session = user.session().await;
    let (frame, other_frame) = futures::join!(picture(2), another_target());
    produced.success("analyze-frame", 200, &user.analyze(session, 1, &frame).await);
    produced.problem("analyze-frame", 409, "frame_conflict", &user.analyze(session, 1, &other_frame).await);
    produced.success("end-session", 200, &user.end(session).await);
    produced.problem("analyze-frame", 409, "session_ended", &user.analyze(session, 2, &frame).await);
    let wish = json!({ "session_id": session, "frame_number": 2 });
    produced.problem("camera-proxy", 409, "session_ended", &user.post("camera-proxy", &wish).await);
}

/// Over what a frame may have, and over what Lambda takes: the latter never reaches a function.
async fn oversized(produced: &Produced) {
    let stack = stack().await;
    let user = &User::new(stack);
    let session = user.session().await;
    let mut frame = picture(2).await;
    frame.resize(4_500_001, 0);
    produced.problem("analyze-frame", 413, "too_large", &user.analyze(session, 1, &frame).await);
    join_all(POSTS.into_iter().chain(OPERATIONS).chain([WEBHOOK]).map(|route| async move {
        let answer = user.post(route, &json!({ "note": "n".repeat(PAYLOAD_LIMIT) })).await;
        is_refused_by_lambda(&answer);
        produced.note(route, 413, "");
    }))
    .await;
}

#[track_caller]
fn is_refused_by_lambda(answer: &Answer) {
    assert_eq!((answer.status, &answer.body), (413, &json!({ "message": "Request Entity Too Large" })));
}

#[test]
fn the_largest_frame_passes_and_one_byte_more_does_not() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        // What follows the end of a JPEG is no part of the picture.
        let mut frame = picture(2).await;
        frame.resize(4_500_000, 0);
        user.analyze(session, 1, &frame).await.success();
        frame.push(0);
        user.analyze(session, 2, &frame).await.is_problem(413, "too_large");
    });
}

#[test]
fn an_event_counts_with_the_escapes_of_its_body() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let body = |quotes: usize| format!("{{\"note\":\"{}\"}}", "\\\"".repeat(quotes));
        // Two bytes for a quote in the body, and four in the event, whose strings escape both of them.
        let half = send(&user, "start-session", "application/json", body(PAYLOAD_LIMIT / 4 - 2_000)).await;
        half.is_problem(422, "invalid");
        is_refused_by_lambda(&send(&user, "start-session", "application/json", body(PAYLOAD_LIMIT / 4)).await);
    });
}

/// Rows that no code of ours wrote: the caller hears that it is our fault, and nothing else.
async fn broken_rows(produced: &Produced) {
    let stack = stack().await;
    let user = User::new(stack);
    let session = user.session().await;
    let key = [("session_id", &*session.to_string()), ("sk", "META")];
    storage::set(stack, "SessionsTable", &key, "metadata", "no json").await;
    let frame = frame_body(session, 1, &picture(2).await);
    let requests = [
        ("camera-proxy", json!({ "session_id": session, "frame_number": 1 })),
        ("analyze-frame", frame),
        ("end-session", json!({ "session_id": session, "end_reason": "completed" })),
    ];
    for (route, body) in &requests {
        internal(produced, route, &user.post(route, body).await);
    }
    let start = json!({ "user_id": user.id, "session_type": "practice" });
    let idempotency = Uuid::from_u128(7).to_string();
    let headers = [("idempotency-key", idempotency.as_str())];
    user.post_with("start-session", &start, &headers).await.success();
    let key = [("key", &*format!("idem:{}#{idempotency}", user.id))];
    storage::set(stack, "ControlTable", &key, "answer", "no json").await;
    internal(produced, "start-session", &user.post_with("start-session", &start, &headers).await);
}

#[track_caller]
fn internal(produced: &Produced, route: &str, answer: &Answer) {
    produced.problem(route, 500, "internal", answer);
    let detail = "the request could not be completed; the correlation id leads us to the reason";
    assert_eq!(answer.body["detail"], Value::from(detail));
}
