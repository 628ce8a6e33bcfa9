//! Something on loopback that answers like SQS and DynamoDB, and remembers what it was asked.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    Context,
    aws::Aws,
    clock::Clock,
    config::Config,
    store::control::Deadlines,
    telemetry::{Metrics, fake_dynamodb},
};

pub(super) struct FakeQueue {
    pub(super) ctx: Context,
    calls: Arc<Mutex<Vec<String>>>,
}

impl FakeQueue {
    /// Answers each operation, the `n`th call from 0, with what `answer` says. `None` leaves the caller waiting.
    pub(super) async fn start(answer: impl Fn(&str, usize) -> Option<(u16, String)> + Send + Sync + 'static) -> Self {
        let calls: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = calls.clone();
        let config = fake_dynamodb::start(move |operation| {
            let at = {
                let mut seen = seen.lock().unwrap();
                seen.push(operation.to_owned());
                seen.len() - 1
            };
            answer(operation, at)
        })
        .await;
        let metrics = Metrics::discard();
        let aws = Aws::from_config(config, metrics.clone());
        let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
        let config = Config::from_lookup(&[], |name| match name {
            name if name.ends_with("QUEUE_URL") => Some("https://localhost/0/jobs".into()),
            name if name.ends_with("TABLE") => Some("table".into()),
            _ => None,
        });
        let mut ctx = Context::new("test", config.unwrap(), clock, metrics, aws);
        let patient = Duration::from_secs(20);
        ctx.control = ctx.control.with_deadlines(Deadlines { limiter: patient, breaker: patient });
        Self { ctx, calls }
    }

    /// The operations so far.
    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}
