//! The function that the crate's own tests run: it does what the event's body tells it to.
//!
//! The body is `{"do": "…", …}`; without one, the answer holds the event and the environment as the function sees them.
//! In a batch of messages each has a body of its own; see [`message`].

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use base64::prelude::{BASE64_STANDARD, Engine};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if environment().contains_key("FAIL_AT_START") {
        eprintln!("cannot start");
        std::process::exit(7);
    }
    println!("starting");
    lambda_runtime::spawn_graceful_shutdown_handler(|| async { println!("ending in order") }).await;
    lambda_runtime::run(service_fn(handle)).await
}

fn environment() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

#[expect(clippy::panic, reason = "a function may, and the stack has to bear it")]
async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    if let Some(records) = event.payload["Records"].as_array() {
        println!("{}", json!({"records": records, "pid": std::process::id(), "at": now_ms()}));
        return batch(records).await;
    }
    let order = order(&event.payload);
    let number = |name: &str| order[name].as_u64().unwrap_or_default();
    match order["do"].as_str().unwrap_or_default() {
        "sleep" => {
            println!("asleep");
            tokio::time::sleep(Duration::from_millis(number("ms"))).await;
        }
        "exit" => std::process::exit(3),
        "panic" => panic!("as ordered"),
        "fail" => return Err("as ordered".into()),
        "large" => return Ok(json!("x".repeat(usize::try_from(number("bytes"))?))),
        "answer" => return Ok(order["answer"].clone()),
        "log" => {
            for n in 0..number("lines") {
                println!("{}", json!({"level": "INFO", "message": "line", "n": n}));
            }
            println!("{}", json!({"_aws": {"CloudWatchMetrics": []}, "count": 1}));
        }
        "in_sequence" => dynamodb(number("calls"), false).await?,
        "at_once" => dynamodb(number("calls"), true).await?,
        "presign" => return Ok(json!({"statusCode": 200, "body": presigned().await?})),
        _ => {
            let body = json!({
                "event": event.payload,
                "environment": environment(),
                "pid": std::process::id(),
                "deadline": event.context.deadline,
                "arn": event.context.invoked_function_arn,
                "trace": event.context.xray_trace_id,
            });
            let headers =
                json!({"content-type": "application/json", "access-control-allow-origin": "https://own.example"});
            return Ok(
                json!({"statusCode": 200, "headers": headers, "cookies": ["a=1", "b=2"], "body": body.to_string()}),
            );
        }
    }
    Ok(json!({"statusCode": 200, "body": format!("{}", std::process::id())}))
}

/// The answer to a batch: which messages failed, unless one of them says what to answer.
async fn batch(records: &[Value]) -> Result<Value, Error> {
    let (mut answer, mut failures) = (None, Vec::new());
    for record in records {
        match message(record).await? {
            Value::Null => {}
            Value::Bool(_) => failures.push(json!({"itemIdentifier": record["messageId"]})),
            other => answer = Some(other),
        }
    }
    println!("{}", json!({"done": records.len()}));
    Ok(answer.unwrap_or_else(|| json!({"batchItemFailures": failures})))
}

/// Does what the message says, unless it was received more often than its `times`: null if it is done, true if it failed,
/// else what to answer to the batch. With `visibility` it sets when a message that fails comes again.
async fn message(record: &Value) -> Result<Value, Error> {
    let order: Value = serde_json::from_str(record["body"].as_str().unwrap_or_default()).unwrap_or_default();
    let receives: u64 = record["attributes"]["ApproximateReceiveCount"].as_str().unwrap_or_default().parse()?;
    let is_dead = record["attributes"].get("DeadLetterQueueSourceArn").is_some();
    if is_dead || order["times"].as_u64().is_some_and(|times| receives > times) {
        return Ok(Value::Null);
    }
    match order["do"].as_str().unwrap_or_default() {
        "sleep" => tokio::time::sleep(Duration::from_millis(order["ms"].as_u64().unwrap_or_default())).await,
        "exit" => std::process::exit(3),
        "fail" => return Err("as ordered".into()),
        "answer" => return Ok(order["answer"].clone()),
        "fail_item" => {
            if let Some(visibility) = order["visibility"].as_i64() {
                change_visibility(record, i32::try_from(visibility)?).await?;
            }
            return Ok(Value::Bool(true));
        }
        _ => {}
    }
    Ok(Value::Null)
}

async fn change_visibility(record: &Value, visibility: i32) -> Result<(), Error> {
    let client = aws_sdk_sqs::Client::new(&config().await);
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    let queue = text("eventSourceARN").rsplit(':').next().unwrap_or_default();
    let url = client.get_queue_url().queue_name(queue).send().await?.queue_url.unwrap_or_default();
    let change = client.change_message_visibility().queue_url(url).receipt_handle(text("receiptHandle"));
    change.visibility_timeout(visibility).send().await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the fixture has no Context")]
fn now_ms() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

fn order(event: &Value) -> Value {
    let body = event["body"].as_str().unwrap_or_default();
    let bytes = match event["isBase64Encoded"].as_bool() {
        Some(true) => BASE64_STANDARD.decode(body).unwrap_or_default(),
        _ => body.as_bytes().to_vec(),
    };
    serde_json::from_slice(&bytes).unwrap_or_default()
}

async fn config() -> SdkConfig {
    aws_config::load_defaults(BehaviorVersion::latest()).await
}

async fn dynamodb(calls: u64, at_once: bool) -> Result<(), Error> {
    let client = aws_sdk_dynamodb::Client::new(&config().await);
    let table = environment().remove("TABLE").unwrap_or_default();
    let puts = (0..calls).map(|n| {
        let key = AttributeValue::S(n.to_string());
        client.put_item().table_name(&table).item("key", key).send()
    });
    if at_once {
        futures::future::try_join_all(puts).await?;
        return Ok(());
    }
    for put in puts {
        put.await?;
    }
    Ok(())
}

/// Puts an object and signs a URL for reading it.
async fn presigned() -> Result<String, Error> {
    let client = aws_sdk_s3::Client::new(&config().await);
    let bucket = environment().remove("BUCKET").unwrap_or_default();
    let body = ByteStream::from_static(b"<p>report</p>");
    client.put_object().bucket(&bucket).key("reports/a b.html").content_type("text/html").body(body).send().await?;
    let expires = PresigningConfig::expires_in(Duration::from_secs(900))?;
    let signed = client.get_object().bucket(&bucket).key("reports/a b.html").presigned(expires).await?;
    Ok(signed.uri().to_owned())
}
