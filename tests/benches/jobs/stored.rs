//! The stack's tables, bucket and queue through the project's own stores.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use local::Stack;
use shared::{Context, aws::Aws, clock::Clock, config::Config, telemetry::Metrics};

/// A context with the worker's configuration, and a key that may do everything.
pub fn context(stack: &Stack) -> Context {
    let worker = stack.model().functions.iter().find(|function| function.name == super::WORKER).unwrap();
    let config = Config::from_lookup(&[], |name| worker.environment.get(name).cloned()).unwrap();
    let metrics = Metrics::discard();
    let aws = Aws::from_config(sdk_config(stack), metrics.clone());
    Context::new(super::WORKER, config, Clock::System, metrics, aws)
}

fn sdk_config(stack: &Stack) -> SdkConfig {
    let aws = stack.aws();
    let credentials = Credentials::new(&aws.access_key_id, &aws.secret_access_key, None, None, "stack");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .service_config(Endpoints(aws.clone()))
        .build()
}

/// Each service at its own address, as `AWS_ENDPOINT_URL_*` says it to a function.
#[derive(Debug)]
struct Endpoints(local::Aws);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        match (key.env(), key.service_id()) {
            ("AWS_ENDPOINT_URL", "DynamoDB") => Some(self.0.dynamodb.clone()),
            ("AWS_ENDPOINT_URL", "S3") => Some(self.0.s3.clone()),
            ("AWS_ENDPOINT_URL", "SQS") => Some(self.0.sqs.clone()),
            _ => None,
        }
    }
}
