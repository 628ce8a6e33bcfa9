use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    types::AttributeValue,
};
use futures::FutureExt;

use super::*;
use crate::telemetry::{Captured, RequestRecord, fake_dynamodb};

async fn timed(answer: Option<(u16, &'static str)>) -> (Client, Metrics, Captured) {
    let (metrics, captured) = Metrics::capture();
    let config = fake_dynamodb::start(move |_| answer.map(|(status, body)| (status, body.to_owned()))).await;
    let config = aws_sdk_dynamodb::config::Builder::from(&config)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_millis(200)).build())
        .interceptor(SdkTimer::new(metrics.clone()))
        .build();
    (Client::from_conf(config), metrics, captured)
}

fn get(client: &Client) -> impl Future<Output = bool> {
    let get = client.get_item().table_name("control").key("key", AttributeValue::S("a".into()));
    async { get.send().await.is_ok() }
}

/// Calls and errors that the next record tells of.
fn recorded(metrics: &Metrics, captured: &Captured) -> (f64, f64) {
    let (correlation_id, request_id) = ("corr-1", "req-1");
    let (duration, cold_start) = (Duration::ZERO, false);
    metrics.request(RequestRecord { route: "a", correlation_id, request_id, status: 200, duration, cold_start });
    (captured.sum("dynamodb_calls"), captured.sum("dynamodb_errors"))
}

#[tokio::test]
async fn a_call_is_timed_and_a_condition_that_does_not_hold_is_no_failure() {
    for (answer, ok, errors) in [
        ((200, "{}"), true, 0.0),
        ((400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}"#), false, 0.0),
        (
            (
                400,
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                    "CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed"}]}"#,
            ),
            false,
            0.0,
        ),
        ((400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#), false, 1.0),
        ((500, "{}"), false, 1.0),
    ] {
        let (client, metrics, captured) = timed(Some(answer)).await;
        assert_eq!(get(&client).await, ok, "{answer:?}");
        drop(client);
        assert_eq!(recorded(&metrics, &captured), (1.0, errors), "{answer:?}");
        assert!(captured.sum("dynamodb_latency") > 0.0);
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_a_failed_one() {
    let (client, metrics, captured) = timed(None).await;
    assert!(!get(&client).await);
    assert_eq!(recorded(&metrics, &captured), (1.0, 1.0));
}

#[tokio::test]
async fn a_call_that_its_caller_gives_up_is_a_failed_one() {
    let (client, metrics, captured) = timed(None).await;
    assert_eq!(get(&client).now_or_never(), None);
    assert_eq!(recorded(&metrics, &captured), (1.0, 1.0));
}
