use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use local::{Stack, StackFile};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::support::{Fixture, binaries, example, json_of, options, template};

#[tokio::test]
async fn several_stacks_run_at_once_and_share_nothing() {
    let (one, two) = futures::future::join(Fixture::start(), Fixture::start()).await;
    let put = aws_sdk_dynamodb::Client::new(&one.sdk(&one.stack.aws().dynamodb));
    let table = one.stack.table("Table").unwrap();
    put.put_item().table_name(table).item("key", AttributeValue::S("k".to_owned())).send().await.unwrap();
    let other = aws_sdk_dynamodb::Client::new(&two.sdk(&two.stack.aws().dynamodb));
    assert_eq!(other.scan().table_name(table).send().await.unwrap().count, 0);
}

#[tokio::test]
async fn data_is_kept_in_a_data_directory() {
    let (directory, binaries) = (tempfile::tempdir().unwrap(), binaries());
    for round in 0..2 {
        let fixture = Fixture::with(|options| local::StackOptions {
            data_dir: Some(directory.path().join("data")),
            binaries: local::Binaries::In(binaries.path().to_owned()),
            ..options
        })
        .await;
        let dynamodb = aws_sdk_dynamodb::Client::new(&fixture.sdk(&fixture.stack.aws().dynamodb));
        let table = fixture.stack.table("Table").unwrap();
        assert_eq!(dynamodb.scan().table_name(table).send().await.unwrap().count, round);
        dynamodb.put_item().table_name(table).item("key", AttributeValue::S("k".to_owned())).send().await.unwrap();
        let sqs = aws_sdk_sqs::Client::new(&fixture.sdk(&fixture.stack.aws().sqs));
        let queue = fixture.stack.queue_url("Queue").unwrap();
        let received = sqs.receive_message().queue_url(queue).send().await.unwrap();
        assert_eq!(received.messages().len(), usize::try_from(round).unwrap());
        sqs.send_message().queue_url(queue).message_body("m").send().await.unwrap();
        fixture.stack.shutdown().await;
    }
}

#[tokio::test]
async fn a_request_under_way_ends_before_the_stack_does() {
    let Fixture { stack, client, binaries: _binaries } = Fixture::start().await;
    let url = format!("{}/echo", stack.base_url());
    let logs = stack.logs().clone();
    let request = tokio::spawn({
        let (client, url) = (client.clone(), url.clone());
        async move { client.post(url).body(json!({"do": "sleep", "ms": 700}).to_string()).send().await }
    });
    logs.wait_for("echo", |line| line.text == "asleep").await;
    stack.shutdown().await;
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
    assert!(client.post(url).send().await.is_err());
    assert!(logs.of("echo").iter().any(|line| line.text == "ending in order"));
}

#[tokio::test]
async fn no_instance_outlives_a_stack_that_is_dropped() {
    let Fixture { stack, client, binaries: _binaries } = Fixture::start().await;
    let answer = json_of(client.get(format!("{}/echo/1", stack.base_url())).send().await.unwrap()).await;
    let instance = answer["pid"].to_string();
    assert!(is_running(&instance));
    drop(stack);
    until("the instance is still there", || !is_running(&instance)).await;
}

#[tokio::test]
async fn the_stack_file_says_how_to_reach_the_stack_and_goes_with_it() {
    let (directory, binaries) = (tempfile::tempdir().unwrap(), binaries());
    let stack = Stack::start(options(binaries.path())).await.unwrap();
    let path = directory.path().join("local/stack.json");
    let file = StackFile::write(&path, &stack).unwrap();
    let content: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(content["base_url"], json!(stack.base_url()));
    assert_eq!(content["tokens"]["user"], json!(stack.token("user")));
    assert_eq!(content["queues"]["Queue"], json!(stack.queue_url("Queue").unwrap()));
    drop(file);
    assert!(!path.exists());
}

#[tokio::test]
async fn nothing_is_left_of_a_stack_that_is_killed() {
    let binaries = binaries();
    let mut stack = Command::new(example("waiting_stack"))
        .arg(template())
        .arg(binaries.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(stack.stdout.take().unwrap()).lines();
    let (instance, files) = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some((instance, files)) = line.strip_prefix("instance=").and_then(|rest| rest.split_once(' ')) {
            break (instance.to_owned(), files.to_owned());
        }
    };
    assert!(is_running(&instance) && Path::new(&files).exists());
    stack.kill().await.unwrap();
    until("the instance is still there", || !is_running(&instance)).await;
    until("the files are still there", || !Path::new(&files).exists()).await;
}

/// A process that has ended may stay in the table until its new parent asks for its status.
fn is_running(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status.rsplit(')').next().and_then(|rest| rest.split_whitespace().next().map(str::to_owned));
    state.is_some_and(|state| state != "Z")
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
