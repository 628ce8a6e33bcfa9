//! The AWS SDK clients, each made on its first use: a function that only reads its memory pays for none of them.
//!
//! Credentials, region and endpoints come from the environment, as Lambda sets it; `AWS_ENDPOINT_URL_*` points the
//! same code at any other implementation of the API.

use std::{sync::Arc, time::Duration};

use aws_config::{
    BehaviorVersion, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    environment::EnvironmentVariableRegionProvider, retry::RetryConfig, timeout::TimeoutConfig,
};
use tokio::sync::OnceCell;

use crate::telemetry::{Metrics, SdkTimer};

const CONNECT: Duration = Duration::from_secs(1);
const ATTEMPT: Duration = Duration::from_secs(1);
const OPERATION: Duration = Duration::from_secs(3);
/// A frame or a report is megabytes, not an item: its attempt may take longer than one of DynamoDB.
const S3_ATTEMPT: Duration = Duration::from_secs(4);
const S3_OPERATION: Duration = Duration::from_secs(8);

/// The longest pause before the second attempt of a call that is in a hurry. The SDK's own is a second: more than such a
/// call may take in all.
const SHORT_PAUSE: Duration = Duration::from_millis(50);

/// Clients of DynamoDB, S3, SQS and Secrets Manager.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    metrics: Metrics,
    config: OnceCell<SdkConfig>,
    dynamodb: OnceCell<aws_sdk_dynamodb::Client>,
    s3: OnceCell<aws_sdk_s3::Client>,
    sqs: OnceCell<aws_sdk_sqs::Client>,
    secrets_manager: OnceCell<aws_sdk_secretsmanager::Client>,
}

impl Aws {
    /// Clients configured by the process environment.
    pub fn from_env(metrics: Metrics) -> Self {
        Self::with(OnceCell::new(), metrics)
    }

    /// Clients with a configuration of the caller's.
    pub fn from_config(config: SdkConfig, metrics: Metrics) -> Self {
        Self::with(OnceCell::new_with(Some(config)), metrics)
    }

    fn with(config: OnceCell<SdkConfig>, metrics: Metrics) -> Self {
        let (dynamodb, s3, sqs, secrets_manager) = Default::default();
        Self(Arc::new(Inner { metrics, config, dynamodb, s3, sqs, secrets_manager }))
    }

    async fn config(&self) -> &SdkConfig {
        self.0
            .config
            .get_or_init(|| {
                aws_config::defaults(BehaviorVersion::latest())
                    .credentials_provider(EnvironmentVariableCredentialsProvider::new())
                    .region(EnvironmentVariableRegionProvider::new())
                    .load()
            })
            .await
    }

    /// DynamoDB: connect 1 s, attempt 1 s, operation 3 s.
    pub async fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.0
            .dynamodb
            .get_or_init(async || {
                let config = aws_sdk_dynamodb::config::Builder::from(self.config().await)
                    .timeout_config(timeouts(ATTEMPT, OPERATION))
                    .retry_config(RetryConfig::standard().with_max_attempts(3))
                    .interceptor(SdkTimer::new(self.0.metrics.clone()))
                    .build();
                aws_sdk_dynamodb::Client::from_conf(config)
            })
            .await
    }

    /// S3: connect 1 s, attempt 4 s, operation 8 s.
    pub async fn s3(&self) -> &aws_sdk_s3::Client {
        self.0
            .s3
            .get_or_init(async || {
                let config = aws_sdk_s3::config::Builder::from(self.config().await)
                    .timeout_config(timeouts(S3_ATTEMPT, S3_OPERATION))
                    .build();
                aws_sdk_s3::Client::from_conf(config)
            })
            .await
    }

    /// SQS: connect 1 s, attempt 1 s, operation 3 s.
    pub async fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.0
            .sqs
            .get_or_init(async || {
                let config = aws_sdk_sqs::config::Builder::from(self.config().await)
                    .timeout_config(timeouts(ATTEMPT, OPERATION))
                    .build();
                aws_sdk_sqs::Client::from_conf(config)
            })
            .await
    }

    /// Secrets Manager: connect 1 s, attempt 1 s, operation 3 s: a cold start waits for it.
    pub async fn secrets_manager(&self) -> &aws_sdk_secretsmanager::Client {
        self.0
            .secrets_manager
            .get_or_init(async || {
                let config = aws_sdk_secretsmanager::config::Builder::from(self.config().await)
                    .timeout_config(timeouts(ATTEMPT, OPERATION))
                    .build();
                aws_sdk_secretsmanager::Client::from_conf(config)
            })
            .await
    }
}

/// Of a call that must end within `deadline`, a fraction of a second: two attempts at most.
pub(crate) fn within(deadline: Duration) -> (TimeoutConfig, RetryConfig) {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(deadline).operation_timeout(deadline).build();
    (timeouts, RetryConfig::standard().with_max_attempts(2).with_initial_backoff(SHORT_PAUSE))
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}
