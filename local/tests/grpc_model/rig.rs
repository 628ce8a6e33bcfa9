//! A server, a client, and the context that a function would call with.

use std::time::Duration;

use chrono::{DateTime, Utc};
use local::grpc_model::{GrpcModel, ModelFn, Prediction, Reply};
use prediction::{Answer, History, RemoteModel, Timing};
use shared::aws::Aws;
use shared::clock::Clock;
use shared::config::Config;
use shared::domain::engine::Reading;
use shared::telemetry::Metrics;
use shared::{Context, Result};

/// For what must not fail because a machine is busy.
pub const PATIENT: Timing = Timing {
    deadline: Duration::from_secs(30),
    connect: Duration::from_secs(20),
    doubt_after: Duration::from_secs(60),
    reply: Duration::from_secs(20),
};

pub struct Rig {
    pub server: GrpcModel,
    pub model: RemoteModel,
    pub context: Context,
}

impl Rig {
    /// Its model gives as many cycles as the history has readings, and the last reading's `s2` as its version.
    pub async fn start() -> Self {
        let server = GrpcModel::start(ModelFn::new(describe), 0).await.unwrap();
        let model = RemoteModel::new(server.url()).with_timing(PATIENT);
        Self { server, model, context: context() }
    }

    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.model = self.model.with_timing(timing);
        self
    }

    pub async fn predict(&self) -> Result<Answer> {
        self.ask(&readings(3)).await
    }

    pub async fn ask(&self, readings: &[Reading]) -> Result<Answer> {
        let gate = self.context.breakers.gate(prediction::NAME).await;
        self.model.predict(&self.context, &gate, History { engine_id: "FD001-7", readings }).await
    }

    pub async fn ask_all(&self, histories: &[History<'_>]) -> Result<Vec<Answer>> {
        let gate = self.context.breakers.gate(prediction::NAME).await;
        self.model.predict_all(&self.context, &gate, histories).await
    }

    /// How often the server is asked when it answers like this, and what becomes of it.
    pub async fn attempts(&self, replies: impl IntoIterator<Item = Reply>) -> (usize, Result<Answer>) {
        let before = self.server.asked().len();
        self.server.replies(replies);
        let outcome = self.predict().await;
        (self.server.asked().len() - before, outcome)
    }

    /// An answer that is right closes the breaker's count of failures.
    pub async fn recover(&self) {
        self.server.replies([Reply::Right]);
        self.predict().await.unwrap();
    }
}

fn describe(readings: &[Reading]) -> Prediction {
    let last = readings.last().unwrap();
    Prediction::new(readings.len().try_into().unwrap(), 0.87, last.sensors[0].to_string())
}

pub fn readings(count: u32) -> Vec<Reading> {
    (1..=count).map(|cycle| Reading { cycle, settings: [-0.0007, 0.8415, 100.0], sensors: [641.82; 14] }).collect()
}

/// Its breakers read no table: nobody listens on port 1, and what can't be read counts as closed.
fn context() -> Context {
    let config = Config::from_lookup(&[], |_| None).unwrap();
    let clock = Clock::manual(DateTime::<Utc>::UNIX_EPOCH);
    let aws = local::Aws {
        dynamodb: "http://127.0.0.1:1".into(),
        sqs: "http://127.0.0.1:1".into(),
        s3: "http://127.0.0.1:1".into(),
        secrets_manager: "http://127.0.0.1:1".into(),
        access_key_id: "none".into(),
        secret_access_key: "none".into(),
        region: local::REGION.into(),
    };
    let aws = Aws::from_config(aws.sdk_config(), Metrics::discard());
    Context::new("predict", config, clock, Metrics::discard(), aws)
}
