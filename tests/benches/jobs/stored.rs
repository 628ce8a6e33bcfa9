//! The stack's tables, bucket and queue through the project's own stores.

use local::Stack;
use shared::{Context, aws::Aws, clock::Clock, config::Config, telemetry::Metrics};

/// A context with the worker's configuration, and a key that may do everything.
pub fn context(stack: &Stack) -> Context {
    let worker = stack.model().functions.iter().find(|function| function.name == super::WORKER).unwrap();
    let config = Config::from_lookup(&[], |name| worker.environment.get(name).cloned()).unwrap();
    let metrics = Metrics::discard();
    let aws = Aws::from_config(stack.aws().sdk_config(), metrics.clone());
    Context::new(super::WORKER, config, Clock::System, metrics, aws)
}
