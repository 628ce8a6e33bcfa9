use std::time::{Duration, Instant};

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::start_message_move_task::StartMessageMoveTaskError;
use aws_sdk_sqs::types::{ListMessageMoveTasksResultEntry, MessageSystemAttributeName};

use crate::sqs::Queue;

fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:local-{queue}")
}

impl Queue {
    /// The handle of a task that moves the dead letters.
    async fn start_move(
        &self,
        destination: Option<&str>,
        rate: Option<i32>,
    ) -> Result<String, SdkError<StartMessageMoveTaskError>> {
        let start = self.client.start_message_move_task().source_arn(arn("DeadLetters"));
        let start = start.set_destination_arn(destination.map(arn)).set_max_number_of_messages_per_second(rate);
        Ok(start.send().await?.task_handle.unwrap())
    }

    async fn moves(&self) -> Vec<ListMessageMoveTasksResultEntry> {
        let list = self.client.list_message_move_tasks().source_arn(arn("DeadLetters")).max_results(10);
        list.send().await.unwrap().results.unwrap_or_default()
    }

    /// The newest task, once it has ended.
    async fn ended_move(&self) -> ListMessageMoveTasksResultEntry {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let task = self.moves().await.remove(0);
            if !["RUNNING", "CANCELLING"].contains(&task.status().unwrap()) {
                return task;
            }
            assert!(Instant::now() < deadline, "{task:?}");
        }
    }

    /// Sends messages and receives them until they are dead.
    async fn bury(&self, count: usize) {
        for n in 0..count {
            self.send(&n.to_string()).await;
        }
        for _ in 0..=2 {
            self.receive(&self.url, 0).await;
        }
        assert_eq!(self.dead_letters().await, i64::try_from(count).unwrap());
    }

    async fn dead_letters(&self) -> i64 {
        self.fixture.stack.queue_counts("DeadLetters").await.unwrap().visible
    }
}

#[tokio::test]
async fn dead_letters_go_back_to_where_they_came_from_as_new_messages() {
    let queue = Queue::new().await;
    queue.bury(3).await;
    let dead = queue.fixture.stack.queue_url("DeadLetters").unwrap();
    let before = queue.receive(dead, 0).await;
    queue.start_move(None, None).await.unwrap();
    let task = queue.ended_move().await;
    assert_eq!((task.status(), task.failure_reason(), task.task_handle()), (Some("COMPLETED"), None, None));
    let moved = task.approximate_number_of_messages_moved();
    assert_eq!((moved, task.approximate_number_of_messages_to_move()), (3, Some(3)));
    assert_eq!(queue.dead_letters().await, 0);
    let after = queue.receive(&queue.url, 30).await;
    assert_eq!(after.len(), 3);
    for message in after {
        assert!(before.iter().all(|old| old.message_id() != message.message_id()));
        let attributes = message.attributes().unwrap();
        assert_eq!(attributes[&MessageSystemAttributeName::ApproximateReceiveCount], "1");
        assert!(!attributes.contains_key(&MessageSystemAttributeName::DeadLetterQueueSourceArn));
    }
}

#[tokio::test]
async fn dead_letters_can_go_to_another_queue() {
    let queue = Queue::new().await;
    queue.bury(2).await;
    queue.start_move(Some("Disabled"), None).await.unwrap();
    let task = queue.ended_move().await;
    assert_eq!((task.status(), task.destination_arn()), (Some("COMPLETED"), Some(arn("Disabled").as_str())));
    assert_eq!(queue.fixture.stack.queue_counts("Disabled").await.unwrap().visible, 2);
}

#[tokio::test]
async fn what_was_sent_to_the_dead_letters_itself_belongs_nowhere() {
    let queue = Queue::new().await;
    let dead = queue.fixture.stack.queue_url("DeadLetters").unwrap();
    queue.client.send_message().queue_url(dead).message_body("m").send().await.unwrap();
    queue.start_move(None, None).await.unwrap();
    let task = queue.ended_move().await;
    assert_eq!((task.status(), task.failure_reason()), (Some("FAILED"), Some("CouldNotDetermineMessageSource")));
    assert_eq!(queue.dead_letters().await, 1);
    queue.start_move(Some("Queue"), None).await.unwrap();
    assert_eq!(queue.ended_move().await.status(), Some("COMPLETED"));
    let statuses: Vec<_> = queue.moves().await.into_iter().map(|task| task.status.unwrap()).collect();
    assert_eq!(statuses, ["COMPLETED", "FAILED"]);
}

#[tokio::test]
async fn a_slow_task_is_the_only_one_and_can_be_cancelled() {
    let queue = Queue::new().await;
    queue.bury(10).await;
    let handle = queue.start_move(None, Some(1)).await.unwrap();
    let task = queue.moves().await.remove(0);
    assert_eq!((task.status(), task.task_handle()), (Some("RUNNING"), Some(handle.as_str())));
    assert_eq!(task.max_number_of_messages_per_second(), Some(1));
    let second = queue.start_move(None, None).await.unwrap_err().into_service_error();
    assert_eq!(second.code(), Some("InvalidParameterValue"));
    assert!(second.message().unwrap().starts_with("There is already a task running."), "{second:?}");
    queue.client.cancel_message_move_task().task_handle(&handle).send().await.unwrap();
    let task = queue.ended_move().await;
    let moved = task.approximate_number_of_messages_moved();
    assert!(task.status() == Some("CANCELLED") && moved < 10, "{task:?}");
    assert_eq!(queue.dead_letters().await, 10 - moved);
    let again = queue.client.cancel_message_move_task().task_handle(&handle).send().await.unwrap_err();
    assert_eq!(again.into_service_error().message(), Some("Only active tasks can be cancelled."));
}

#[tokio::test]
async fn a_task_that_makes_no_sense_is_refused() {
    let queue = Queue::new().await;
    for (source, destination, rate, code) in [
        ("Queue", None, None, "InvalidParameterValue"),
        ("Nothing", None, None, "ResourceNotFoundException"),
        ("DeadLetters", Some("Nothing"), None, "ResourceNotFoundException"),
        ("DeadLetters", None, Some(501), "InvalidParameterValue"),
    ] {
        let start = queue.client.start_message_move_task().source_arn(arn(source));
        let start = start.set_destination_arn(destination.map(arn)).set_max_number_of_messages_per_second(rate);
        assert_eq!(start.send().await.unwrap_err().into_service_error().code(), Some(code), "{source} {destination:?}");
    }
    for (handle, code) in [("?", "InvalidParameterValue"), ("e30=", "ResourceNotFoundException")] {
        let error = queue.client.cancel_message_move_task().task_handle(handle).send().await.unwrap_err();
        assert_eq!(error.into_service_error().code(), Some(code), "{handle}");
    }
}
