//! The AWS SDK, pointed at the stack.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::Aws;

impl Aws {
    /// A configuration for the SDK's clients: the stack's addresses, and the key that may do everything.
    pub fn sdk_config(&self) -> SdkConfig {
        let credentials = Credentials::new(&self.access_key_id, &self.secret_access_key, None, None, "stack");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .service_config(Endpoints(self.clone()))
            .build()
    }
}

/// Each service at its own address, as `AWS_ENDPOINT_URL_*` says it to a function.
#[derive(Debug)]
struct Endpoints(Aws);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        match (key.env(), key.service_id()) {
            ("AWS_ENDPOINT_URL", "DynamoDB") => Some(self.0.dynamodb.clone()),
            ("AWS_ENDPOINT_URL", "S3") => Some(self.0.s3.clone()),
            ("AWS_ENDPOINT_URL", "Secrets Manager") => Some(self.0.secrets_manager.clone()),
            ("AWS_ENDPOINT_URL", "SQS") => Some(self.0.sqs.clone()),
            _ => None,
        }
    }
}
