//! The hosted model in place of the built-in detector, and the built-in one in place of the hosted model.

use std::time::Duration;

use local::{Stack, StackOptions, camera::SceneOrder, camera::Subject};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Answer, User, base64, frame,
    in_process::{Call, clock, instance},
    pictures::picture,
    run, scene, stack,
    stand_in::{Reply, StandIn},
    start,
    watch::{assert_not_logged, provider_record},
};

const KEY: &str = "rf_k3y-that-nobody-may-see";
const MODEL: &str = "range-holes/3";

/// A stack whose analyze-frame asks the stand-in.
async fn with(model: &StandIn) -> Stack {
    let options = StackOptions::default().parameter("RoboflowUrl", model.url()).secret("roboflow_api_key", KEY);
    let options = options.parameter("RoboflowModel", MODEL).parameter("RoboflowShotClasses", "Shot,7mm hole");
    start(options).await
}

/// A box as the model gives it.
fn found(class: &str, x: f64, y: f64, width: f64, height: f64) -> Value {
    json!({
        "x": x, "y": y, "width": width, "height": height, "confidence": 0.91, "class": class, "class_id": 0,
        "detection_id": "3c5ad5ae-0b63-4f84-a3c4-c0f4f5d2c1a7",
    })
}

fn answer_of(width: u32, height: u32, predictions: &[Value]) -> Value {
    json!({
        "inference_id": "a8f4c9d2", "time": 0.031, "image": { "width": width, "height": height },
        "predictions": predictions,
    })
}

fn predictions(predictions: &[Value]) -> Reply {
    Reply::json(200, &answer_of(640, 480, predictions))
}

/// The outermost ring of the air pistol target (155.5 mm) at 0.5 mm a pixel, in the middle of 640 × 480.
fn target() -> Value {
    found("Target", 320.0, 240.0, 311.0, 311.0)
}

/// A small frame with nothing on it that the built-in detector knows.
async fn wall(stack: &Stack, session: Uuid) -> Vec<u8> {
    scene(stack, session, SceneOrder { subject: Subject::Wall, width: 640, height: 480, ..SceneOrder::default() });
    frame(stack, session, 1).await
}

/// Scores with their places in millimetres, best first.
fn scored(analysis: &Value) -> Vec<(f64, f64, f64)> {
    let detections = analysis["detections"].as_array().unwrap().iter();
    let number = |value: &Value| value.as_f64().unwrap();
    let mut scored: Vec<_> = detections
        .map(|shot| (number(&shot["score"]), number(&shot["position"]["x_mm"]), number(&shot["position"]["y_mm"])))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored
}

async fn analysis(user: &User, session: Uuid, number: u32, frame: &[u8]) -> Value {
    user.analyze(session, number, frame).await.success()["analysis"].clone()
}

/// The answer is the built-in detector's, and says so.
#[track_caller]
fn is_built_in(stack: &Stack, answer: Answer) {
    let record = provider_record(stack, "analyze-frame", &answer, "roboflow");
    assert_eq!(record["fallback_used"], 1);
    assert!(!format!("{}{:?}", answer.body, answer.headers).contains(KEY));
    let analysis = &answer.success()["analysis"];
    assert_eq!((&analysis["detector"], &analysis["degraded"]), (&json!("builtin"), &json!(true)), "{analysis:#}");
    assert_eq!(analysis["model_version"], "builtin-1");
}

#[test]
fn a_target_box_gives_the_geometry_and_every_shot_in_it_its_score() {
    run(async {
        let shots = [
            found("shot", 320.0, 240.0, 9.0, 9.0),
            found("SHOT", 352.0, 240.0, 9.0, 9.0),
            found("7mm hole", 320.0, 176.0, 9.0, 9.0),
            found("thumb", 100.0, 100.0, 60.0, 60.0),
            json!({ "x": 300, "y": 200, "confidence": 0.9, "class": "shot" }),
            json!({ "x": 320, "y": 400.0, "width": 9, "height": 9, "class": "shot" }),
        ];
        let model = StandIn::start(predictions(&[&shots[..], &[target()]].concat())).await;
        let stack = with(&model).await;
        let user = User::new(&stack);
        let session = user.session().await;
        let picture = wall(&stack, session).await;
        let seen = analysis(&user, session, 1, &picture).await;
        assert_eq!(
            (&seen["detector"], &seen["degraded"], &seen["model_version"]),
            (&json!("roboflow"), &json!(false), &json!(MODEL))
        );
        assert_eq!(
            seen["target"],
            json!({ "type": "air_pistol_10m", "centre": { "x": 320.0, "y": 240.0 }, "pixels_per_mm": 2.0, "confidence": 0.91 })
        );
        // d = 0, 16, 32 and 80 mm: 11 − d/8. Right and up are positive.
        let expected = [(10.9, 0.0, 0.0), (9.0, 16.0, 0.0), (7.0, 0.0, 32.0), (1.0, 0.0, -80.0)];
        assert_eq!(scored(&seen), expected, "{seen:#}");
        assert!(
            seen["detections"].as_array().unwrap().iter().all(|shot| shot["class"] == "shot" && shot["new"] == true)
        );

        let asked = model.asked();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].path, format!("/{MODEL}"));
        assert!(asked[0].query.split('&').any(|pair| pair == format!("api_key={KEY}")), "{}", asked[0].query);
        assert_eq!(asked[0].content_type, "application/x-www-form-urlencoded");
        assert_eq!(String::from_utf8(asked[0].body.clone()).unwrap(), base64(&picture));
        assert_eq!(user.end(session).await.success()["session"]["statistics"]["total_shots"], 4);
        assert_not_logged(&stack, &[("the key", KEY), ("the frame", &base64(&picture)[..200])]);
        stack.shutdown().await;
    });
}

#[test]
fn several_pictures_in_a_list_and_answers_without_an_image_size_are_understood() {
    run(async {
        let shot = [target(), found("shot", 352.0, 240.0, 9.0, 9.0)];
        let model = StandIn::start(predictions(&[])).await;
        let stack = with(&model).await;
        let user = User::new(&stack);
        let half: Vec<Value> = [("target", 160.0, 155.5), ("shot", 176.0, 4.5)]
            .map(|(class, x, size)| found(class, x, 120.0, size, size))
            .into();
        for (name, reply) in [
            ("a list", json!([answer_of(640, 480, &shot), answer_of(640, 480, &[])])),
            ("no size, no time", json!({ "predictions": shot })),
            ("a picture that was made smaller", answer_of(320, 240, &half)),
        ] {
            model.replies([Reply::json(200, &reply)]);
            let session = user.session().await;
            let seen = analysis(&user, session, 1, &wall(&stack, session).await).await;
            assert_eq!((scored(&seen), &seen["degraded"]), (vec![(9.0, 16.0, 0.0)], &json!(false)), "{name}: {seen:#}");
        }
        stack.shutdown().await;
    });
}

#[test]
fn without_a_target_box_the_built_in_locator_gives_the_geometry() {
    run(async {
        let plain = stack().await;
        let user = User::new(plain);
        let session = user.session().await;
        // It shows three shots.
        let picture = picture(4).await;
        let by_builtin = analysis(&user, session, 1, &picture).await;
        assert_eq!(by_builtin["detections"].as_array().unwrap().len(), 3);
        let shots: Vec<Value> = by_builtin["detections"]
            .as_array()
            .unwrap()
            .iter()
            .map(|shot| {
                let at = |name: &str| shot["coordinates"][name].as_f64().unwrap();
                found("shot", at("x"), at("y"), at("width"), at("height"))
            })
            .collect();

        let model = StandIn::start(Reply::json(200, &answer_of(1920, 1080, &shots))).await;
        let stack = with(&model).await;
        let user = User::new(&stack);
        let session = user.session().await;
        let seen = analysis(&user, session, 1, &picture).await;
        assert_eq!((&seen["detector"], &seen["degraded"]), (&json!("roboflow"), &json!(false)));
        assert_eq!(seen["target"], by_builtin["target"]);
        // The API gives pixels to a tenth, so places may differ by as much.
        for (one, other) in scored(&seen).iter().zip(scored(&by_builtin)) {
            assert!(
                (one.0 - other.0).abs() < 0.11 && (one.1 - other.1).hypot(one.2 - other.2) < 0.1,
                "{one:?} {other:?}"
            );
        }
        assert_eq!(scored(&seen).len(), 3);

        let nowhere = user.session().await;
        let wall = wall(&stack, nowhere).await;
        let seen = analysis(&user, nowhere, 1, &wall).await;
        assert_eq!((&seen["target"], &seen["detections"]), (&Value::Null, &json!([])), "shots on no target");
        assert_eq!((&seen["detector"], &seen["degraded"]), (&json!("roboflow"), &json!(false)));
        stack.shutdown().await;
    });
}

#[test]
fn whatever_is_wrong_with_the_model_the_built_in_detector_looks_and_says_so() {
    run(async {
        let model = StandIn::start(Reply::HangUp).await;
        let stack = with(&model).await;
        let user = User::new(&stack);
        let session = user.session().await;
        let picture = wall(&stack, session).await;
        let message = json!({ "message": format!("the key {KEY} may not do that") });
        let refusals = [400, 401, 402, 403, 404, 423].map(|status| (Reply::json(status, &message), 1));
        let failures = [500, 501, 502, 507].map(|status| (Reply::json(status, &message), 1));
        let overloads = [429, 503, 504].map(|status| (Reply::json(status, &message), 3));
        let junk =
            ["<html>busy</html>", "", "[]", "{}", "null", "{\"predictions\":7}"].map(|text| (Reply::text(text), 1));
        let waits = [(Reply::json(503, &message).after(60), 1), (Reply::HangUp, 3)];
        let good = predictions(&[target(), found("shot", 320.0, 240.0, 9.0, 9.0)]);
        let table = refusals.into_iter().chain(failures).chain(overloads).chain(junk).chain(waits);
        for (number, (reply, attempts)) in (1..).zip(table) {
            let before = model.asked().len();
            model.replies([reply.clone()]);
            is_built_in(&stack, user.analyze(session, 2 * number, &picture).await);
            let asked = model.asked().len() - before;
            assert_eq!(asked, attempts, "{reply:?}");
            // One that is well again closes the count of failures, or the breaker would open on the way.
            model.replies([good.clone()]);
            assert_eq!(analysis(&user, session, 2 * number + 1, &picture).await["detector"], "roboflow");
        }
        assert_not_logged(&stack, &[("the key", KEY)]);
        stack.shutdown().await;
    });
}

#[test]
fn a_model_that_is_busy_is_asked_again_when_it_said() {
    run(async {
        let busy = Reply::json(429, &json!({ "message": "slow down" })).after(1);
        let model = StandIn::start(Reply::HangUp).await;
        model.replies([busy, predictions(&[target()])]);
        let stack = with(&model).await;
        let user = User::new(&stack);
        let session = user.session().await;
        let answer = user.analyze(session, 1, &wall(&stack, session).await).await;
        assert_eq!(provider_record(&stack, "analyze-frame", &answer, "roboflow")["provider_retries"], 1);
        assert_eq!(answer.success()["analysis"]["detector"], "roboflow");
        let asked = model.asked();
        assert_eq!(asked.len(), 2);
        assert!(asked[1].at - asked[0].at >= Duration::from_secs(1));
        stack.shutdown().await;
    });
}

#[test]
fn a_model_that_does_not_answer_is_given_up_after_its_deadline() {
    run(async {
        let model = StandIn::start(Reply::Late(Duration::from_secs(60))).await;
        let stack = with(&model).await;
        let user = User::new(&stack);
        let session = user.session().await;
        is_built_in(&stack, user.analyze(session, 1, &wall(&stack, session).await).await);
        stack.shutdown().await;
    });
}

#[test]
fn a_model_that_keeps_failing_is_left_alone_for_thirty_seconds() {
    run(async {
        let model = StandIn::start(Reply::json(500, &Value::Null)).await;
        let (stack, clock) = (with(&model).await, clock());
        let user = User::new(&stack);
        let session = user.session().await;
        let picture = wall(&stack, session).await;
        let one = instance(&stack, "analyze-frame", &clock);
        let ask = async |number: u32| {
            let body = crate::support::frame_body(session, number, &picture);
            let token = user.token.as_deref();
            let call = Call { route: "POST analyze-frame", from: "192.0.2.1", token, body: &body };
            one.call(analyze_frame::handle, call).await.success()["analysis"]["detector"].clone()
        };
        for number in 1..=7 {
            assert_eq!(ask(number).await, "builtin");
            assert_eq!(model.asked().len(), number.min(5) as usize);
        }
        model.replies([predictions(&[target()])]);
        clock.advance(Duration::from_secs(30));
        assert_eq!(ask(8).await, "roboflow");
        stack.shutdown().await;
    });
}
