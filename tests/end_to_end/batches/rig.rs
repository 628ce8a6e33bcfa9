//! A worker in this process: its batches, its clock and what it does are the test's, everything behind it is the stack's.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use local::{Counts, Stack, StackOptions};
use serde_json::{Value, json};
use shared::{
    Context,
    clock::Clock,
    ids::{Ids, JobId},
    jobs::{self, Batch, Job, Message, NewJob},
};

use crate::support::{
    in_process::{clock, instance},
    start,
    storage::{Row, item},
    terra::number,
};

/// The worker's timeout.
const TIMEOUT: TimeDelta = TimeDelta::seconds(30);

pub struct Rig {
    pub stack: Stack,
    pub ctx: &'static Context,
    pub clock: Clock,
}

impl Rig {
    /// The stack's own worker gets no messages.
    pub async fn start() -> Self {
        let stack = start(StackOptions::default()).await;
        stack.pause_sources("job-worker").await;
        let clock = clock();
        let ctx = instance(&stack, "job-worker", &clock).context();
        Self { stack, ctx, clock }
    }

    pub fn deadline(&self) -> DateTime<Utc> {
        self.clock.now() + TIMEOUT
    }

    /// So many new jobs, on the queue. What they are does not matter: the test says what is done about them.
    pub async fn submit(&self, count: usize) -> Vec<JobId> {
        let created_at = self.clock.now();
        let new = |_| NewJob { id: JobId(Ids.uuid()), job: Job::EndStaleSessions, created_at };
        let new: Vec<NewJob> = (0..count).map(new).collect();
        let ids = new.iter().map(|job| job.id).collect();
        jobs::submit(self.ctx, new).await.unwrap();
        ids
    }

    /// Sends a message as it stands.
    pub async fn send(&self, body: &str) {
        let send = self.ctx.aws.sqs().await.send_message().queue_url(self.stack.queue_url("JobQueue").unwrap());
        send.message_body(body).send().await.unwrap();
    }

    /// All messages that are visible, received: the event that Lambda would make of them.
    pub async fn receive(&self) -> Value {
        self.receive_some(usize::MAX).await
    }

    /// So many at most, by tens.
    pub async fn receive_some(&self, limit: usize) -> Value {
        let mut records = Vec::new();
        while records.len() < limit {
            let receive = self.ctx.aws.sqs().await.receive_message().max_number_of_messages(10);
            let receive = receive.message_system_attribute_names("SentTimestamp".into());
            let received = receive.queue_url(self.stack.queue_url("JobQueue").unwrap()).send().await.unwrap();
            let Some(messages) = received.messages.filter(|messages| !messages.is_empty()) else { break };
            records.extend(messages.into_iter().map(|message| {
                // The only attribute that was asked for.
                let sent_at = message.attributes.unwrap().into_values().next();
                json!({
                    "messageId": message.message_id, "receiptHandle": message.receipt_handle, "body": message.body,
                    "attributes": { "SentTimestamp": sent_at }, "messageAttributes": {}, "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:local-jobs", "awsRegion": "us-east-1",
                })
            }));
        }
        json!({ "Records": records })
    }

    /// The same event with messages that were sent at this time.
    pub fn sent_at(&self, mut event: Value, at: DateTime<Utc>) -> Value {
        for record in event["Records"].as_array_mut().unwrap() {
            record["attributes"]["SentTimestamp"] = at.timestamp_millis().to_string().into();
        }
        event
    }

    /// Runs a batch: which of its jobs are to come back.
    pub async fn work(&self, event: &Value, perform: impl AsyncFn(&Context, &Batch)) -> BTreeSet<JobId> {
        self.work_until(self.deadline(), event, perform).await
    }

    pub async fn work_until(
        &self,
        deadline: DateTime<Utc>,
        event: &Value,
        perform: impl AsyncFn(&Context, &Batch),
    ) -> BTreeSet<JobId> {
        // On the heap: unoptimised, it takes more stack than a test's thread has to spare.
        let answer = Box::pin(jobs::respond(self.ctx, &perform, event.clone(), deadline)).await;
        let failed: BTreeSet<_> = answer.failures.into_iter().map(|failure| failure.message_id).collect();
        let records = event["Records"].as_array().unwrap().iter();
        let back = records.filter(|record| failed.contains(record["messageId"].as_str().unwrap()));
        back.map(job_of).collect()
    }

    pub async fn row(&self, id: JobId) -> Row {
        item(&self.stack, "JobsTable", &[("job_id", &id.to_string())]).await.unwrap_or_else(|| panic!("no row of {id}"))
    }

    /// State, failed attempts, and runs without a word.
    pub async fn standing(&self, id: JobId) -> (String, u64, u64) {
        let row = self.row(id).await;
        (row["state"].as_s().unwrap().clone(), number(&row, "attempts"), number(&row, "crashes"))
    }

    pub async fn counts(&self) -> Counts {
        self.stack.queue_counts("JobQueue").await.unwrap()
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// The job that a message is about.
pub fn job_of(record: &Value) -> JobId {
    serde_json::from_str::<Message>(record["body"].as_str().unwrap()).unwrap().job_id
}

/// A row's attribute as text.
pub fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.get(name).map(AttributeValue::as_s).map(|text| text.unwrap().as_str())
}
