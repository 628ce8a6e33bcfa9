//! The function that the crate's own tests run: it does what the event's body tells it to.
//!
//! The body is `{"do": "…", …}`; without one, the answer holds the event and the environment as the function sees them.

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
