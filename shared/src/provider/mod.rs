//! Outbound calls, each with a deadline, retries within it, and a breaker.

use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};

use crate::{
    Context,
    breaker::Gate,
    config::Secret,
    error::{Error, Result},
    secrets::Values,
};

pub mod camera;
mod client;
pub mod roboflow;
pub mod terra;

pub use client::Http;

/// How one attempt at a provider failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// No connection, or one that broke.
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// The provider is overloaded or broken and says so; worth another attempt.
    #[error("status {status}")]
    Overloaded { status: u16, retry_after: Option<Duration> },
    /// The provider failed in a way that another attempt does not mend.
    #[error("status {status}")]
    Broken { status: u16 },
    /// The provider refuses the request: our configuration or the request is at fault, not its health.
    #[error("refused with status {status}: {message}")]
    Refused { status: u16, message: String },
    /// The provider answered with something that can't be used.
    #[error("unusable answer: {0}")]
    Unusable(String),
}

/// A provider and the time that it is given, all attempts together.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub provider: &'static str,
    pub deadline: Duration,
}

/// Further attempts after the first.
const RETRIES: usize = 2;
/// Doubled for the second, and up to twice as long by jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

impl Failure {
    fn is_worth_another_attempt(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Overloaded { .. })
    }

    /// How long to wait before the next attempt: as long as the provider asks. `None` where there is no time for that.
    fn pause(&self, own: Duration, left: Duration) -> Option<Duration> {
        let asked = match self {
            Self::Overloaded { retry_after, .. } => *retry_after,
            _ => None,
        };
        Some(asked.unwrap_or(own)).filter(|pause| *pause < left)
    }

    /// What speaks against the provider's health; a refusal does not, it is our request that was wrong.
    fn counts(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }

    /// Out of an error of the HTTP client, whose own text may hold the URL and with it a key.
    pub fn of_http(err: reqwest::Error) -> Self {
        if err.is_timeout() { Self::Timeout } else { Self::Unreachable(err.without_url().to_string()) }
    }
}

impl Call {
    /// Attempts the call until it succeeds, fails for good, or its time is up. Nothing is attempted while the
    /// provider's breaker is open.
    pub async fn run<T, F>(self, ctx: &Context, gate: &Gate, attempt: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let permit = gate.enter().await.map_err(|open| Error::Unavailable {
            detail: format!("the {} is not available, try again", self.provider),
            retry_after: open.retry_after,
            source: Some("breaker open".into()),
        })?;
        let started = Instant::now();
        let mut retries = 0;
        let pauses = ExponentialBuilder::default().with_min_delay(FIRST_PAUSE).with_max_times(RETRIES).with_jitter();
        let attempts = attempt
            .retry(pauses)
            .when(Failure::is_worth_another_attempt)
            .adjust(|failure, pause| failure.pause(pause?, self.deadline.saturating_sub(started.elapsed())))
            .notify(|_, _| retries += 1);
        let outcome = tokio::time::timeout(self.deadline, attempts).await.unwrap_or(Err(Failure::Timeout));
        ctx.metrics.provider_call(self.provider, outcome.is_ok(), started.elapsed(), retries);
        match &outcome {
            Err(failure) if failure.counts() => permit.failed().await,
            Ok(_) | Err(_) => permit.succeeded().await,
        }
        outcome.map_err(|failure| self.error(failure))
    }

    fn error(self, failure: Failure) -> Error {
        let upstream = self.provider;
        match failure {
            Failure::Timeout => Error::UpstreamTimeout { upstream, source: None },
            Failure::Unreachable(_) | Failure::Overloaded { .. } => {
                let retry_after = match failure {
                    Failure::Overloaded { retry_after: Some(wait), .. } => wait,
                    _ => crate::error::RETRY_AFTER,
                };
                let detail = format!("the {upstream} is not available, try again");
                Error::Unavailable { detail, retry_after, source: Some(failure.into()) }
            }
            Failure::Broken { .. } | Failure::Refused { .. } | Failure::Unusable(_) => {
                Error::UpstreamFailed { upstream, source: failure.into() }
            }
        }
    }
}

/// One attempt with the provider's key as it is known, and another at once where it is refused and was rotated since.
pub(crate) async fn keyed<T, F>(
    ctx: &Context,
    key_of: fn(&Values) -> Option<&Secret>,
    attempt: impl Fn(Secret) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let key = |secrets: &Values| key_of(secrets).cloned().ok_or_else(|| Failure::Unusable("there is no key".into()));
    let known = ctx.secrets.current().await.map_err(|err| Failure::Unreachable(err.to_string()))?;
    match attempt(key(&known)?).await {
        Err(Failure::Refused { status: status @ (401 | 403), message }) => match ctx.secrets.renewed(&known).await {
            Some(renewed) => attempt(key(&renewed)?).await,
            None => Err(Failure::Refused { status, message }),
        },
        outcome => outcome,
    }
}

/// Reads an answer of at most `limit` bytes.
pub(crate) async fn body(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Failure::of_http)? {
        if bytes.len() + chunk.len() > limit {
            return Err(Failure::Unusable(format!("more than {limit} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// `Retry-After` in seconds.
pub(crate) fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let value = response.headers().get(http::header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

/// Whether anything answers at this address; what it answers does not matter as long as it is no server error.
pub async fn reachable(http: &Http, url: &str) -> Result<(), Failure> {
    let response = http.get(url)?.send().await.map_err(Failure::of_http)?;
    match response.status().as_u16() {
        status @ 500.. => Err(Failure::Broken { status }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_what_the_provider_asks_for_if_there_is_time_for_it() {
        let (own, left) = (Duration::from_millis(100), Duration::from_secs(3));
        let overloaded =
            |seconds: Option<u64>| Failure::Overloaded { status: 503, retry_after: seconds.map(Duration::from_secs) };
        assert_eq!(overloaded(None).pause(own, left), Some(own));
        assert_eq!(overloaded(Some(2)).pause(own, left), Some(Duration::from_secs(2)));
        assert_eq!(overloaded(Some(3)).pause(own, left), None);
        assert_eq!(Failure::Unreachable(String::new()).pause(own, Duration::from_millis(50)), None);
    }

    #[test]
    fn a_refusal_says_nothing_about_the_providers_health_and_is_not_repeated() {
        let refused = Failure::Refused { status: 404, message: String::new() };
        assert!(!refused.counts() && !refused.is_worth_another_attempt());
        let broken = Failure::Broken { status: 500 };
        assert!(broken.counts() && !broken.is_worth_another_attempt());
        assert!(Failure::Unreachable(String::new()).is_worth_another_attempt());
    }
}
