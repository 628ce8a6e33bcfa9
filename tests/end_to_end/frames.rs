//! Frames as they come: again, late, on their side, without a target, broken.

use local::front::{Fault, Service};
use serde_json::{Value, json};
use shared::store::objects::sha256_hex;

use crate::support::{
    User, pictures,
    pictures::picture,
    run, stack, start,
    storage::{keys, object, rows},
};

#[test]
fn the_same_frame_again_gets_the_same_answer_and_counts_nothing() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        let frame = picture(4).await;
        let first = user.analyze(session, 1, &frame).await.success();
        let before = rows(stack, session).await;
        let again = user.analyze(session, 1, &frame).await.success();
        // Its time and its detections with their ids, `new` too: a caller that missed the answer misses nothing.
        assert_eq!(first.to_string(), again.to_string());
        assert_eq!(rows(stack, session).await, before);
        let conflict = user.analyze(session, 1, &picture(5).await).await;
        conflict.is_problem(409, "frame_conflict");
        assert_eq!(rows(stack, session).await, before);
        // The same picture under another number shows what is known.
        let other_number = user.analyze(session, 2, &frame).await.success();
        let known = |seen: &Value| -> Vec<Value> {
            seen["analysis"]["detections"].as_array().unwrap().iter().map(|found| found["shot_id"].clone()).collect()
        };
        assert_eq!(known(&other_number), known(&first));
        assert_eq!(known(&first).len(), 3);
        assert!(other_number["analysis"]["detections"].as_array().unwrap().iter().all(|found| found["new"] == false));
    });
}

#[test]
fn an_ended_session_takes_no_frame_not_even_one_that_it_has_seen() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        let frame = picture(2).await;
        user.analyze(session, 1, &frame).await.success();
        user.end(session).await.success();
        let before = rows(stack, session).await;
        for number in [1, 2] {
            user.analyze(session, number, &frame).await.is_problem(409, "session_ended");
        }
        assert_eq!(rows(stack, session).await, before);
    });
}

#[test]
fn a_frame_is_told_whole_and_kept_under_its_digest() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        let frame = picture(2).await;
        let seen = user.analyze(session, 7, &frame).await.success();
        let truth = pictures::truth().await;
        let mut analysis = seen["analysis"].clone();
        assert!(analysis["processing_time_ms"].take().is_u64());
        assert!(analysis["model_version"].take().as_str().unwrap().starts_with("builtin-"));
        let target = analysis["target"].take();
        assert_eq!(target["type"], "air_pistol_10m");
        for figure in [&target["centre"]["x"], &target["centre"]["y"], &target["pixels_per_mm"], &target["confidence"]]
        {
            assert!(figure.as_f64().unwrap() > 0.0, "{target:#}");
        }
        let found = analysis["detections"][0].clone();
        assert_eq!((&found["class"], &found["new"]), (&json!("shot"), &json!(true)));
        let figure = |field: &str, name: &str| found[field][name].as_f64().unwrap();
        let off = (figure("position", "x_mm") - truth[0].x_mm).hypot(figure("position", "y_mm") - truth[0].y_mm);
        assert!(off < 1.0, "{off} mm from where it is");
        assert!((found["score"].as_f64().unwrap() - truth[0].score).abs() < 0.15, "{found:#} against {:?}", truth[0]);
        assert!((0.0..=1.0).contains(&found["confidence"].as_f64().unwrap()));
        // The box lies around the hole, in pixels of the frame.
        let scale = target["pixels_per_mm"].as_f64().unwrap();
        let distance = (figure("coordinates", "x") - target["centre"]["x"].as_f64().unwrap())
            .hypot(figure("coordinates", "y") - target["centre"]["y"].as_f64().unwrap());
        assert!((distance - truth[0].x_mm.hypot(truth[0].y_mm) * scale).abs() < 0.15 * distance + 5.0, "{found:#}");
        assert!(figure("coordinates", "width") > 0.0 && figure("coordinates", "height") > 0.0);
        analysis["detections"].take();
        let rest = json!({
            "detections": null, "target": null, "frame_number": 7, "processing_time_ms": null, "model_version": null,
            "detector": "builtin", "degraded": false,
        });
        assert_eq!(analysis, rest);
        assert_eq!((&seen["success"], &seen["session_id"]), (&json!(true), &json!(session)));
        let key = format!("frames/{session}/{}.jpeg", sha256_hex(&frame));
        assert_eq!(keys(stack, &format!("frames/{session}/")).await, [key.as_str()]);
        assert_eq!(object(stack, &key).await, ("image/jpeg".to_owned(), frame));
    });
}

#[test]
fn a_png_is_a_frame_like_any_other() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        let frame = pictures::as_png(&picture(2).await);
        let seen = user.analyze(session, 1, &frame).await.success();
        assert_eq!(seen["analysis"]["target"]["type"], "air_pistol_10m", "{seen:#}");
        let key = format!("frames/{session}/{}.png", sha256_hex(&frame));
        assert_eq!(object(stack, &key).await, ("image/png".to_owned(), frame));
    });
}

#[test]
fn a_frame_that_was_held_on_its_side_is_seen_upright() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let upright = user.analyze(user.session().await, 1, &picture(4).await).await.success();
        let frame = pictures::held_on_its_side(&picture(4).await);
        let turned = user.analyze(user.session().await, 1, &frame).await.success();
        let place = |seen: &Value, what: &str| seen["analysis"]["target"]["centre"][what].as_f64().unwrap();
        for axis in ["x", "y"] {
            assert!((place(&turned, axis) - place(&upright, axis)).abs() < 3.0, "{turned:#} against {upright:#}");
        }
        let positions = |seen: &Value| -> Vec<(f64, f64)> {
            let detections = seen["analysis"]["detections"].as_array().unwrap().iter();
            detections
                .map(|hole| &hole["position"])
                .map(|at| (at["x_mm"].as_f64().unwrap(), at["y_mm"].as_f64().unwrap()))
                .collect()
        };
        let turned = positions(&turned);
        assert_eq!(turned.len(), 3);
        for (x, y) in positions(&upright) {
            assert!(turned.iter().any(|(tx, ty)| (tx - x).hypot(ty - y) < 1.0), "{x}, {y} is not among {turned:?}");
        }
    });
}

#[test]
fn a_frame_without_a_target_has_no_shots_and_is_no_error() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        let seen = user.analyze(session, 1, &pictures::wall().await).await.success();
        assert_eq!((&seen["analysis"]["target"], &seen["analysis"]["detections"]), (&Value::Null, &json!([])));
        assert_eq!(seen["analysis"]["frame_number"], 1);
        assert_eq!(rows(stack, session).await["META"]["total_shots"].as_n().unwrap(), "0");
    });
}

#[test]
fn what_cannot_be_decoded_is_refused_and_not_kept() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        let frame = picture(2).await;
        let mut scribbled = frame.clone();
        let middle = scribbled.len() / 2;
        scribbled[middle..middle + 2_000].fill(0xFF);
        for (what, bytes, status, code) in [
            ("a PNG of 3.6 billion pixels", pictures::bomb(60_000, 60_000), 422, "invalid"),
            ("a PNG as long as they come", pictures::bomb(u32::MAX >> 1, 1), 422, "invalid"),
            ("a PNG with a large picture's header and nothing of it", pictures::bomb(8_000, 6_000), 422, "invalid"),
            ("half a JPEG", frame[..frame.len() / 2].to_vec(), 422, "invalid"),
            ("a JPEG without its end", frame[..frame.len() - 2].to_vec(), 422, "invalid"),
            ("the first bytes of a JPEG", frame[..20].to_vec(), 422, "invalid"),
            ("a JPEG that was written over", scribbled, 422, "invalid"),
            ("a GIF", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), 415, "unsupported_media_type"),
            ("an SVG", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), 415, "unsupported_media_type"),
            ("two bytes", vec![0xFF, 0xD8], 415, "unsupported_media_type"),
        ] {
            let answer = user.analyze(session, 1, &bytes).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{what}: {:#}", answer.body);
            answer.is_problem(status, code);
            if status == 422 {
                assert_eq!(answer.pointers(), ["/frame_data"], "{what}");
            }
        }
        let crashed =
            stack.logs().entries("analyze-frame").into_iter().find(|line| line.to_string().contains("panicked"));
        assert_eq!(crashed, None);
        assert_eq!(rows(stack, session).await.len(), 1, "the session alone");
        assert!(keys(stack, &format!("frames/{session}/")).await.is_empty());
    });
}

#[test]
fn a_frame_that_could_not_be_stored_or_counted_is_as_if_it_had_never_come() {
    run(async {
        let stack = start(local::StackOptions::default()).await;
        let user = User::new(&stack);
        let session = user.session().await;
        let frame = picture(4).await;
        let faults = [
            Fault::internal_error().service(Service::S3).operation("PutObject"),
            Fault::internal_error().service(Service::DynamoDb).operation("TransactWriteItems"),
        ];
        for fault in faults {
            stack.front().inject(fault);
            user.analyze(session, 1, &frame).await.is_problem(503, "unavailable");
            stack.front().clear_faults();
            assert_eq!(rows(&stack, session).await.len(), 1, "the session alone");
        }
        let seen = user.analyze(session, 1, &frame).await.success();
        let new =
            seen["analysis"]["detections"].as_array().unwrap().iter().filter(|found| found["new"] == true).count();
        assert_eq!(new, 3);
    });
}
