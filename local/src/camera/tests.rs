use std::time::{Duration, Instant};

use chrono::DateTime;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use super::*;

const SESSION: Uuid = Uuid::from_u128(0x5EED);

async fn camera() -> RangeCamera {
    let scene = SceneOrder { width: 320, height: 240, ..SceneOrder::default() };
    RangeCamera::start("open sesame", CameraOptions { scene, ..CameraOptions::default() }).await.unwrap()
}

async fn get(camera: &RangeCamera, number: u32) -> Response {
    let url = format!("{}/v1/frames/{number}?session_id={SESSION}", camera.url());
    Client::new().get(url).bearer_auth(camera.key()).send().await.unwrap()
}

async fn put(camera: &RangeCamera, path: &str, body: Value) -> StatusCode {
    let url = format!("{}{path}", camera.url());
    let request = Client::new().put(url).bearer_auth(camera.key()).body(body.to_string());
    request.send().await.unwrap().status()
}

async fn truth(camera: &RangeCamera, number: u32) -> Value {
    let url = format!("{}/v1/scenes/{SESSION}/truth?frame_number={number}", camera.url());
    let answer = Client::new().get(url).bearer_auth(camera.key()).send().await.unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_scene_of_ten_shots_has_frames_one_to_twelve() {
    let camera = camera().await;
    for (number, status) in [(0, 404), (1, 200), (12, 200), (13, 404)] {
        assert_eq!(get(&camera, number).await.status(), status, "frame {number}");
    }
    let shots: Vec<usize> = (1..=12).map(|number| camera.truth(SESSION, number).unwrap().len()).collect();
    assert_eq!(shots, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]);
}

#[tokio::test]
async fn a_frame_is_a_jpeg_with_the_time_it_was_taken_at() {
    let camera = camera().await;
    let answer = get(&camera, 4).await;
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    let taken = answer.headers()["x-frame-timestamp"].to_str().unwrap().to_owned();
    assert!(DateTime::parse_from_rfc3339(&taken).is_ok());
    let bytes = answer.bytes().await.unwrap();
    assert!(bytes.starts_with(&[0xFF, 0xD8, 0xFF]));
    assert_eq!(Some(bytes), camera.frame(SESSION, 4).await.unwrap());
}

#[tokio::test]
async fn a_frame_is_the_same_from_every_camera_of_a_seed() {
    let (one, other) = (camera().await, camera().await);
    assert_eq!(one.frame(SESSION, 5).await.unwrap(), other.frame(SESSION, 5).await.unwrap());
    assert_ne!(one.frame(SESSION, 5).await.unwrap(), one.frame(Uuid::from_u128(1), 5).await.unwrap());
}

#[tokio::test]
async fn a_wrong_key_gets_nothing() {
    let camera = camera().await;
    let url = format!("{}/v1/frames/1?session_id={SESSION}", camera.url());
    assert_eq!(Client::new().get(&url).bearer_auth("sesame").send().await.unwrap().status(), 401);
    assert_eq!(Client::new().get(&url).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_hidden_shot_is_true_and_not_visible() {
    let camera = camera().await;
    let before = camera.frame(SESSION, 4).await.unwrap();
    let order =
        json!({ "target_type": "standard", "seed": 9, "shots": 3, "hidden_shots": [1], "width": 320, "height": 240 });
    assert_eq!(put(&camera, &format!("/v1/scenes/{SESSION}"), order).await, 204);
    let truth = truth(&camera, 5).await;
    assert_eq!(truth["target_type"], "standard");
    let visible: Vec<&Value> = truth["shots"].as_array().unwrap().iter().map(|shot| &shot["visible"]).collect();
    assert_eq!(visible, [true, false, true]);
    assert_ne!(camera.frame(SESSION, 4).await.unwrap(), before, "the old scene's frames are forgotten");
}

#[tokio::test]
async fn an_order_that_makes_no_sense_is_refused() {
    let camera = camera().await;
    let path = format!("/v1/scenes/{SESSION}");
    for order in [
        json!({ "shots": 31 }),
        json!({ "shots": 2, "hidden_shots": [2] }),
        json!({ "tilt_deg": 80 }),
        json!({ "width": 0 }),
        json!({ "colour": "blue" }),
    ] {
        assert_eq!(put(&camera, &path, order.clone()).await, 400, "{order}");
    }
}

#[tokio::test]
async fn a_fault_lasts_as_many_times_as_it_says() {
    let camera = camera().await;
    let fault = json!({ "status": 503, "retry_after": 7, "times": 2 });
    assert_eq!(put(&camera, "/v1/faults", fault).await, 204);
    let first = get(&camera, 1).await;
    assert_eq!((first.status().as_u16(), first.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    assert_eq!(get(&camera, 1).await.status(), 503);
    assert_eq!(get(&camera, 1).await.status(), 200);
}

#[tokio::test]
async fn bodies_are_spoilt_as_ordered() {
    let camera = camera().await;
    let whole = camera.frame(SESSION, 1).await.unwrap().unwrap();
    for (body, media_type, len) in [
        (FaultBody::Junk, "image/jpeg", Some(whole.len())),
        (FaultBody::Truncated, "image/jpeg", Some(whole.len() / 2)),
        (FaultBody::Huge, "image/jpeg", Some(5_000_000)),
        (FaultBody::Png, "image/png", None),
        (FaultBody::Text, "text/plain", None),
        (FaultBody::Empty, "image/jpeg", Some(0)),
    ] {
        camera.set_fault(Fault { body: Some(body), ..Fault::default() });
        let answer = get(&camera, 1).await;
        assert_eq!(answer.headers()["content-type"], media_type);
        let bytes = answer.bytes().await.unwrap();
        assert!(len.is_none_or(|len| bytes.len() == len), "{body:?}");
        assert_ne!(bytes, whole, "{body:?}");
    }
}

#[tokio::test]
async fn a_camera_that_is_gone_closes_the_connection() {
    let camera = camera().await;
    camera.set_fault(Fault { gone: true, ..Fault::default() });
    let url = format!("{}/v1/frames/1?session_id={SESSION}", camera.url());
    assert!(Client::new().get(url).bearer_auth(camera.key()).send().await.is_err());
}

#[tokio::test]
async fn a_slow_answer_does_not_hold_up_the_end() {
    let camera = camera().await;
    camera.set_fault(Fault { delay_ms: 60_000, ..Fault::default() });
    let url = format!("{}/v1/frames/1?session_id={SESSION}", camera.url());
    let waiting = tokio::spawn(Client::new().get(url).bearer_auth(camera.key()).send());
    while camera.desk.faults.is_pending() {
        tokio::task::yield_now().await;
    }
    let started = Instant::now();
    camera.stop().await;
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(waiting.await.unwrap().is_err());
}
