use std::collections::BTreeSet;

use local::{FunctionError, InvokeError};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Fixture, json_of};

const UNAVAILABLE: &str = r#"{"message":"Service Unavailable"}"#;
const ERROR: &str = r#"{"message":"Internal Server Error"}"#;

fn sleep(ms: u64) -> Value {
    json!({"do": "sleep", "ms": ms})
}

#[tokio::test]
async fn a_function_has_the_templates_environment_and_lambdas_and_nothing_else() {
    let fixture = Fixture::with(|options| options.parameter("Greeting", "hi")).await;
    let answer = json_of(fixture.get("/echo/1").send().await.unwrap()).await;
    let environment = answer["environment"].as_object().unwrap();
    // Where coverage is measured, its profile's name is handed on.
    let names = environment.keys().map(String::as_str).filter(|name| !name.contains("LLVM_PROFILE"));
    let names: BTreeSet<&str> = names.collect();
    let lambda = [
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_ENDPOINT_URL_SQS",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_FORMAT",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_XRAY_CONTEXT_MISSING",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "LANG",
        "PATH",
        "TZ",
        "_HANDLER",
        // Set by the runtime itself for each invocation.
        "_X_AMZN_TRACE_ID",
    ];
    let own = ["BUCKET", "GREETING", "QUEUE_URL", "TABLE"];
    assert_eq!(names, lambda.into_iter().chain(own).collect());
    assert_eq!(environment["GREETING"], "hi");
    assert_eq!(environment["TABLE"], fixture.stack.table("Table").unwrap());
    assert_eq!(environment["QUEUE_URL"], fixture.stack.queue_url("Queue").unwrap());
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "512");
    assert_eq!(answer["arn"], "arn:aws:lambda:us-east-1:000000000000:function:local-EchoFunction");
    assert!(answer["trace"].as_str().unwrap().starts_with("Root=1-"));
}

#[tokio::test]
async fn an_instance_takes_one_request_at_a_time_and_is_used_again() {
    let fixture = Fixture::start().await;
    let both = futures::future::join(fixture.order("echo", sleep(300)), fixture.order("echo", sleep(300))).await;
    let pids = BTreeSet::from([both.0.1, both.1.1]);
    assert_eq!(pids.len(), 2);
    for _ in 0..3 {
        assert!(pids.contains(&fixture.order("echo", sleep(0)).await.1));
    }
}

#[tokio::test]
async fn calls_over_the_local_cap_wait() {
    let fixture = Fixture::with(|options| local::StackOptions { max_instances: 1, ..options }).await;
    let answers = futures::future::join_all((0..4).map(|_| fixture.order("echo", sleep(50)))).await;
    assert!(answers.iter().all(|(status, _)| *status == StatusCode::OK));
    assert_eq!(answers.into_iter().map(|(_, pid)| pid).collect::<BTreeSet<_>>().len(), 1);
}

#[tokio::test]
async fn calls_over_the_reserved_concurrency_get_503() {
    let fixture = Fixture::start().await;
    let answers = futures::future::join_all((0..3).map(|_| fixture.order("reserved", sleep(500)))).await;
    let ok = answers.iter().filter(|(status, _)| *status == StatusCode::OK).count();
    let refused = answers.iter().filter(|answer| **answer == (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.to_owned()));
    assert_eq!((ok, refused.count()), (1, 2));
    assert_eq!(fixture.order("reserved", sleep(0)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_timeout_ends_the_instance_and_the_next_call_gets_a_new_one() {
    let fixture = Fixture::start().await;
    let before = fixture.order("short", sleep(0)).await.1;
    assert_eq!(fixture.order("short", sleep(5_000)).await, (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.to_owned()));
    let (status, after) = fixture.order("short", sleep(0)).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(before, after);
}

#[tokio::test]
async fn a_crash_is_500_and_the_next_call_gets_a_new_instance() {
    let fixture = Fixture::start().await;
    let before = fixture.order("echo", sleep(0)).await.1;
    assert_eq!(
        fixture.order("echo", json!({"do": "exit"})).await,
        (StatusCode::INTERNAL_SERVER_ERROR, ERROR.to_owned())
    );
    let (status, after) = fixture.order("echo", sleep(0)).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(before, after);
}

#[tokio::test]
async fn an_error_or_a_panic_is_500_and_the_instance_stays() {
    let fixture = Fixture::start().await;
    let before = fixture.order("echo", sleep(0)).await.1;
    for order in ["fail", "panic"] {
        assert_eq!(
            fixture.order("echo", json!({"do": order})).await,
            (StatusCode::INTERNAL_SERVER_ERROR, ERROR.to_owned())
        );
    }
    assert_eq!(fixture.order("echo", sleep(0)).await.1, before);
}

#[tokio::test]
async fn a_function_that_cannot_start_is_500_and_says_why_in_its_log() {
    let fixture = Fixture::start().await;
    assert_eq!(fixture.order("broken", json!({})).await, (StatusCode::INTERNAL_SERVER_ERROR, ERROR.to_owned()));
    let lines: Vec<_> = fixture.stack.logs().of("broken").into_iter().map(|line| line.text).collect();
    assert_eq!(lines, ["cannot start"]);
}

#[tokio::test]
async fn a_killed_instance_is_replaced() {
    let fixture = Fixture::start().await;
    let before = fixture.order("echo", sleep(0)).await.1;
    let under_way = fixture.order("echo", sleep(5_000));
    let kill = async {
        // The line that says the second instance is at work.
        fixture.stack.kill_instances("echo").await;
    };
    tokio::pin!(under_way);
    tokio::select! {
        answer = &mut under_way => panic!("{answer:?}"),
        () = tokio::time::sleep(std::time::Duration::from_millis(200)) => {}
    }
    kill.await;
    assert_eq!(under_way.await, (StatusCode::INTERNAL_SERVER_ERROR, ERROR.to_owned()));
    let (status, after) = fixture.order("echo", sleep(0)).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(before, after);
}

#[tokio::test]
async fn the_logs_of_a_call_are_complete_when_its_answer_is_there() {
    let fixture = Fixture::start().await;
    let (status, _) = fixture.order("echo", json!({"do": "log", "lines": 500})).await;
    assert_eq!(status, StatusCode::OK);
    let logs = fixture.stack.logs();
    assert_eq!((logs.entries("echo").len(), logs.metrics("echo").len()), (500, 1));
    let lines = logs.of("echo");
    let requests: BTreeSet<_> =
        lines.iter().filter(|line| line.json().is_some()).map(|line| &line.request_id).collect();
    assert_eq!(requests.len(), 1);
    assert!(requests.iter().all(|request| request.is_some()));
}

#[tokio::test]
async fn a_function_can_be_invoked_with_an_event() {
    let fixture = Fixture::start().await;
    let event = |order: &str| json!({"body": json!({"do": order, "answer": {"a": 1}}).to_string()}).to_string();
    let done = fixture.stack.invoke("echo", event("answer")).await.unwrap();
    assert_eq!((&done.payload[..], done.error, done.cold), (&br#"{"a":1}"#[..], None, true));
    let failed = fixture.stack.invoke("echo", event("fail")).await.unwrap();
    assert_eq!((failed.error, failed.cold), (Some(FunctionError::Reported), false));
    let crashed = fixture.stack.invoke("echo", event("exit")).await.unwrap();
    assert_eq!(crashed.error, Some(FunctionError::Crashed));
    let payload: Value = serde_json::from_slice(&crashed.payload).unwrap();
    assert_eq!(payload["errorType"], "Runtime.ExitError");
    let large = fixture.stack.invoke("echo", vec![b' '; local::functions::PAYLOAD_LIMIT + 1]).await;
    assert!(matches!(large, Err(InvokeError::EventTooLarge)));
    assert!(matches!(fixture.stack.invoke("nobody", "{}").await, Err(InvokeError::Unknown(_))));
}
