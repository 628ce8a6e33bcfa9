//! `Context`: configuration, clock, ids and clients, built once in `main` and shared by all requests of an instance.

use std::time::{Duration, Instant};

use crate::{
    auth::Authenticator,
    aws::Aws,
    breaker::Breakers,
    clock::Clock,
    config::{self, Config, ConfigError},
    ids::Ids,
    provider::Http,
    rate_limit::RateLimiter,
    secrets::{Secrets, SecretsError},
    store::{
        connections::Connections, control::Control, engines::Engines, jobs::Jobs, metrics::Metrics as MetricStore,
        objects::Objects, sessions::Sessions, webhooks::Webhooks,
    },
    telemetry::{self, Metrics},
};

/// Everything a handler works with. Clients connect on first use.
pub struct Context {
    /// The function's name, as in its folder and its logs.
    pub function: &'static str,
    pub config: Config,
    pub clock: Clock,
    pub ids: Ids,
    pub metrics: Metrics,
    pub aws: Aws,
    pub secrets: Secrets,
    pub auth: Authenticator,
    pub limiter: RateLimiter,
    pub breakers: Breakers,
    pub control: Control,
    pub sessions: Sessions,
    pub objects: Objects,
    pub webhooks: Webhooks,
    pub connections: Connections,
    pub jobs: Jobs,
    /// Users' health metrics; what the function itself measures goes to `metrics`.
    pub health: MetricStore,
    pub engines: Engines,
    /// For the providers.
    pub http: Http,
    started: Instant,
}

impl Context {
    /// Starts the log and reads the environment; `required` are the variables and secrets without which this function
    /// can't work.
    pub fn from_env(function: &'static str, required: &[&'static str]) -> Result<Self, ConfigError> {
        telemetry::init(function, &config::log_level());
        let config = Config::from_env(required).inspect_err(|err| tracing::error!(error = %err, "not configured"))?;
        let metrics = Metrics::to_stdout(function, &config.function_version);
        let aws = Aws::from_env(metrics.clone());
        Ok(Self::new(function, config, Clock::System, metrics, aws))
    }

    /// A context of given parts: tests bring their own clock and clients.
    pub fn new(function: &'static str, config: Config, clock: Clock, metrics: Metrics, aws: Aws) -> Self {
        let http = Http::default();
        let control = Control::new(aws.clone(), config.control_table.clone());
        let objects = Objects::new(aws.clone(), config.bucket.clone());
        let secrets = Secrets::new(config.secrets.clone(), aws.clone(), clock.clone(), metrics.clone());
        Self {
            function,
            auth: Authenticator::new(
                config.issuers.clone(),
                http.clone(),
                secrets.clone(),
                clock.clone(),
                metrics.clone(),
            ),
            secrets,
            limiter: RateLimiter::new(control.clone(), clock.clone(), metrics.clone()),
            breakers: Breakers::new(control.clone(), clock.clone(), metrics.clone()),
            sessions: Sessions::new(aws.clone(), config.sessions_table.clone()),
            webhooks: Webhooks::new(aws.clone(), config.webhooks_table.clone(), objects.clone()),
            connections: Connections::new(
                aws.clone(),
                config.connections_table.clone(),
                config.quarantine_table.clone(),
            ),
            jobs: Jobs::new(aws.clone(), config.jobs_table.clone()),
            health: MetricStore::new(aws.clone(), config.metrics_table.clone(), config.latest_metrics_table.clone()),
            engines: Engines::new(aws.clone(), config.engines_table.clone()),
            objects,
            ids: Ids,
            config,
            clock,
            metrics,
            aws,
            control,
            http,
            started: Instant::now(),
        }
    }

    /// Fetches what the function can't work without, before its first event: an instance that could refuse everything only
    /// does not come up at all, and its log says why.
    pub(crate) async fn fetch_secrets(&self) -> Result<(), SecretsError> {
        let fetched = self.secrets.current().await;
        fetched.map(drop).inspect_err(|err| tracing::error!(error = %err, "no secrets"))
    }

    /// How long this instance has been there.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}
