//! A session from its start to its report.

use std::collections::BTreeSet;

use futures::future::join_all;
use local::Stack;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Answer, User,
    pictures::{self, FRAMES, SHOTS, picture},
    run, scene, stack,
    storage::{rows, sessions_of},
};

/// A figure of the score may be off by a tenth for each shot.
const TENTH: f64 = 0.1;

#[test]
fn a_session_is_started_filmed_scored_and_ended() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        scene(stack, session, pictures::order());
        let mut counted = 0;
        for number in 1..=FRAMES {
            let wish = json!({ "session_id": session, "frame_number": number, "timestamp": "2026-11-21T09:00:00Z" });
            let shown = user.post("camera-proxy", &wish).await.success();
            assert_eq!(shown["frame_metadata"]["resolution"], "1920x1080");
            assert_eq!(shown["frame_metadata"]["format"], "jpeg");
            assert_eq!(shown["frame_metadata"]["source"], "hardware");
            let body = json!({ "session_id": session, "frame_number": number, "frame_data": shown["frame_data"] });
            let seen = user.post("analyze-frame", &body).await.success();
            assert_eq!(seen["analysis"]["detector"], "builtin");
            assert_eq!(seen["analysis"]["degraded"], false, "{seen:#}");
            counted += new_shots(&seen).len();
        }
        assert_eq!(counted, SHOTS);
        let ended = user.end(session).await.success();
        assert_eq!(ended["session"]["status"], "completed");
        let statistics = &ended["session"]["statistics"];
        assert_eq!(statistics["total_shots"], SHOTS, "{ended:#}");
        let scores: Vec<f64> = pictures::truth().await.iter().map(|shot| shot.score).collect();
        close(&statistics["total_score"], scores.iter().sum(), TENTH * 10.0);
        close(&statistics["average_score"], scores.iter().sum::<f64>() / 10.0, TENTH);
        close(&statistics["best_score"], scores.iter().copied().fold(f64::MIN, f64::max), TENTH);
        close(&statistics["worst_score"], scores.iter().copied().fold(f64::MAX, f64::min), TENTH);
        for (series, scores) in statistics["series"].as_array().unwrap().iter().zip(scores.chunks(5)) {
            assert_eq!(series["shots"], 5);
            close(&series["average_score"], scores.iter().sum::<f64>() / 5.0, TENTH);
        }
        report_shows(&user, &ended, SHOTS).await;
    });
}

#[track_caller]
fn close(found: &Value, truth: f64, tolerance: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - truth).abs() <= tolerance + 0.05 + 1e-9, "{found} against {truth}");
}

/// Ids of the shots that a frame added.
fn new_shots(seen: &Value) -> Vec<&str> {
    let detections = seen["analysis"]["detections"].as_array().unwrap().iter();
    detections.filter(|found| found["new"] == true).map(|found| found["shot_id"].as_str().unwrap()).collect()
}

/// Fetches the report as anybody would who has the URL, and checks that it needs nothing else.
async fn report_shows(user: &User, ended: &Value, shots: usize) {
    let url = ended["session"]["report_url"].as_str().unwrap();
    assert!(url.contains("X-Amz-Expires=900"), "a quarter of an hour: {url}");
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let page = answer.text().await.unwrap();
    for number in 1..=shots {
        assert_eq!(page.matches(&format!("<tr data-shot=\"{number}\"")).count(), 1, "shot {number} in the table");
    }
    assert!(!page.contains(&format!("data-shot=\"{}\"", shots + 1)), "a shot that was never fired");
    assert!(page.contains("<svg"), "no plot");
    for forbidden in ["<script", "javascript:", "http://", "https://", "src=", "href=", "@import", "url("] {
        let allowed = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!allowed.contains(forbidden), "{forbidden} in the report");
    }
    // Without its signature, the URL opens nothing.
    let unsigned = reqwest::get(url.split('?').next().unwrap()).await.unwrap();
    assert_eq!(unsigned.status(), 403);
    assert!(!url.contains(user.token.as_deref().unwrap()));
}

#[test]
fn a_new_session_is_told_whole_and_keeps_its_origin_to_itself() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let metadata = json!({ "equipment": "pistol", "distance": 25, "target_type": "standard", "lane": { "no": 4 } });
        let body = json!({ "user_id": user.id, "session_type": "competition", "metadata": metadata, "unknown": [1] });
        let mut started = user.post_with("start-session", &body, &[("user-agent", "range/7")]).await.success();
        let id = started["session"]["id"].take();
        let created_at = started["session"]["created_at"].take();
        let id: Uuid = id.as_str().unwrap().parse().unwrap();
        assert_eq!(id.get_version_num(), 4);
        is_time(&created_at);
        let session = json!({
            "id": null, "created_at": null, "user_id": user.id, "status": "active", "session_type": "competition",
            "metadata": metadata,
        });
        assert_eq!(started, json!({ "success": true, "session": session }));
        let stored = &rows(stack, id).await["META"];
        assert_eq!(stored["user_agent"].as_s().unwrap(), "range/7");
        assert!(stored["address"].as_s().unwrap().starts_with("127."));
    });
}

/// RFC 3339 in UTC with milliseconds.
#[track_caller]
fn is_time(value: &Value) {
    let text = value.as_str().unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(text).is_ok() && text.len() == 24 && text.ends_with('Z'), "{text}");
}

async fn keyed(user: &User, key: &str, session_type: &str) -> Answer {
    let body = json!({ "user_id": user.id, "session_type": session_type });
    user.post_with("start-session", &body, &[("idempotency-key", key)]).await
}

#[test]
fn a_key_gives_one_session_to_its_user_however_often_it_is_sent() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let first = keyed(&user, "morning", "practice").await.success();
        let again = keyed(&user, "morning", "practice").await;
        assert_eq!((again.status, &again.body), (201, &first));
        let changed = keyed(&user, "morning", "training").await;
        changed.is_problem(422, "invalid");
        assert_eq!(changed.pointers(), ["/headers/idempotency-key"]);
        assert_eq!(sessions_of(stack, user.id).await, 1);
        assert_ne!(keyed(&user, "evening", "practice").await.success(), first);
        let other = User::new(stack);
        assert_ne!(keyed(&other, "morning", "practice").await.success()["session"]["id"], first["session"]["id"]);
        for key in ["", "a b", "é", &"k".repeat(256)] {
            keyed(&user, key, "practice").await.is_problem(422, "invalid");
        }
    });
}

#[test]
fn ten_starts_at_once_with_one_key_are_one_session() {
    run(async {
        let stack = stack().await;
        let user = &User::new(stack);
        let answers = join_all((0..10).map(|_| keyed(user, "impatient", "practice"))).await;
        let sessions: BTreeSet<String> = answers.into_iter().map(|answer| answer.success().to_string()).collect();
        assert_eq!(sessions.len(), 1, "{sessions:#?}");
        assert_eq!(sessions_of(stack, user.id).await, 1);
        let without_key = join_all((0..3).map(|_| user.session())).await;
        assert_eq!(sessions_of(stack, user.id).await, 1 + without_key.len());
    });
}

/// The answer without the URL, which is signed anew each time.
fn without_url(mut ended: Value) -> Value {
    assert!(ended["session"]["report_url"].take().is_string());
    ended
}

#[test]
fn a_second_end_returns_the_first_result_and_a_url_that_opens_the_report() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        user.analyze(session, 1, &picture(4).await).await.success();
        let first = user.end(session).await.success();
        let before = rows(stack, session).await;
        let body = json!({ "session_id": session, "end_reason": "cancelled" });
        let second = user.post("end-session", &body).await.success();
        report_shows(&user, &second, 3).await;
        report_shows(&user, &first, 3).await;
        assert_eq!(without_url(first), without_url(second));
        assert_eq!(rows(stack, session).await, before);
    });
}

#[test]
fn five_ends_at_once_end_it_once() {
    run(async {
        let user = &User::new(stack().await);
        let session = user.session().await;
        let ends = join_all(["completed", "cancelled", "timeout", "completed", "cancelled"].map(|reason| async move {
            let body = json!({ "session_id": session, "end_reason": reason });
            without_url(user.post("end-session", &body).await.success()).to_string()
        }));
        let ends: BTreeSet<String> = ends.await.into_iter().collect();
        assert_eq!(ends.len(), 1, "{ends:#?}");
    });
}

#[test]
fn a_session_without_a_shot_ends_with_no_figure_made_up() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        let ended = user.end(session).await.success();
        report_shows(&user, &ended, 0).await;
        let mut ended = without_url(ended);
        is_time(&ended["session"]["ended_at"].take());
        let advice = ended["session"]["coaching_advice"].take();
        assert!(["strengths", "improvements", "next_steps"].iter().all(|list| advice[list].is_array()), "{advice:#}");
        let statistics = json!({
            "total_shots": 0, "accuracy_percentage": null, "average_score": null, "session_duration_minutes": 0.0,
            "best_score": null, "worst_score": null, "total_score": 0.0, "group": null, "series": [],
        });
        let session = json!({
            "id": session, "status": "completed", "ended_at": null, "statistics": statistics,
            "coaching_advice": null, "report_url": null,
        });
        assert_eq!(ended, json!({ "success": true, "session": session }));
    });
}

#[test]
fn the_reason_for_the_end_becomes_the_status() {
    run(async {
        let stack = stack().await;
        for (reason, status) in [("completed", "completed"), ("cancelled", "cancelled"), ("timeout", "timed_out")] {
            let ended = end_for(stack, reason).await;
            assert_eq!(ended["session"]["status"], status);
        }
    });
}

async fn end_for(stack: &Stack, reason: &str) -> Value {
    let user = User::new(stack);
    let body = json!({ "session_id": user.session().await, "end_reason": reason });
    user.post("end-session", &body).await.success()
}
