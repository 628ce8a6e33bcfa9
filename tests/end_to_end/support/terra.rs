//! Terra, as the tests play it: webhooks from an address of their own, and what becomes of their jobs.

use std::{
    collections::HashSet,
    sync::Mutex,
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::types::AttributeValue;
use local::{
    Stack,
    terra::{Terra, Webhook},
};
use reqwest::Method;
use serde_json::Value;
use shared::{
    domain::terra::Handling,
    ids::{DeliveryId, Ids, JobId},
    jobs::Job,
    store::objects::sha256_hex,
};

use super::{
    Answer, User,
    storage::{Row, item},
};

/// By then a job is done on a machine that has other things to do, too.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Terra, calling from an address of its own: limits are counted by it.
pub struct Sender<'a> {
    stack: &'a Stack,
    terra: Terra,
    caller: User,
    /// What was accepted already.
    known: Mutex<HashSet<DeliveryId>>,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `done`, `dead`, or `gone` where there is no row.
    pub state: String,
    pub epoch: u64,
    pub attempts: u64,
    pub error: Option<String>,
}

/// A webhook with a trace id of its own.
pub fn webhook(body: &Value) -> Webhook {
    Webhook::new(body.to_string()).trace_id(Ids.uuid().to_string())
}

/// The id of a webhook's delivery, as long as no other one came under it before.
pub fn delivery_of(webhook: &Webhook) -> DeliveryId {
    DeliveryId(webhook.trace_id.clone().unwrap_or_else(|| sha256_hex(&webhook.body)))
}

/// The job that a webhook makes; none of a type that is only kept.
pub fn job_of(webhook: &Webhook) -> Option<JobId> {
    job_of_delivery(&delivery_of(webhook), &webhook.body)
}

/// The same by the delivery's id.
pub fn job_of_delivery(delivery: &DeliveryId, body: &[u8]) -> Option<JobId> {
    let body: Value = serde_json::from_slice(body).unwrap();
    let delivery_id = delivery.clone();
    let job = match Handling::of(body["type"].as_str().unwrap_or_default()) {
        Handling::Ingest(_) => Job::TerraIngest { delivery_id, terra_user_id: String::new() },
        Handling::Connect(_) => Job::TerraConnection { delivery_id },
        Handling::Fetch => Job::FetchLargeDelivery { delivery_id },
        Handling::Record | Handling::Unknown => return None,
    };
    Some(job.id_of_delivery(delivery))
}

impl<'a> Sender<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        let caller = User::stranger(stack);
        Self { stack, terra: Terra::of(stack).with_client(caller.http.clone()), caller, known: Mutex::default() }
    }

    /// Somebody without a token at the same address.
    pub fn caller(&self) -> &User {
        &self.caller
    }

    pub async fn send(&self, webhook: &Webhook) -> Answer {
        Answer::of(self.terra.send(webhook).await.unwrap()).await
    }

    /// Sends bytes with these headers and no other, save the length.
    pub async fn post(&self, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Answer {
        let mut request = self.caller.request(Method::POST, "webhook-terra");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.body(body).send().await.unwrap()).await
    }

    /// Sends a webhook until the answer is another than 503, and says whether it took several attempts. A machine that is
    /// busy for half a second answers so, as it must, and Terra sends again.
    pub async fn answered(&self, webhook: &Webhook) -> (Answer, bool) {
        for again in [false, true, true, true, true] {
            let answer = self.send(webhook).await;
            if answer.status != 503 {
                return (answer, again);
            }
        }
        panic!("not accepted, however often it is sent");
    }

    /// Sends a webhook until it is accepted: `status` of the answer. What the attempts before left is a duplicate to the last;
    /// here it counts as new.
    pub async fn accepted(&self, webhook: &Webhook) -> String {
        let new = self.known.lock().unwrap().insert(delivery_of(webhook));
        let (answer, again) = self.answered(webhook).await;
        let answer = answer.success();
        assert_eq!(answer["success"], true);
        match answer["status"].as_str().unwrap() {
            "duplicate" if new && again => if job_of(webhook).is_some() { "queued" } else { "ignored" }.to_owned(),
            status => status.to_owned(),
        }
    }

    /// Sends webhooks one after the other, and waits until their jobs are done; panics where one is not.
    pub async fn deliver(&self, webhooks: &[Webhook]) {
        for webhook in webhooks {
            assert_eq!(self.accepted(webhook).await, "queued");
        }
        for webhook in webhooks {
            let outcome = settled(self.stack, job_of(webhook).unwrap()).await;
            assert_eq!((outcome.state.as_str(), outcome.error), ("done", None));
        }
    }

    /// Sends a body as [`Sender::deliver`] does.
    pub async fn deliver_body(&self, body: &Value) {
        self.deliver(&[webhook(body)]).await;
    }
}

/// Waits until a job is done or dead.
pub async fn settled(stack: &Stack, job: JobId) -> Outcome {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let asked = Instant::now();
        let outcome = outcome(stack, job).await;
        if matches!(outcome.state.as_str(), "done" | "dead") {
            return outcome;
        }
        assert!(asked < give_up, "the job {job} is still {outcome:?}");
        next_write(stack, asked).await;
    }
}

/// What the job's row says at the moment.
pub async fn outcome(stack: &Stack, job: JobId) -> Outcome {
    let row = item(stack, "JobsTable", &[("job_id", &job.to_string())]).await.unwrap_or_default();
    Outcome {
        state: text(&row, "state").unwrap_or_else(|| "gone".into()),
        epoch: number(&row, "epoch"),
        attempts: number(&row, "attempts"),
        error: text(&row, "last_error"),
    }
}

/// Waits for the worker's next write of jobs that ends after that moment; a while at most, so that one that was forgotten with
/// the calls holds up nobody.
pub async fn next_write(stack: &Stack, since: Instant) {
    let jobs = stack.table("JobsTable").unwrap();
    let write = stack.front().wait_for(|call| {
        call.end > since
            && call.function == "job-worker"
            && ["TransactWriteItems", "UpdateItem", "PutItem"].contains(&call.operation.as_str())
            && call.resources.iter().any(|table| table == jobs)
    });
    tokio::time::timeout(Duration::from_secs(2), write).await.ok();
}

/// Waits until both queues are empty.
pub async fn drained(stack: &Stack) {
    for queue in ["JobQueue", "JobDeadLetterQueue"] {
        assert!(stack.queue_drained(queue, PATIENCE).await.unwrap(), "{queue} has messages left");
    }
}

pub fn text(row: &Row, name: &str) -> Option<String> {
    row.get(name).map(|value| value.as_s().unwrap().clone())
}

/// 0 where there is none.
pub fn number(row: &Row, name: &str) -> u64 {
    row.get(name).map_or(0, |value: &AttributeValue| value.as_n().unwrap().parse().unwrap())
}
