//! A DynamoDB of a test's own.

use std::{collections::BTreeSet, time::Duration};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::{
    Client,
    config::Credentials,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType,
    },
};
use shared::{
    aws::Aws,
    store::control::{Control, Deadlines},
    telemetry::{Captured, Metrics, RequestRecord},
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

pub const CONNECTIONS: &str = "connections";
pub const CONTROL: &str = "control";
pub const JOBS: &str = "jobs";
pub const LATEST_METRICS: &str = "latest-metrics";
pub const METRICS: &str = "metrics";
pub const QUARANTINE: &str = "quarantine";
pub const SESSIONS: &str = "sessions";
pub const WEBHOOKS: &str = "webhooks";

/// A server in memory, gone with its owner.
pub struct Database {
    pub aws: Aws,
    /// Its URL.
    pub endpoint: String,
    metrics: (Metrics, Captured),
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Database {
    /// An empty database with the tables of the template.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async {
            let database = dynoxide::Database::memory().unwrap();
            let stopped = async { drop(stopped.await) };
            dynoxide::server::serve_with_shutdown(listener, database, stopped).await.unwrap();
        });
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(&endpoint)
            .load()
            .await;
        let metrics = Metrics::capture();
        let aws = Aws::from_config(config, metrics.0.clone());
        create_tables(aws.dynamodb().await).await;
        Self { aws, endpoint, metrics, stop, server }
    }

    /// The Control table, as an instance sees it that is never in a hurry.
    pub fn control(&self) -> Control {
        let patient = Duration::from_secs(30);
        Control::new(self.aws.clone(), CONTROL.into()).with_deadlines(Deadlines { limiter: patient, breaker: patient })
    }

    /// How many operations were sent to it.
    pub fn calls(&self) -> f64 {
        counted(&self.metrics.0, &self.metrics.1, "dynamodb_calls")
    }

    /// Goes away, with all that was in it.
    pub async fn stop(self) -> Aws {
        let _ = self.stop.send(());
        self.server.await.unwrap();
        self.aws
    }
}

/// The sum of a metric over all that was counted so far.
pub fn counted(metrics: &Metrics, captured: &Captured, metric: &str) -> f64 {
    // What was counted is written with the request that it belongs to.
    metrics.request(RequestRecord {
        route: "test",
        correlation_id: "test",
        request_id: "test",
        status: 200,
        duration: Duration::ZERO,
        cold_start: false,
    });
    captured.sum(metric)
}

/// An index: its name, its keys, whether it holds whole items.
type Index = (&'static str, &'static [&'static str], bool);

/// The tables of the template: name, keys (the hash key first), indexes.
const TABLES: [(&str, &[&str], &[Index]); 8] = [
    (CONTROL, &["key"], &[]),
    (
        SESSIONS,
        &["session_id", "sk"],
        &[("by_user", &["user_id", "created_at"], false), ("active", &["active_shard", "created_at"], false)],
    ),
    (WEBHOOKS, &["delivery_id"], &[("by_terra_user", &["terra_user_id", "received_at"], false)]),
    (CONNECTIONS, &["terra_user_id"], &[("by_user", &["user_id"], false)]),
    (QUARANTINE, &["terra_user_id", "delivery_id"], &[]),
    (JOBS, &["job_id"], &[("dead", &["dead_type", "failed_at"], true), ("queued", &["queued_shard", "due_at"], true)]),
    (METRICS, &["user_id", "sk"], &[]),
    (LATEST_METRICS, &["user_id", "sk"], &[]),
];
/// Keys that are numbers.
const NUMBERS: [&str; 2] = ["active_shard", "queued_shard"];

async fn create_tables(client: &Client) {
    for (name, keys, indexes) in TABLES {
        let mut create = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        create = create.set_key_schema(Some(schema(keys)));
        let mut attributes = BTreeSet::from_iter(keys);
        for (index, keys, whole) in indexes {
            attributes.extend(*keys);
            let projection = if *whole { ProjectionType::All } else { ProjectionType::KeysOnly };
            create = create.global_secondary_indexes(
                GlobalSecondaryIndex::builder()
                    .index_name(*index)
                    .set_key_schema(Some(schema(keys)))
                    .projection(Projection::builder().projection_type(projection).build())
                    .build()
                    .unwrap(),
            );
        }
        for name in attributes {
            let kind = if NUMBERS.contains(name) { ScalarAttributeType::N } else { ScalarAttributeType::S };
            create = create.attribute_definitions(
                AttributeDefinition::builder().attribute_name(*name).attribute_type(kind).build().unwrap(),
            );
        }
        create.send().await.unwrap();
    }
}

fn schema(keys: &[&str]) -> Vec<KeySchemaElement> {
    let kinds = [KeyType::Hash, KeyType::Range];
    let key = |(name, kind): (&&str, KeyType)| {
        KeySchemaElement::builder().attribute_name(*name).key_type(kind).build().unwrap()
    };
    keys.iter().zip(kinds).map(key).collect()
}
