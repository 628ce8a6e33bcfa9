//! job-worker: batches of messages, which the test hands over itself, and schedules.

mod connections;
mod data;
mod large;
mod messages;
mod schedules;

pub use connections::CONNECTIONS;
pub use data::DATA;
pub use large::LARGE;
pub use messages::MESSAGES;
pub use schedules::SCHEDULES;

use bytes::Bytes;
use serde_json::{Value, json};
use shared::{
    clock::Clock,
    domain::metric::AsOf,
    ids::{DeliveryId, Ids, JobId},
    jobs::{Job, Message, NewJob},
    store::{objects::sha256_hex, webhooks::NewDelivery},
};

use super::{
    scenario::{Outcome, Trouble, check},
    stage::Stage,
};
use crate::support::{
    terra::{Outcome as Standing, outcome},
    wearables::Watch,
};

/// Longer than any call of the worker's may take.
const IN_TIME: std::time::Duration = std::time::Duration::from_secs(20);

/// A job that waits for its message.
async fn waiting(stage: &Stage, job: Job) -> JobId {
    let new = NewJob { id: JobId(Ids.uuid()), job, created_at: Clock::System.now() };
    stage.ctx.jobs.insert(&new).await.unwrap();
    new.id
}

/// Has a job done, and says how it then stands.
async fn standing(stage: &Stage, job: Job) -> Result<Standing, Trouble> {
    let id = waiting(stage, job).await;
    hand_over(stage, "JobQueue", &message_of(id)).await?;
    Ok(outcome(&stage.stack, id).await)
}

/// Has a job done that must come to a good end.
async fn done(stage: &Stage, job: Job) -> Outcome {
    let standing = standing(stage, job).await?;
    check(standing.state == "done", || format!("the job is {standing:?}"))
}

fn message_of(job_id: JobId) -> String {
    serde_json::to_string(&Message { job_id, epoch: 1, job: None }).unwrap()
}

/// Invokes the worker with one message, as its queue would; whether it is not to come again.
async fn hand_over(stage: &Stage, queue: &str, body: &str) -> Result<bool, Trouble> {
    // Without a receipt, it is nobody's message whose visibility could be set.
    hand_over_with(stage, queue, body, "").await
}

async fn hand_over_with(stage: &Stage, queue: &str, body: &str, receipt: &str) -> Result<bool, Trouble> {
    let now = Clock::System.now().timestamp_millis().to_string();
    let record = json!({
        "messageId": Ids.uuid(), "receiptHandle": receipt, "body": body, "messageAttributes": {},
        "attributes": { "SentTimestamp": now, "ApproximateReceiveCount": "1" }, "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:local-{queue}"),
    });
    let invocation = stage.stack.invoke("job-worker", json!({ "Records": [record] }).to_string()).await;
    let invocation = invocation.map_err(|err| Trouble::Failed(err.to_string()))?;
    let text = String::from_utf8_lossy(&invocation.payload);
    check(invocation.error.is_none(), || text.to_string())?;
    let answer: Value = serde_json::from_slice(&invocation.payload).unwrap();
    Ok(answer["batchItemFailures"].as_array().is_some_and(Vec::is_empty))
}

/// A delivery of Terra's that was stored.
async fn delivered(stage: &Stage, body: &Value) -> DeliveryId {
    let (id, body, now) = (DeliveryId(Ids.uuid().to_string()), Bytes::from(body.to_string()), Clock::System.now());
    let delivery = NewDelivery {
        kind: "daily".into(),
        terra_user_id: None,
        sha256: sha256_hex(&body),
        body,
        received_at: now,
        as_of: AsOf::new(now, &id),
        receipt: Ids.uuid(),
        id: id.clone(),
    };
    stage.ctx.webhooks.store(&delivery, IN_TIME).await.unwrap();
    id
}

/// The job that makes metrics of such a delivery.
async fn ingestion(stage: &Stage, watch: &Watch, body: &Value) -> Job {
    Job::TerraIngest { delivery_id: delivered(stage, body).await, terra_user_id: watch.terra_user.clone() }
}
