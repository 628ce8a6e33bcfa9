//! Typed configuration, read once from a lookup function. A variable that is empty counts as absent, since an
//! optional parameter of the template arrives as an empty string.

use std::time::Duration;

mod issuers;
mod providers;
mod secrets;
#[cfg(test)]
mod tests;

pub use issuers::{IssuerConfig, IssuerKind};
pub use providers::{CameraConfig, CameraFallback, RoboflowConfig, TerraConfig};
pub use secrets::{Secret, SecretsConfig, secret};

/// Names of the variables that a function may require.
pub mod name {
    pub const AUTH_ISSUERS: &str = "AUTH_ISSUERS";
    pub const BUCKET: &str = "BUCKET";
    pub const CONNECTIONS_TABLE: &str = "CONNECTIONS_TABLE";
    pub const CONTROL_TABLE: &str = "CONTROL_TABLE";
    pub const ENGINES_TABLE: &str = "ENGINES_TABLE";
    pub const JOB_DEAD_LETTER_QUEUE_URL: &str = "JOB_DEAD_LETTER_QUEUE_URL";
    pub const JOB_QUEUE_URL: &str = "JOB_QUEUE_URL";
    pub const JOBS_TABLE: &str = "JOBS_TABLE";
    pub const LATEST_METRICS_TABLE: &str = "LATEST_METRICS_TABLE";
    pub const METRICS_TABLE: &str = "METRICS_TABLE";
    pub const QUARANTINE_TABLE: &str = "QUARANTINE_TABLE";
    pub const SECRETS_ARN: &str = "SECRETS_ARN";
    pub const SESSIONS_TABLE: &str = "SESSIONS_TABLE";
    pub const WEBHOOKS_TABLE: &str = "WEBHOOKS_TABLE";
}

/// Three visibility timeouts of 3 minutes, and then some: by then a message that is still there has come back.
const JOB_OVERDUE_AFTER: Duration = Duration::from_secs(15 * 60);

/// What a function is configured with. A name that the function did not require may be an empty string; it then has
/// no code that uses it.
#[derive(Debug, Clone)]
pub struct Config {
    pub stage: String,
    /// Version that the platform gave this deployment: the dimension that a canary is watched by.
    pub function_version: String,
    pub control_table: String,
    pub sessions_table: String,
    pub webhooks_table: String,
    pub connections_table: String,
    pub quarantine_table: String,
    pub jobs_table: String,
    pub metrics_table: String,
    pub latest_metrics_table: String,
    pub engines_table: String,
    pub bucket: String,
    pub job_queue_url: String,
    pub job_dead_letter_queue_url: String,
    pub issuers: Vec<IssuerConfig>,
    pub camera: Option<CameraConfig>,
    pub camera_fallback: CameraFallback,
    pub roboflow: Option<RoboflowConfig>,
    /// Where a planner's own model answers over gRPC; none where the built-in one is all there is.
    pub ml_service_url: Option<String>,
    pub terra: TerraConfig,
    pub secrets: SecretsConfig,
    /// How long a queued job may be overdue before the sweeper takes its message for lost.
    pub job_overdue_after: Duration,
}

/// Everything that is wrong with the configuration, in one message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("configuration: {}", .0.join("; "))]
pub struct ConfigError(pub Vec<String>);

/// The level of the log, which starts before anything else, so that a faulty configuration can be logged.
#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
pub fn log_level() -> String {
    std::env::var("LOG_LEVEL").unwrap_or_else(|_| "info".into())
}

impl Config {
    /// Reads the process environment.
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    pub fn from_env(required: &[&'static str]) -> Result<Self, ConfigError> {
        Self::from_lookup(required, |name| std::env::var(name).ok())
    }

    /// Reads the configuration from `lookup`; all that is missing or malformed is reported together.
    pub fn from_lookup(
        required: &[&'static str],
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let (secrets, variables): (Vec<_>, Vec<_>) =
            required.iter().copied().partition(|name| secrets::is_secret(name));
        let mut faults: Vec<String> =
            variables.iter().filter(|name| get(name).is_none()).map(|name| format!("{name} is missing")).collect();
        let issuers = issuers::read(&get, &mut faults);
        let camera = providers::camera(&get, &mut faults);
        let roboflow = providers::roboflow(&get, &mut faults);
        let ml_service_url = providers::ml_service_url(&get, &mut faults);
        let camera_fallback = providers::camera_fallback(&get, &mut faults);
        let job_overdue_after = job_overdue_after(&get, &mut faults);
        let secrets = SecretsConfig {
            arn: get(name::SECRETS_ARN).unwrap_or_default(),
            needed: secrets::needed(&secrets, camera.is_some(), roboflow.is_some(), &issuers),
        };
        if secrets.arn.is_empty() && !secrets.needed.is_empty() {
            faults.push(format!("SECRETS_ARN is missing (needed for {})", secrets.needed.join(", ")));
        }
        if !faults.is_empty() {
            return Err(ConfigError(faults));
        }
        let text = |name: &str| get(name).unwrap_or_default();
        Ok(Self {
            stage: get("STAGE").unwrap_or_else(|| "dev".into()),
            function_version: get("AWS_LAMBDA_FUNCTION_VERSION").unwrap_or_else(|| "$LATEST".into()),
            control_table: text(name::CONTROL_TABLE),
            sessions_table: text(name::SESSIONS_TABLE),
            webhooks_table: text(name::WEBHOOKS_TABLE),
            connections_table: text(name::CONNECTIONS_TABLE),
            quarantine_table: text(name::QUARANTINE_TABLE),
            jobs_table: text(name::JOBS_TABLE),
            metrics_table: text(name::METRICS_TABLE),
            latest_metrics_table: text(name::LATEST_METRICS_TABLE),
            engines_table: text(name::ENGINES_TABLE),
            bucket: text(name::BUCKET),
            job_queue_url: text(name::JOB_QUEUE_URL),
            job_dead_letter_queue_url: text(name::JOB_DEAD_LETTER_QUEUE_URL),
            issuers,
            camera,
            camera_fallback,
            roboflow,
            ml_service_url,
            terra: providers::terra(&get),
            secrets,
            job_overdue_after,
        })
    }
}

fn job_overdue_after(get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Duration {
    match get("JOB_OVERDUE_AFTER_SECONDS").map(|text| text.parse()) {
        None => JOB_OVERDUE_AFTER,
        Some(Ok(seconds)) => Duration::from_secs(seconds),
        Some(Err(_)) => {
            faults.push("JOB_OVERDUE_AFTER_SECONDS must be a whole number".into());
            JOB_OVERDUE_AFTER
        }
    }
}
