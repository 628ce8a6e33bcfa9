//! `Context`: configuration, clock, ids and clients, built once in `main` and shared by all requests of an instance.

use std::time::{Duration, Instant};

use crate::{
    auth::Authenticator,
    aws::Aws,
    breaker::Breakers,
    clock::Clock,
    config::{self, Config, ConfigError},
    ids::Ids,
    rate_limit::RateLimiter,
    store::{control::Control, objects::Objects, sessions::Sessions},
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
    pub auth: Authenticator,
    pub limiter: RateLimiter,
    pub breakers: Breakers,
    pub control: Control,
    pub sessions: Sessions,
    pub objects: Objects,
    /// For the providers: one connection pool, no redirects, no proxy of the environment.
    pub http: reqwest::Client,
    started: Instant,
}

impl Context {
    /// Starts the log and reads the environment; `required` are the variables without which this function can't work.
    pub fn from_env(function: &'static str, required: &[&str]) -> Result<Self, ContextError> {
        telemetry::init(function, &config::log_level());
        let config = Config::from_env(required).inspect_err(|err| tracing::error!(error = %err, "not configured"))?;
        let metrics = Metrics::to_stdout(function, &config.function_version);
        let aws = Aws::from_env(metrics.clone());
        Self::new(function, config, Clock::System, metrics, aws)
    }

    /// A context of given parts: tests bring their own clock and clients.
    pub fn new(
        function: &'static str,
        config: Config,
        clock: Clock,
        metrics: Metrics,
        aws: Aws,
    ) -> Result<Self, ContextError> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(1))
            .build()?;
        let control = Control::new(aws.clone(), config.control_table.clone());
        Ok(Self {
            function,
            auth: Authenticator::new(config.issuers.clone(), http.clone(), clock.clone(), metrics.clone()),
            limiter: RateLimiter::new(control.clone(), clock.clone(), metrics.clone()),
            breakers: Breakers::new(control.clone(), clock.clone(), metrics.clone()),
            sessions: Sessions::new(aws.clone(), config.sessions_table.clone()),
            objects: Objects::new(aws.clone(), config.bucket.clone()),
            ids: Ids,
            config,
            clock,
            metrics,
            aws,
            control,
            http,
            started: Instant::now(),
        })
    }

    /// How long this instance has been there.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Why a function can't start.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("HTTP client: {0}")]
    Http(#[from] reqwest::Error),
}
