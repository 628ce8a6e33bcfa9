//! A session from its start to its report.

use local::camera::SceneOrder;
use serde_json::{Value, json};

use crate::support::{User, frame, run, scene, stack};

#[test]
fn a_session_is_started_filmed_scored_and_ended() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        scene(stack, session, SceneOrder { shots: 5, seed: Some(7), ..SceneOrder::default() });
        for number in 1..=7 {
            let wish = json!({ "session_id": session, "frame_number": number, "timestamp": "2026-11-21T09:00:00Z" });
            let shown = user.post("camera-proxy", &wish).await.success();
            assert_eq!(shown["frame_metadata"]["resolution"], "1920x1080");
            assert_eq!(shown["frame_metadata"]["format"], "jpeg");
            assert_eq!(shown["frame_metadata"]["source"], "hardware");
            let body = json!({ "session_id": session, "frame_number": number, "frame_data": shown["frame_data"] });
            let seen = user.post("analyze-frame", &body).await.success();
            assert_eq!(seen["analysis"]["detector"], "builtin");
            assert_eq!(seen["analysis"]["degraded"], false, "{seen:#}");
        }
        let ended = user.end(session).await.success();
        let truth = stack.camera().unwrap().truth(session, 7).unwrap();
        assert_eq!(ended["session"]["statistics"]["total_shots"], 5, "{ended:#}");
        let total: f64 = truth.iter().map(|shot| shot.score).sum();
        let counted = ended["session"]["statistics"]["total_score"].as_f64().unwrap();
        assert!((counted - total).abs() <= 0.5 + 1e-9, "{counted} against {total}");
    });
}

#[test]
fn a_second_end_returns_the_first_result() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let session = user.session().await;
        user.analyze(session, 1, &frame(stack, session, 4).await).await.success();
        let without_url = |mut ended: Value| {
            ended["session"]["report_url"].take();
            ended
        };
        let first = user.end(session).await.success();
        let body = json!({ "session_id": session, "end_reason": "cancelled" });
        let second = user.post("end-session", &body).await.success();
        assert_eq!(without_url(first), without_url(second));
    });
}
