//! What becomes of messages themselves.

use chrono::TimeDelta;
use futures::FutureExt;
use serde_json::Value;
use shared::{
    clock::{Clock, rfc3339},
    ids::Ids,
    jobs::Job,
};

use super::{hand_over, hand_over_with, message_of, waiting};
use crate::{
    permissions::{
        scenario::{Outcome, Scenario, Trouble, check},
        stage::Stage,
    },
    support::storage::set,
};

pub const MESSAGES: &[Scenario] = &[
    Scenario { name: "a message that is no job becomes a dead letter", run: |stage, _| no_job(stage).boxed() },
    Scenario { name: "a dead letter too large for a row is kept", run: |stage, _| large_letter(stage).boxed() },
    Scenario { name: "a message that comes too early comes back in time", run: |stage, _| early(stage).boxed() },
];

async fn no_job(stage: &Stage) -> Outcome {
    let settled = hand_over(stage, "JobQueue", "no job").await?;
    check(settled, || "the message comes back".into())
}

async fn large_letter(stage: &Stage) -> Outcome {
    let settled = hand_over(stage, "JobDeadLetterQueue", &"no job".repeat(10_000)).await?;
    check(settled, || "the letter comes back".into())
}

/// Another worker has the job: it comes back when the lease ends.
async fn early(stage: &Stage) -> Outcome {
    let id = waiting(stage, Job::EndStaleSessions).await;
    let key = id.to_string();
    let (key, later) = ([("job_id", key.as_str())], rfc3339(Clock::System.now() + TimeDelta::hours(1)));
    set(&stage.stack, "JobsTable", &key, "state", "running").await;
    set(&stage.stack, "JobsTable", &key, "leased_until", &later).await;
    let receipt = receipt(stage).await;
    let said = stage.stack.logs().entries("job-worker").len();
    let settled = hand_over_with(stage, "JobQueue", &message_of(id), &receipt).await?;
    check(!settled, || "somebody else's job is taken for done".into())?;
    let unheard = |line: &&Value| line["message"].as_str().is_some_and(|text| text.contains("visibility"));
    match stage.stack.logs().entries("job-worker").iter().skip(said).find(unheard) {
        None => Ok(()),
        Some(line) => Err(Trouble::Degraded(format!("the log: {}", line["message"]))),
    }
}

/// Of a message that is in somebody's hands.
async fn receipt(stage: &Stage) -> String {
    let (sqs, url) = (stage.ctx.aws.sqs().await, stage.stack.queue_url("JobQueue").unwrap());
    sqs.send_message().queue_url(url).message_body(Ids.uuid().to_string()).send().await.unwrap();
    let received = sqs.receive_message().queue_url(url).send().await.unwrap();
    received
        .messages()
        .first()
        .and_then(|message| message.receipt_handle.clone())
        .expect("the one that was sent, or another")
}
