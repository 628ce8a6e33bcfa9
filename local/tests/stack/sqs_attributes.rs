use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::QueueAttributeName::{self, *};

use crate::sqs::Queue;

impl Queue {
    /// The error's code, where there is one.
    async fn set(&self, name: QueueAttributeName, value: &str) -> Result<(), String> {
        let set = self.client.set_queue_attributes().queue_url(&self.url).attributes(name, value).send().await;
        set.map(drop).map_err(|error| error.into_service_error().code().unwrap().to_owned())
    }

    async fn get(&self, name: QueueAttributeName) -> Option<String> {
        let get = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(name.clone());
        get.send().await.unwrap().attributes.unwrap_or_default().remove(&name)
    }
}

#[tokio::test]
async fn all_attributes_of_a_queue_can_be_asked_for() {
    let queue = Queue::new().await;
    let get = queue.client.get_queue_attributes().queue_url(&queue.url).attribute_names(All);
    let all = get.send().await.unwrap().attributes.unwrap();
    let mut names: Vec<_> = all.keys().map(QueueAttributeName::as_str).collect();
    names.sort_unstable();
    let expected = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "CreatedTimestamp",
        "DelaySeconds",
        "LastModifiedTimestamp",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "QueueArn",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    ];
    assert_eq!(names, expected);
    assert_eq!(all[&RedriveAllowPolicy], r#"{"redrivePermission":"denyAll"}"#);
    assert_eq!(queue.get(Policy).await, None);
    let unknown = queue.client.get_queue_attributes().queue_url(&queue.url).attribute_names("Colour".into());
    assert!(unknown.send().await.unwrap_err().into_service_error().is_invalid_attribute_name());
}

#[tokio::test]
async fn attributes_that_are_set_hold_from_then_on() {
    let queue = Queue::new().await;
    for (name, value) in [
        (VisibilityTimeout, "77"),
        (MessageRetentionPeriod, "1209600"),
        (ReceiveMessageWaitTimeSeconds, "1"),
        (MaximumMessageSize, "1024"),
        (DelaySeconds, "900"),
    ] {
        queue.set(name.clone(), value).await.unwrap();
        assert_eq!(queue.get(name).await.as_deref(), Some(value));
    }
    queue.send("late").await;
    assert_eq!(queue.counts().await, ["0", "0", "1"]);
    let large = queue.client.send_message().queue_url(&queue.url).message_body("x".repeat(1_025)).send().await;
    assert_eq!(large.unwrap_err().into_service_error().code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn without_its_redrive_policy_a_queue_keeps_its_messages() {
    let queue = Queue::new().await;
    queue.set(RedrivePolicy, "").await.unwrap();
    assert_eq!(queue.get(RedrivePolicy).await, None);
    queue.send("poison").await;
    for _ in 0..5 {
        assert_eq!(queue.receive(&queue.url, 0).await.len(), 1);
    }
    let policy =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:local-DeadLetters","maxReceiveCount":"3"}"#;
    queue.set(RedrivePolicy, policy).await.unwrap();
    assert!(queue.receive(&queue.url, 0).await.is_empty());
    assert_eq!(queue.fixture.stack.queue_counts("DeadLetters").await.unwrap().visible, 1);
}

#[tokio::test]
async fn attributes_that_make_no_sense_are_refused() {
    let queue = Queue::new().await;
    let policy = |target: &str, count: &str| {
        format!(r#"{{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:{target}","maxReceiveCount":{count}}}"#)
    };
    for (name, value, code) in [
        (VisibilityTimeout, "43201", "InvalidAttributeValue"),
        (VisibilityTimeout, "soon", "InvalidAttributeValue"),
        (DelaySeconds, "901", "InvalidAttributeValue"),
        (MessageRetentionPeriod, "59", "InvalidAttributeValue"),
        (MaximumMessageSize, "1048577", "InvalidAttributeValue"),
        (ReceiveMessageWaitTimeSeconds, "21", "InvalidAttributeValue"),
        (RedrivePolicy, "{}", "InvalidParameterValue"),
        (RedrivePolicy, &policy("local-Nothing", "3"), "InvalidParameterValue"),
        (RedrivePolicy, &policy("local-DeadLetters", "0"), "InvalidParameterValue"),
        // It takes nobody's dead letters.
        (RedrivePolicy, &policy("local-Queue", "3"), "InvalidParameterValue"),
        (RedriveAllowPolicy, r#"{"redrivePermission":"some"}"#, "InvalidParameterValue"),
        ("Colour".into(), "red", "InvalidAttributeName"),
    ] {
        assert_eq!(queue.set(name.clone(), value).await, Err(code.to_owned()), "{name:?} {value}");
    }
    assert_eq!(queue.get(VisibilityTimeout).await.as_deref(), Some("30"));
}

#[tokio::test]
async fn a_dead_letter_queue_knows_its_sources() {
    let queue = Queue::new().await;
    let dead = queue.fixture.stack.queue_url("DeadLetters").unwrap();
    let sources = async |url: &str| {
        let list = queue.client.list_dead_letter_source_queues().queue_url(url).send().await;
        list.unwrap().queue_urls
    };
    assert_eq!(sources(dead).await, std::slice::from_ref(&queue.url));
    assert!(sources(&queue.url).await.is_empty());
}

#[tokio::test]
async fn queues_are_listed_page_by_page_where_that_is_asked_for() {
    let queue = Queue::new().await;
    let whole = queue.client.list_queues().send().await.unwrap().queue_urls.unwrap();
    let pages = queue.client.list_queues().max_results(2).into_paginator().items().send();
    assert_eq!(pages.collect::<Result<Vec<_>, _>>().await.unwrap(), whole);
    assert_eq!(whole.len(), queue.fixture.stack.model().queues.len());
}
