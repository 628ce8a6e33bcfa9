//! Putting jobs on the queue.

use std::time::Duration;

use aws_sdk_sqs::{config::Builder, types::SendMessageBatchRequestEntry};
use futures::future::try_join_all;

use super::{Message, NewJob};
use crate::{
    Context,
    aws::within,
    error::{Cause, Error, Result},
    store::jobs::{State, Stored},
};

/// What one call of SQS takes.
pub(super) const AT_ONCE: usize = 10;

/// Sends a message for each; all of them or an error. Sent twice, a message does no harm.
pub async fn send(ctx: &Context, messages: &[Message]) -> Result<()> {
    try_join_all(messages.chunks(AT_ONCE).map(|messages| send_batch(ctx, messages))).await.map(drop)
}

/// Sends one message within `deadline`, in two attempts at most.
pub async fn send_one(ctx: &Context, message: &Message, deadline: Duration) -> Result<()> {
    let body = serde_json::to_string(message).map_err(Error::internal)?;
    let (timeouts, attempts) = within(deadline);
    let send = ctx.aws.sqs().await.send_message().queue_url(&ctx.config.job_queue_url).message_body(body);
    let send = send.customize().config_override(Builder::new().timeout_config(timeouts).retry_config(attempts));
    send.send().await.map(drop).map_err(queue)
}

/// Stores jobs and sends them; those that are known are sent again, unless they are done or dead. No id may stand there
/// twice. Done twice, each job is still done once.
pub async fn submit(ctx: &Context, jobs: Vec<NewJob>) -> Result<()> {
    let stored = ctx.jobs.insert_many(&jobs).await?;
    let message = |(job, stored): (&NewJob, Stored)| match stored {
        Stored::New => Some(Message { job_id: job.id, epoch: 1, job: None }),
        Stored::Known { state: State::Done | State::Dead, .. } => None,
        Stored::Known { epoch, .. } => Some(Message { job_id: job.id, epoch, job: None }),
    };
    let messages: Vec<_> = jobs.iter().zip(stored).filter_map(message).collect();
    send(ctx, &messages).await
}

/// Ten messages at most. What SQS refuses of them is sent once more.
async fn send_batch(ctx: &Context, messages: &[Message]) -> Result<()> {
    let mut entries = messages.iter().enumerate().map(entry).collect::<Result<Vec<_>>>()?;
    let mut refusal = "nothing was refused".to_owned();
    for _ in 0..2 {
        let send = ctx.aws.sqs().await.send_message_batch().queue_url(&ctx.config.job_queue_url);
        let output = send.set_entries(Some(entries.clone())).send().await.map_err(queue)?;
        let Some(failed) = output.failed.first() else { return Ok(()) };
        refusal = format!("{} of {} messages refused: {}", output.failed.len(), entries.len(), failed.code);
        entries.retain(|entry| output.failed.iter().any(|failed| failed.id == entry.id));
    }
    Err(queue(refusal))
}

fn entry((at, message): (usize, &Message)) -> Result<SendMessageBatchRequestEntry> {
    let body = serde_json::to_string(message).map_err(Error::internal)?;
    SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(body).build().map_err(Error::internal)
}

/// What the caller hears when the queue does not answer.
pub(super) fn queue(err: impl Into<Cause>) -> Error {
    Error::unavailable("the queue is not available, try again", err)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{ids::JobId, jobs::fake_queue::FakeQueue};

    fn messages(count: u128) -> Vec<Message> {
        (0..count).map(|id| Message { job_id: JobId(Uuid::from_u128(id)), epoch: 1, job: None }).collect()
    }

    #[tokio::test]
    async fn messages_are_sent_by_tens() {
        let queue = FakeQueue::start(|_, _| Some((200, "{}".into()))).await;
        send(&queue.ctx, &messages(21)).await.unwrap();
        send(&queue.ctx, &[]).await.unwrap();
        assert_eq!(queue.calls(), ["SendMessageBatch"; 3]);
    }

    #[tokio::test]
    async fn what_the_queue_refuses_is_sent_once_more() {
        let refusal = r#"{"Successful":[],"Failed":[{"Id":"1","SenderFault":false,"Code":"InternalError"}]}"#;
        for (refusals, sent) in [(1, true), (2, false)] {
            let answer = move |_: &str, call| {
                let body = if call < refusals { refusal } else { "{}" };
                Some((200, body.to_owned()))
            };
            let queue = FakeQueue::start(answer).await;
            assert_eq!(send(&queue.ctx, &messages(3)).await.is_ok(), sent);
            assert_eq!(queue.calls(), ["SendMessageBatch"; 2]);
        }
    }

    #[tokio::test]
    async fn a_message_that_is_waited_for_is_not_waited_for_long() {
        let queue = FakeQueue::start(|_, _| None).await;
        let [message] = messages(1).try_into().unwrap();
        assert!(send_one(&queue.ctx, &message, Duration::from_millis(50)).await.is_err());
    }
}
