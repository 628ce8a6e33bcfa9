//! A planner's own model over gRPC: asked where it is configured, stood in for where it does not answer.

use std::time::Duration;

use local::{
    Stack, StackOptions,
    grpc_model::{Code, GrpcModel, ModelFn, Prediction, Reply},
};
use serde_json::{Value, json};

use crate::support::{Answer, User, engines::readings, run, start, watch::provider_record};

async fn stack(model: ModelFn) -> Stack {
    start(StackOptions { max_instances: 1, ..StackOptions::default() }.grpc_model(model)).await
}

fn own(stack: &Stack) -> &GrpcModel {
    stack.grpc_model().unwrap()
}

async fn asked(user: &User) -> Answer {
    user.post("predict", &json!({ "engine_id": "e", "sensor_data": readings(1, 60) })).await
}

#[track_caller]
fn is_of(answer: &Answer, model: &str, degraded: bool) -> Value {
    assert_eq!(answer.status, 200, "{:#}", answer.body);
    assert_eq!(
        (&answer.body["model"], &answer.body["degraded"]),
        (&json!(model), &json!(degraded)),
        "{:#}",
        answer.body
    );
    assert_eq!(answer.body["interval"].is_null(), model == "grpc", "only the built-in model gives one");
    answer.body["predicted_rul"].clone()
}

#[test]
fn the_same_model_over_a_connection_says_the_same() {
    run(async {
        let stack = stack(ModelFn::builtin()).await;
        let (user, _) = User::with_own_fleet(&stack);
        user.reads("e", &readings(1, 60)).await;
        let remote = asked(&user).await;
        let rul = is_of(&remote, "grpc", false);
        assert_eq!(remote.body["stored"], true);
        let shown = user.get("engines/e?fields=engine").await.success();
        assert_eq!((&shown["engine"]["model"], &shown["engine"]["predicted_rul"]), (&json!("grpc"), &rul));
        assert_eq!(shown["engine"]["model_version"], remote.body["model_version"]);
        // Floats on the wire, whole cycles on the way back: what is built in says the same to a cycle.
        own(&stack).leave().await;
        let builtin = is_of(&asked(&user).await, "builtin", true);
        assert!((builtin.as_f64().unwrap() - rul.as_f64().unwrap()).abs() <= 1.0, "{builtin} {rul}");
        stack.shutdown().await;
    });
}

#[test]
fn a_batch_is_one_call_and_keeps_its_order() {
    run(async {
        let flown = ModelFn::new(|readings| Prediction::new(i32::try_from(readings.len()).unwrap(), 0.5, "flown-1"));
        let stack = stack(flown).await;
        let (user, _) = User::with_own_fleet(&stack);
        let request = |n: usize| json!({ "engine_id": format!("e-{n}"), "sensor_data": readings(1, n) });
        let requests = json!({ "requests": [request(30), { "engine_id": "unknown" }, request(20), request(40)] });
        let answer = user.post("predict/batch", &requests).await.success();
        let ruls: Vec<_> = answer["results"].as_array().unwrap().iter().map(|one| &one["predicted_rul"]).collect();
        assert_eq!(ruls, [&json!(30), &Value::Null, &json!(20), &json!(40)]);
        assert_eq!(own(&stack).asked().len(), 1);
        assert_eq!(own(&stack).connections(), 1);
        stack.shutdown().await;
    });
}

#[test]
fn whatever_is_wrong_with_the_model_the_built_in_one_answers_and_says_so() {
    run(async {
        let stack = stack(ModelFn::builtin()).await;
        let (user, _) = User::with_own_fleet(&stack);
        let wrong = |rul, confidence| Reply::Wrong(Prediction::new(rul, confidence, "wrong-1"));
        for reply in [
            Reply::Late(Duration::from_secs(4)),
            Reply::HangUp,
            Reply::Status { code: Code::Internal, pushback: None },
            Reply::Status { code: Code::Unavailable, pushback: None },
            Reply::Status { code: Code::InvalidArgument, pushback: None },
            wrong(-7, 0.5),
            wrong(60, f32::NAN),
            wrong(60, 1.5),
        ] {
            own(&stack).replies([reply.clone()]);
            let answer = asked(&user).await;
            is_of(&answer, "builtin", true);
            let record = provider_record(&stack, "predict", &answer, "model");
            assert_eq!(
                (&record["fallback_used"], &record["provider_errors"]),
                (&json!(1), &json!(1)),
                "{reply:?}: {record:#}"
            );
            // In between it works, so that the breaker stays closed.
            own(&stack).replies([Reply::Right]);
            is_of(&asked(&user).await, "grpc", false);
        }
        stack.shutdown().await;
    });
}

#[test]
fn a_model_that_is_gone_is_left_alone_and_asked_again_when_it_is_back() {
    run(async {
        let stack = stack(ModelFn::builtin()).await;
        let (user, _) = User::with_own_fleet(&stack);
        is_of(&asked(&user).await, "grpc", false);
        own(&stack).leave().await;
        for _ in 0..6 {
            is_of(&asked(&user).await, "builtin", true);
        }
        let ready = user.get("health-check/ready").await;
        assert_eq!((ready.status, &ready.body["ready"]), (503, &json!(false)));
        // The breaker is open: back or not, it is not asked for half a minute.
        own(&stack).come_back().await.unwrap();
        let before = own(&stack).asked().len();
        is_of(&asked(&user).await, "builtin", true);
        assert_eq!(own(&stack).asked().len(), before);
        stack.shutdown().await;
    });
}
