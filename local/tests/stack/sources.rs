use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use local::start_page::StartPage;
use local::{Counts, FireError, Invocation, StackOptions};
use serde_json::{Value, json};

use crate::support::Fixture;

/// Longer than anything here takes, even on a busy machine.
const LONG: Duration = Duration::from_secs(30);

struct Sources {
    fixture: Fixture,
    client: Client,
}

impl Sources {
    async fn new() -> Self {
        Self::with(|options| options).await
    }

    async fn with(change: impl FnOnce(StackOptions) -> StackOptions) -> Self {
        let fixture = Fixture::with(change).await;
        let client = Client::new(&fixture.sdk(&fixture.stack.aws().sqs));
        Self { fixture, client }
    }

    fn url(&self, queue: &str) -> &str {
        self.fixture.stack.queue_url(queue).unwrap()
    }

    /// Sends the orders while the queue's function does not receive, so that they come in one batch.
    async fn send_at_once(&self, function: &str, queue: &str, orders: &[Value]) {
        self.fixture.stack.pause_sources(function).await;
        for order in orders {
            self.send(queue, order).await;
        }
        self.fixture.stack.resume_sources(function);
    }

    async fn send(&self, queue: &str, order: &Value) {
        let send = self.client.send_message().queue_url(self.url(queue)).message_body(order.to_string());
        send.send().await.unwrap();
    }

    /// Waits for a batch that `wanted` accepts: its records, with `pid` and `at` of the invocation.
    async fn batch(&self, function: &str, wanted: impl Fn(&[Value]) -> bool) -> Value {
        let records = |json: &Value| json["records"].as_array().is_some_and(|records| wanted(records));
        let logs = self.fixture.stack.logs();
        let found = logs.wait_for(function, |line| line.json().is_some_and(|json| records(&json)));
        tokio::time::timeout(LONG, found).await.unwrap().json().unwrap()
    }

    /// Sizes of the batches so far.
    fn batches(&self, function: &str) -> Vec<usize> {
        let entries = self.fixture.stack.logs().entries(function);
        entries.iter().filter_map(|entry| Some(entry["records"].as_array()?.len())).collect()
    }

    async fn drained(&self, queue: &str) {
        assert!(self.fixture.stack.queue_drained(queue, LONG).await.unwrap(), "{queue} is not empty");
    }

    async fn counts(&self, queue: &str) -> Counts {
        self.fixture.stack.queue_counts(queue).await.unwrap()
    }
}

fn receives(record: &Value) -> u32 {
    record["attributes"]["ApproximateReceiveCount"].as_str().unwrap().parse().unwrap()
}

fn number(value: &Value) -> i64 {
    value.as_str().map_or_else(|| value.as_i64().unwrap(), |text| text.parse().unwrap())
}

#[tokio::test]
async fn messages_come_as_lambda_gives_them_and_are_deleted() {
    let sources = Sources::new().await;
    let queue = sources.url("Jobs");
    let attribute = MessageAttributeValue::builder().data_type("String").string_value("v").build().unwrap();
    let trace = "Root=1-65f0c0de-0123456789abcdef01234567";
    let header = MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build().unwrap();
    let send = sources.client.send_message().queue_url(queue).message_body("body").message_attributes("k", attribute);
    let sent = send.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, header).send();
    let sent = sent.await.unwrap();
    let batch = sources.batch("worker", |_| true).await;
    let mut record = batch["records"][0].clone();
    let handle = record["receiptHandle"].take();
    let times = ["SentTimestamp", "ApproximateFirstReceiveTimestamp"].map(|name| record["attributes"][name].take());
    let expected = json!({
        "messageId": sent.message_id().unwrap(),
        "receiptHandle": null,
        "body": "body",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": null,
            "SenderId": "000000000000",
            "ApproximateFirstReceiveTimestamp": null,
            "AWSTraceHeader": trace,
        },
        "messageAttributes": {
            "k": {"stringValue": "v", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        },
        "md5OfBody": "841a2d689ad86bd1611447453c22c6fc",
        "md5OfMessageAttributes": sent.md5_of_message_attributes().unwrap(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:local-Jobs",
        "awsRegion": "us-east-1",
    });
    assert_eq!(record, expected);
    assert!(handle.is_string());
    assert!(number(&times[0]) <= number(&times[1]) && number(&times[1]) <= number(&batch["at"]), "{times:?}");
    sources.drained("Jobs").await;
}

#[tokio::test]
async fn a_paused_function_gets_nothing_and_then_full_batches() {
    let sources = Sources::new().await;
    sources.fixture.stack.pause_sources("worker").await;
    for _ in 0..25 {
        sources.send("Jobs", &json!({})).await;
    }
    assert_eq!(sources.counts("Jobs").await, Counts { visible: 25, in_flight: 0, delayed: 0 });
    assert!(!sources.fixture.stack.queue_drained("Jobs", Duration::ZERO).await.unwrap());
    sources.fixture.stack.resume_sources("worker");
    sources.drained("Jobs").await;
    let mut batches = sources.batches("worker");
    batches.sort_unstable();
    assert_eq!(batches, [5, 10, 10]);
}

#[tokio::test]
async fn a_batch_is_collected_until_its_window_ends_or_it_is_full() {
    let sources = Sources::new().await;
    for _ in 0..3 {
        sources.send("Whole", &json!({})).await;
    }
    sources.drained("Whole").await;
    assert_eq!(sources.batches("whole"), [3]);
    sources.fixture.stack.logs().clear();
    sources.send_at_once("whole", "Whole", &vec![json!({}); 15]).await;
    sources.drained("Whole").await;
    assert_eq!(sources.batches("whole"), [12, 3]);
}

#[tokio::test]
async fn a_batch_fits_into_an_event() {
    let sources = Sources::new().await;
    // Ten of these are over 6 MB as JSON, in which each byte of theirs takes two.
    let body = "\"".repeat(400_000);
    sources.fixture.stack.pause_sources("worker").await;
    for n in 0..10 {
        let entry = SendMessageBatchRequestEntry::builder().id(n.to_string()).message_body(&body).build().unwrap();
        sources.client.send_message_batch().queue_url(sources.url("Jobs")).entries(entry).send().await.unwrap();
    }
    sources.fixture.stack.resume_sources("worker");
    sources.drained("Jobs").await;
    let mut batches = sources.batches("worker");
    batches.sort_unstable();
    assert_eq!(batches, [3, 7]);
}

#[tokio::test]
async fn a_batch_that_is_being_collected_takes_no_message_that_does_not_fit() {
    let sources = Sources::new().await;
    // Six of these fit.
    for _ in 0..7 {
        let send = sources.client.send_message().queue_url(sources.url("Whole")).message_body("\"".repeat(500_000));
        send.send().await.unwrap();
    }
    sources.drained("Whole").await;
    // An event that is too large would make all of them come again.
    assert_eq!(sources.batches("whole").iter().sum::<usize>(), 7);
}

#[tokio::test]
async fn only_the_messages_that_failed_come_again() {
    let sources = Sources::with(|options| options.parameter("JobsVisibility", "2")).await;
    let failing = json!({"do": "fail_item", "times": 1});
    sources.send_at_once("worker", "Jobs", &[json!({"n": 1}), failing.clone(), json!({"n": 2})]).await;
    let second = sources.batch("worker", |records| receives(&records[0]) == 2).await;
    assert_eq!(second["records"].as_array().unwrap().len(), 1);
    assert_eq!(second["records"][0]["body"], failing.to_string());
    assert!(
        number(&second["at"]) - number(&second["records"][0]["attributes"]["ApproximateFirstReceiveTimestamp"])
            >= 2_000
    );
    sources.drained("Jobs").await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_understood_fails_the_batch() {
    let sources = Sources::with(|options| options.parameter("JobsVisibility", "2")).await;
    let answer = json!({"batchItemFailures": [{"itemIdentifier": ""}]});
    let order = json!({"do": "answer", "times": 1, "answer": answer});
    sources.send_at_once("worker", "Jobs", &[order, json!({"times": 1})]).await;
    sources.batch("worker", |records| records.len() == 2 && records.iter().all(|record| receives(record) == 2)).await;
    sources.drained("Jobs").await;
}

#[tokio::test]
async fn without_reported_failures_a_batch_is_done_or_not_as_a_whole() {
    let sources = Sources::new().await;
    // What fails here is not listened to.
    sources.send_at_once("whole", "Whole", &[json!({"do": "fail_item"}), json!({})]).await;
    sources.drained("Whole").await;
    assert_eq!(sources.batches("whole"), [2]);
    for order in ["fail", "exit"] {
        sources.fixture.stack.logs().clear();
        sources.send_at_once("whole", "Whole", &[json!({}), json!({"do": order, "times": 1})]).await;
        sources
            .batch("whole", |records| records.len() == 2 && records.iter().all(|record| receives(record) == 2))
            .await;
        sources.drained("Whole").await;
    }
}

#[tokio::test]
async fn a_crash_or_a_timeout_leaves_the_messages_to_their_visibility() {
    for order in [json!({"do": "exit", "times": 1}), json!({"do": "sleep", "ms": 60_000, "times": 1})] {
        let sources = Sources::with(|options| options.parameter("JobsVisibility", "3")).await;
        sources.send_at_once("worker", "Jobs", &[json!({}), order]).await;
        let second = sources.batch("worker", |records| receives(&records[0]) == 2).await;
        let first = number(&second["records"][0]["attributes"]["ApproximateFirstReceiveTimestamp"]);
        assert!(number(&second["at"]) - first >= 3_000);
        sources.drained("Jobs").await;
    }
}

#[tokio::test]
async fn a_visibility_that_the_function_set_is_kept() {
    let sources = Sources::new().await;
    sources.send("Jobs", &json!({"do": "fail_item", "times": 1, "visibility": 1})).await;
    // The queue's own is a minute, longer than this waits.
    sources.batch("worker", |records| receives(&records[0]) == 2).await;
    sources.drained("Jobs").await;
}

#[tokio::test]
async fn a_message_that_failed_too_often_comes_to_the_dead_letters_own_mapping() {
    let sources = Sources::new().await;
    sources.send("Jobs", &json!({"do": "fail_item", "visibility": 0})).await;
    sources.drained("Jobs").await;
    let dead =
        sources.batch("worker", |records| records[0]["attributes"].get("DeadLetterQueueSourceArn").is_some()).await;
    let record = &dead["records"][0];
    assert_eq!(record["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:local-DeadJobs");
    assert_eq!(record["attributes"]["DeadLetterQueueSourceArn"], "arn:aws:sqs:us-east-1:000000000000:local-Jobs");
    sources.drained("DeadJobs").await;
    assert_eq!(sources.counts("Jobs").await, Counts::default());
    assert_eq!(sources.batches("worker"), [1, 1, 1]);
}

#[tokio::test]
async fn no_more_invocations_at_once_than_the_mapping_may_have() {
    let sources = Sources::with(|options| options.parameter("JobsBatchSize", "1")).await;
    sources.send_at_once("worker", "Jobs", &vec![json!({"do": "sleep", "ms": 100}); 12]).await;
    sources.drained("Jobs").await;
    let entries = sources.fixture.stack.logs().entries("worker");
    let pids: BTreeSet<i64> = entries.iter().filter_map(|entry| entry["pid"].as_i64()).collect();
    assert_eq!((sources.batches("worker").len(), pids.len()), (12, 2));
}

#[tokio::test]
async fn a_disabled_mapping_receives_once_it_is_resumed() {
    let sources = Sources::new().await;
    sources.send("Disabled", &json!({})).await;
    sources.send("Jobs", &json!({})).await;
    sources.drained("Jobs").await;
    assert_eq!(sources.counts("Disabled").await, Counts { visible: 1, in_flight: 0, delayed: 0 });
    sources.fixture.stack.resume_sources("worker");
    sources.drained("Disabled").await;
}

#[tokio::test]
async fn a_batch_under_way_ends_before_the_stack_does_and_no_other_begins() {
    let directory = tempfile::tempdir().unwrap();
    let data = |options: StackOptions| StackOptions {
        data_dir: Some(directory.path().to_owned()),
        ..options.parameter("JobsBatchSize", "1")
    };
    let sources = Sources::with(data).await;
    sources.send_at_once("worker", "Jobs", &vec![json!({"do": "sleep", "ms": 700}); 5]).await;
    sources.batch("worker", |_| true).await;
    let logs = sources.fixture.stack.logs().clone();
    sources.fixture.stack.shutdown().await;
    let entries = logs.entries("worker");
    let begun = entries.iter().filter(|entry| entry["records"].is_array()).count();
    let ended = entries.iter().filter(|entry| entry["done"].is_number()).count();
    assert!(begun == ended && begun <= 2, "{begun} begun, {ended} ended");
    let again = Sources::with(data).await;
    again.drained("Jobs").await;
    assert_eq!(again.batches("worker").iter().sum::<usize>(), 5 - ended);
}

#[tokio::test]
async fn a_schedule_is_fired_by_hand_with_its_input() {
    let sources = Sources::new().await;
    let stack = &sources.fixture.stack;
    assert_eq!(stack.schedules(), ["Nightly", "Rule", "Sweep"]);
    let Invocation { payload, error, .. } = stack.fire("Sweep").await.unwrap();
    assert_eq!((&payload[..], error), (&br#""swept""#[..], None));
    for (id, source, resource, detail) in [
        ("Nightly", "aws.scheduler", "arn:aws:scheduler:us-east-1:000000000000:schedule/default/nightly", json!("{}")),
        ("Rule", "aws.events", "arn:aws:events:us-east-1:000000000000:rule/WorkerFunctionRule", json!({})),
    ] {
        let answer: Value = serde_json::from_slice(&stack.fire(id).await.unwrap().payload).unwrap();
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        let event = &body["event"];
        assert_eq!(event["detail-type"], "Scheduled Event");
        assert_eq!((&event["source"], &event["resources"]), (&json!(source), &json!([resource])));
        assert_eq!(event["detail"], detail);
    }
    let error = stack.fire("Sweeep").await.unwrap_err();
    assert!(matches!(error, FireError::Unknown { .. }));
    assert_eq!(error.to_string(), "there is no schedule Sweeep; there are: Nightly, Rule, Sweep");
}

#[tokio::test]
async fn the_start_page_says_what_invokes_functions_beside_http() {
    let sources = Sources::new().await;
    let page = StartPage { stack: &sources.fixture.stack, colour: false }.to_string();
    let (_, listed) = page.split_once("Queues and schedules\n").unwrap();
    let lines: Vec<Vec<&str>> =
        listed.lines().take_while(|line| !line.is_empty()).map(|line| line.split_whitespace().collect()).collect();
    let expected = [
        "Whole local-Whole whole",
        "DeadJobs local-DeadJobs worker",
        "Disabled local-Disabled worker (disabled)",
        "Jobs local-Jobs worker",
        "Nightly cron(0 3 * * ? *) worker (disabled)",
        "Rule rate(2 hours) worker",
        "Sweep rate(1 minute) worker",
    ];
    let lines: Vec<String> = lines.iter().map(|words| words.join(" ")).collect();
    assert_eq!(lines, expected);
}
