//! Providers that fail, and what stands in for them.

use local::{StackOptions, camera::SceneOrder};
use serde_json::{Value, json};

use super::{driven_by, judge::assert_all_go_off};
use crate::support::{
    User,
    engines::readings,
    frame, run, scene,
    stand_in::{Reply, StandIn},
    start,
};

pub const DRIVES: &[&str] = &[
    "CameraBreakerOpen",
    "RoboflowBreakerOpen",
    "BuiltinDetectorUsed",
    "TestFrameServed",
    "ModelBreakerOpen",
    "BuiltinModelUsed",
];

#[test]
fn providers_that_fail_five_times_open_their_breakers_and_are_stood_in_for() {
    run(async {
        let (camera, model) = futures::join!(
            StandIn::start(Reply::json(500, &Value::Null)),
            StandIn::start(Reply::json(500, &Value::Null))
        );
        let options =
            StackOptions::default().parameter("CameraApiUrl", camera.url()).parameter("RoboflowUrl", model.url());
        let stack = start(options.parameter("RoboflowModel", "holes/1").secret("roboflow_api_key", "key")).await;
        let user = User::new(&stack);
        let session = user.session().await;
        scene(&stack, session, SceneOrder { width: 320, height: 240, ..SceneOrder::default() });
        for number in 1..=5 {
            user.post("camera-proxy", &json!({ "session_id": session, "frame_number": number })).await;
            let picture = frame(&stack, session, number).await;
            user.analyze(session, number, &picture).await.success();
        }
        assert_all_go_off(&stack, &driven_by(&["CameraBreakerOpen", "RoboflowBreakerOpen", "BuiltinDetectorUsed"]));
        stack.shutdown().await;
    });
}

#[test]
fn a_model_of_ones_own_that_does_not_answer_alarms() {
    run(async {
        let stack = start(StackOptions::default().parameter("MlServiceUrl", "http://127.0.0.1:1")).await;
        let (planner, _) = User::with_own_fleet(&stack);
        let wish = json!({ "engine_id": "e", "sensor_data": readings(7, 30) });
        for _ in 0..6 {
            planner.post("predict", &wish).await.success();
        }
        assert_all_go_off(&stack, &driven_by(&["ModelBreakerOpen", "BuiltinModelUsed"]));
        stack.shutdown().await;
    });
}

#[test]
fn a_test_frame_that_is_served_alarms() {
    run(async {
        let options = StackOptions::default().parameter("CameraApiUrl", "").parameter("CameraFallback", "test-frame");
        let stack = start(options).await;
        let user = User::new(&stack);
        let session = user.session().await;
        user.post("camera-proxy", &json!({ "session_id": session, "frame_number": 1 })).await.success();
        assert_all_go_off(&stack, &driven_by(&["TestFrameServed"]));
        stack.shutdown().await;
    });
}
