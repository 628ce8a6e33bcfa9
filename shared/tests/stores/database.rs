//! A DynamoDB of a test's own.

use std::time::Duration;

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

pub const CONTROL: &str = "control";
pub const SESSIONS: &str = "sessions";

/// A server in memory, gone with its owner.
pub struct Database {
    pub aws: Aws,
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
            .endpoint_url(endpoint)
            .load()
            .await;
        let metrics = Metrics::capture();
        let aws = Aws::from_config(config, metrics.0.clone());
        create_tables(aws.dynamodb().await).await;
        Self { aws, metrics, stop, server }
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

async fn create_tables(client: &Client) {
    let create = client.create_table().table_name(CONTROL).billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(attribute("key", ScalarAttributeType::S));
    create.key_schema(key("key", KeyType::Hash)).send().await.unwrap();

    let mut create = client.create_table().table_name(SESSIONS).billing_mode(BillingMode::PayPerRequest);
    for name in ["session_id", "sk", "user_id", "created_at"] {
        create = create.attribute_definitions(attribute(name, ScalarAttributeType::S));
    }
    create
        .attribute_definitions(attribute("active_shard", ScalarAttributeType::N))
        .key_schema(key("session_id", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index("by_user", "user_id"))
        .global_secondary_indexes(index("active", "active_shard"))
        .send()
        .await
        .unwrap();
}

fn attribute(name: &str, kind: ScalarAttributeType) -> AttributeDefinition {
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

fn index(name: &str, hash: &str) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(key(hash, KeyType::Hash))
        .key_schema(key("created_at", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap()
}
