//! A worker with tables and a queue of its own, and a clock that the test moves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::{
    config::{Credentials, SharedCredentialsProvider},
    types::AttributeValue,
};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use shared::{
    Context,
    aws::Aws,
    clock::Clock,
    config::Config,
    domain::{metric::AsOf, terra::Handling},
    ids::{DeliveryId, JobId, UserId},
    jobs::{self, Batch, Job, Leased, Message, NewJob},
    store::{
        control::{Counts, Deadlines},
        jobs::State,
        objects::sha256_hex,
    },
    telemetry::{Captured, Metrics},
};

use crate::{
    database::{self, Database},
    queue::Queue,
};

/// What the tests call now.
pub const NOW: &str = "2026-07-20T12:00:00Z";
/// Attributes that say when or how often something was done, and not what.
const OF_PROCESSING: [&str; 2] = ["version", "ttl"];

pub struct World {
    /// Gone with its owner.
    _database: Database,
    pub queue: Queue,
    pub ctx: Context,
    pub metrics: Captured,
    sent: AtomicU64,
}

/// What is stored, without what depends on when it was done.
pub type Stored = BTreeMap<&'static str, Vec<Value>>;

impl World {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let database = Database::start().await;
        let (queue, queue_url) = Queue::start().await;
        let mut config = Config::from_lookup(&[], |name| {
            let value = match name {
                "CONTROL_TABLE" => database::CONTROL,
                "SESSIONS_TABLE" => database::SESSIONS,
                "WEBHOOKS_TABLE" => database::WEBHOOKS,
                "CONNECTIONS_TABLE" => database::CONNECTIONS,
                "QUARANTINE_TABLE" => database::QUARANTINE,
                "JOBS_TABLE" => database::JOBS,
                "METRICS_TABLE" => database::METRICS,
                "LATEST_METRICS_TABLE" => database::LATEST_METRICS,
                "JOB_QUEUE_URL" => return Some(format!("{queue_url}/000000000000/jobs")),
                "JOB_DEAD_LETTER_QUEUE_URL" => return Some(format!("{queue_url}/000000000000/dead-jobs")),
                _ => return None,
            };
            Some(value.to_owned())
        })
        .unwrap();
        change(&mut config);
        let (metrics, captured) = Metrics::capture();
        let aws = Aws::from_config(sdk_config(&database.endpoint, &queue_url), metrics.clone());
        let clock = Clock::manual(NOW.parse().unwrap());
        let mut ctx = Context::new("job-worker", config, clock, metrics, aws);
        let patient = Duration::from_secs(30);
        ctx.control = ctx.control.clone().with_deadlines(Deadlines { limiter: patient, breaker: patient });
        Self { _database: database, queue, ctx, metrics: captured, sent: AtomicU64::new(0) }
    }

    /// Stores a delivery as webhook-terra does, and gives its job. Large bodies stand in the row, too: there is no bucket here.
    pub async fn store(&self, id: &str, at: &str, body: &Value) -> NewJob {
        let (id, at): (_, DateTime<Utc>) = (DeliveryId(id.to_owned()), at.parse().unwrap());
        let body = body.to_string();
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let put = self.ctx.aws.dynamodb().await.put_item().table_name(database::WEBHOOKS);
        put.item("delivery_id", text(&id.0))
            .item("kind", text("test"))
            .item("sha256", text(&sha256_hex(body.as_bytes())))
            .item("received_at", text(&shared::clock::rfc3339(self.ctx.clock.now())))
            .item("as_of", text(AsOf::new(at, &id).as_str()))
            .item("body", text(&body))
            .send()
            .await
            .unwrap();
        let job = job_of(&id, &body);
        NewJob { id: job.id_of_delivery(&id), job, created_at: self.ctx.clock.now() }
    }

    /// Stores a delivery and has a worker told of it.
    pub async fn deliver(&self, id: &str, at: &str, body: &Value) -> JobId {
        let job = self.store(id, at, body).await;
        let id = job.id;
        jobs::submit(&self.ctx, vec![job]).await.unwrap();
        id
    }

    /// Works until nothing is left to do, `size` messages a batch; what comes back does so an hour later.
    pub async fn work(&self, size: usize) {
        for _ in 0..100 {
            let messages = self.queue.take();
            if messages.is_empty() {
                return;
            }
            for batch in messages.chunks(size) {
                for body in self.batch(batch).await {
                    self.queue.put(body);
                }
            }
            self.ctx.clock.advance(Duration::from_secs(3600));
        }
        panic!("there is no end to it");
    }

    /// One batch: the messages that come back.
    pub async fn batch(&self, messages: &[String]) -> Vec<String> {
        let named: BTreeMap<String, &String> =
            messages.iter().map(|body| (self.sent.fetch_add(1, Ordering::SeqCst).to_string(), body)).collect();
        let records = named.iter().map(|(id, body)| {
            json!({ "messageId": id, "receiptHandle": id, "body": body, "attributes": {}, "eventSource": "aws:sqs" })
        });
        let event = json!({ "Records": records.collect::<Vec<_>>() });
        let deadline = self.ctx.clock.now() + TimeDelta::seconds(30);
        let answer = jobs::respond(&self.ctx, &job_worker::perform, event, deadline).await;
        answer.failures.iter().map(|failure| named[&failure.message_id].clone()).collect()
    }

    /// Does jobs at once and without the queue: what became of each.
    pub async fn perform(&self, jobs: Vec<NewJob>) -> Vec<Result<jobs::Tally, jobs::Failure>> {
        let leased = jobs.into_iter().map(|new| Leased::new(new.id, new.job, 1, 1, new.created_at, false));
        let batch = Batch { jobs: leased.collect(), until: self.ctx.clock.now() + TimeDelta::seconds(25) };
        Box::pin(job_worker::perform(&self.ctx, &batch)).await;
        batch.jobs.iter().map(|leased| leased.take().unwrap()).collect()
    }

    pub async fn state(&self, id: JobId) -> State {
        self.ctx.jobs.read([id]).await.unwrap()[&id].state
    }

    /// What the metrics and connections come to, and what waits.
    pub async fn stored(&self) -> Stored {
        let tables = [database::METRICS, database::LATEST_METRICS, database::CONNECTIONS, database::QUARANTINE];
        let mut stored = Stored::new();
        for table in tables {
            stored.insert(table, self.items(table).await);
        }
        stored
    }

    /// The items of a table in the order of their text, without what depends on when they were written.
    pub async fn items(&self, table: &str) -> Vec<Value> {
        let output = self.ctx.aws.dynamodb().await.scan().table_name(table).into_paginator().items().send();
        let items = output.collect::<Result<Vec<_>, _>>().await.unwrap();
        let values = items.into_iter().map(|mut item| {
            OF_PROCESSING.iter().for_each(|name| drop(item.remove(*name)));
            serde_dynamo::from_item::<_, Value>(item).unwrap()
        });
        let mut values: Vec<_> = values.collect();
        values.sort_by_key(ToString::to_string);
        values
    }

    /// The versions of a table's rows.
    pub async fn versions(&self, table: &str) -> BTreeSet<String> {
        let scan = self.ctx.aws.dynamodb().await.scan().table_name(table).into_paginator().items().send();
        let items = scan.collect::<Result<Vec<_>, _>>().await.unwrap();
        items.iter().map(|item| item["version"].as_s().unwrap().clone()).collect()
    }

    /// What a user's metrics say: `metric` to value, of every connection.
    pub async fn latest(&self, user: UserId) -> Vec<(&'static str, f64)> {
        let mut readings: Vec<_> =
            self.ctx.health.latest(user).await.unwrap().iter().map(|it| (it.metric.name(), it.value)).collect();
        readings.sort_by(|a, b| a.0.cmp(b.0).then(a.1.total_cmp(&b.1)));
        readings
    }

    /// What the hourly counters come to.
    pub async fn counts(&self) -> Counts {
        let hours = self.ctx.control.counts_of_day(self.ctx.clock.now()).await.unwrap();
        hours.into_iter().fold(Counts::default(), |sum, hour| Counts {
            scored: sum.scored + hour.scored,
            confident: sum.confident + hour.confident,
            confidence_tenths: sum.confidence_tenths + hour.confidence_tenths,
            webhooks_done: sum.webhooks_done + hour.webhooks_done,
            webhooks_dead: sum.webhooks_dead + hour.webhooks_dead,
        })
    }

    /// Changes an attribute of a row of Metrics or LatestMetrics, as [`World::items`] gave it.
    pub async fn set(&self, table: &str, row: &Value, name: &str, value: Value) {
        let update = self.ctx.aws.dynamodb().await.update_item().table_name(table).set_key(Some(key(row)));
        update
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", serde_dynamo::to_attribute_value(value).unwrap())
            .send()
            .await
            .unwrap();
    }

    pub async fn delete(&self, table: &str, row: &Value) {
        let delete = self.ctx.aws.dynamodb().await.delete_item().table_name(table).set_key(Some(key(row)));
        delete.send().await.unwrap();
    }

    /// Operations of DynamoDB so far.
    pub fn calls(&self) -> f64 {
        self.counted("dynamodb_calls")
    }

    /// How often something was counted.
    pub fn counted(&self, name: &str) -> f64 {
        database::counted(&self.ctx.metrics, &self.metrics, name)
    }
}

fn key(row: &Value) -> std::collections::HashMap<String, AttributeValue> {
    let text = |name: &str| (name.to_owned(), AttributeValue::S(row[name].as_str().unwrap().to_owned()));
    [text("user_id"), text("sk")].into()
}

/// The job that webhook-terra makes of a body.
fn job_of(id: &DeliveryId, body: &str) -> Job {
    let body: Value = serde_json::from_str(body).unwrap();
    let delivery_id = id.clone();
    match Handling::of(body["type"].as_str().unwrap_or_default()) {
        Handling::Connect(_) => Job::TerraConnection { delivery_id },
        Handling::Fetch => Job::FetchLargeDelivery { delivery_id },
        _ => {
            let terra_user_id = body["user"]["user_id"].as_str().unwrap_or_default().to_owned();
            Job::TerraIngest { delivery_id, terra_user_id }
        }
    }
}

/// A message as the queue has it.
pub fn message(job: &NewJob) -> String {
    serde_json::to_string(&Message { job_id: job.id, epoch: 1, job: Some(job.job.clone()) }).unwrap()
}

fn sdk_config(database: &str, queue: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
        .service_config(Endpoints { database: database.to_owned(), queue: queue.to_owned() })
        .build()
}

#[derive(Debug)]
struct Endpoints {
    database: String,
    queue: String,
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        match (key.env(), key.service_id()) {
            ("AWS_ENDPOINT_URL", "DynamoDB") => Some(self.database.clone()),
            ("AWS_ENDPOINT_URL", "SQS") => Some(self.queue.clone()),
            _ => None,
        }
    }
}
