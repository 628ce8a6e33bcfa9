use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};

use crate::support::Fixture;

pub struct Queue {
    pub fixture: Fixture,
    pub client: Client,
    pub url: String,
}

impl Queue {
    pub async fn new() -> Self {
        let fixture = Fixture::start().await;
        let client = Client::new(&fixture.sdk(&fixture.stack.aws().sqs));
        let url = fixture.stack.queue_url("Queue").unwrap().to_owned();
        Self { fixture, client, url }
    }

    pub async fn send(&self, body: &str) {
        self.client.send_message().queue_url(&self.url).message_body(body).send().await.unwrap();
    }

    pub async fn receive(&self, url: &str, visibility: i32) -> Vec<aws_sdk_sqs::types::Message> {
        let receive = self.client.receive_message().queue_url(url).visibility_timeout(visibility);
        let receive =
            receive.max_number_of_messages(10).message_system_attribute_names(MessageSystemAttributeName::All);
        receive.send().await.unwrap().messages.unwrap_or_default()
    }

    pub async fn counts(&self) -> [String; 3] {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let ask = self.client.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(names.to_vec()));
        let answer = ask.send().await.unwrap().attributes.unwrap();
        names.map(|name| answer[&name].clone())
    }
}

#[tokio::test]
async fn a_message_is_sent_received_hidden_and_deleted() {
    let queue = Queue::new().await;
    queue.send("one").await;
    assert_eq!(queue.counts().await, ["1", "0", "0"]);
    let received = queue.receive(&queue.url, 30).await;
    let message = &received[0];
    assert_eq!((message.body(), message.md5_of_body()), (Some("one"), Some("f97c5d29941bfb1b2fdab0874906ab82")));
    let attributes = message.attributes().unwrap();
    assert_eq!(attributes[&MessageSystemAttributeName::ApproximateReceiveCount], "1");
    assert!(queue.receive(&queue.url, 30).await.is_empty());
    assert_eq!(queue.counts().await, ["0", "1", "0"]);
    let handle = message.receipt_handle().unwrap();
    queue.client.delete_message().queue_url(&queue.url).receipt_handle(handle).send().await.unwrap();
    assert_eq!(queue.counts().await, ["0", "0", "0"]);
}

#[tokio::test]
async fn an_old_receipt_deletes_nothing_and_a_broken_one_is_an_error() {
    let queue = Queue::new().await;
    queue.send("one").await;
    let old = queue.receive(&queue.url, 0).await.remove(0).receipt_handle.unwrap();
    assert_eq!(queue.receive(&queue.url, 30).await.len(), 1);
    queue.client.delete_message().queue_url(&queue.url).receipt_handle(old).send().await.unwrap();
    assert_eq!(queue.counts().await, ["0", "1", "0"]);
    let error = queue.client.delete_message().queue_url(&queue.url).receipt_handle("?").send().await.unwrap_err();
    assert!(error.into_service_error().is_receipt_handle_is_invalid());
}

#[tokio::test]
async fn visibility_can_be_changed() {
    let queue = Queue::new().await;
    queue.send("one").await;
    let handle = queue.receive(&queue.url, 30).await.remove(0).receipt_handle.unwrap();
    let change = |seconds| {
        queue
            .client
            .change_message_visibility()
            .queue_url(&queue.url)
            .receipt_handle(&handle)
            .visibility_timeout(seconds)
    };
    change(0).send().await.unwrap();
    assert_eq!(queue.counts().await, ["1", "0", "0"]);
    let error = change(10).send().await.unwrap_err();
    assert_eq!(error.into_service_error().code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn long_polling_ends_with_the_first_message() {
    let queue = Queue::new().await;
    let start = Instant::now();
    let receive = queue.client.receive_message().queue_url(&queue.url).wait_time_seconds(20).send();
    let send = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        queue.send("late").await;
    };
    let (received, ()) = futures::future::join(receive, send).await;
    assert_eq!(received.unwrap().messages().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn long_polling_sees_a_message_that_becomes_visible() {
    let queue = Queue::new().await;
    queue.client.send_message().queue_url(&queue.url).message_body("m").delay_seconds(1).send().await.unwrap();
    assert_eq!(queue.counts().await, ["0", "0", "1"]);
    let start = Instant::now();
    let received = queue.client.receive_message().queue_url(&queue.url).wait_time_seconds(20).send().await.unwrap();
    assert_eq!(received.messages().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letters() {
    let queue = Queue::new().await;
    let dead = queue.fixture.stack.queue_url("DeadLetters").unwrap().to_owned();
    queue.send("poison").await;
    for _ in 0..2 {
        assert_eq!(queue.receive(&queue.url, 0).await.len(), 1);
        assert!(queue.receive(&dead, 0).await.is_empty());
    }
    assert!(queue.receive(&queue.url, 0).await.is_empty());
    let received = queue.receive(&dead, 0).await;
    assert_eq!(received[0].body(), Some("poison"));
    let source = &received[0].attributes().unwrap()[&MessageSystemAttributeName::DeadLetterQueueSourceArn];
    assert!(source.ends_with(":local-Queue"), "{source}");
}

#[tokio::test]
async fn a_batch_is_checked_as_a_whole_and_entry_by_entry() {
    let queue = Queue::new().await;
    let entry =
        |id: &str, body: &str| SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap();
    let send = |entries| queue.client.send_message_batch().queue_url(&queue.url).set_entries(Some(entries)).send();
    let answer = send(vec![entry("a", "1"), entry("b", "")]).await.unwrap();
    assert_eq!((answer.successful()[0].id(), answer.failed()[0].id()), ("a", "b"));
    let half = "x".repeat(600_000);
    for (entries, code) in [
        (vec![], "EmptyBatchRequest"),
        ((0..11).map(|n| entry(&n.to_string(), "x")).collect(), "TooManyEntriesInBatchRequest"),
        (vec![entry("a", "1"), entry("a", "2")], "BatchEntryIdsNotDistinct"),
        (vec![entry("a b", "1")], "InvalidBatchEntryId"),
        (vec![entry("a", &half), entry("b", &half)], "BatchRequestTooLong"),
    ] {
        let error = send(entries).await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some(format!("AWS.SimpleQueueService.{code}").as_str()));
    }
}

#[tokio::test]
async fn sizes_are_limited_and_attributes_travel() {
    let queue = Queue::new().await;
    let limit = 1_048_576;
    queue.send(&"x".repeat(limit)).await;
    let over = queue.client.send_message().queue_url(&queue.url).message_body("x".repeat(limit + 1)).send().await;
    assert_eq!(over.unwrap_err().into_service_error().code(), Some("InvalidParameterValue"));
    let control = queue.client.send_message().queue_url(&queue.url).message_body("a\u{1}").send().await;
    assert!(control.unwrap_err().into_service_error().is_invalid_message_contents());
    queue.client.purge_queue().queue_url(&queue.url).send().await.unwrap();
    let attribute = MessageAttributeValue::builder().data_type("String").string_value("v").build().unwrap();
    queue
        .client
        .send_message()
        .queue_url(&queue.url)
        .message_body("m")
        .message_attributes("k", attribute)
        .send()
        .await
        .unwrap();
    let receive =
        queue.client.receive_message().queue_url(&queue.url).message_attribute_names("All").send().await.unwrap();
    assert_eq!(receive.messages()[0].message_attributes().unwrap()["k"].string_value(), Some("v"));
}

#[tokio::test]
async fn an_unknown_queue_is_the_services_own_error() {
    let queue = Queue::new().await;
    let url = format!("{}-nothing", queue.url);
    let error = queue.client.get_queue_attributes().queue_url(url).send().await.unwrap_err().into_service_error();
    assert!(error.is_queue_does_not_exist(), "{error:?}");
    let found = queue.client.get_queue_url().queue_name("local-Queue").send().await.unwrap();
    assert_eq!(found.queue_url(), Some(queue.url.as_str()));
}
