//! What the functions sign and verify with, out of one secret of Secrets Manager: a JSON object of texts.
//!
//! Fetched once when an instance starts, and again when something was refused that a rotation would explain: a signature
//! that does not verify, a key that a provider does not take. At most once a minute, however many are refused, and of
//! several at once one asks. So a secret that is rotated is used within a request, and nobody can make us ask for more.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::{info, warn};

use crate::{
    aws::Aws,
    clock::Clock,
    config::SecretsConfig,
    error::Error,
    telemetry::{Metrics, describe},
};

mod values;

pub use values::Values;

/// How often, at most, a refusal is a reason to ask again.
const ASKED_EVERY: TimeDelta = TimeDelta::seconds(60);
/// What asking again may take: a request waits for it.
const DEADLINE: Duration = Duration::from_secs(1);

/// The function's secrets. Cheap to clone; all clones know the same.
#[derive(Clone)]
pub struct Secrets(Arc<Inner>);

struct Inner {
    config: SecretsConfig,
    aws: Aws,
    clock: Clock,
    metrics: Metrics,
    known: Mutex<Known>,
    /// Held while Secrets Manager is asked.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    values: Option<Arc<Values>>,
    /// When it was last asked again. The first time does not count: what changes right after it is found out at once.
    asked_again_at: Option<DateTime<Utc>>,
}

/// Why a function can't start, or a request can't be answered: never with anything of what the secret holds.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error("the secret {arn} can't be read: {why}")]
    Unreadable { arn: String, why: String },
    #[error("the secret {arn} can't be used: {why}")]
    Unusable { arn: String, why: String },
}

impl Secrets {
    pub fn new(config: SecretsConfig, aws: Aws, clock: Clock, metrics: Metrics) -> Self {
        let (known, asking) = Default::default();
        Self(Arc::new(Inner { config, aws, clock, metrics, known, asking }))
    }

    /// Secrets that are known already and never asked for again: for tests that have no Secrets Manager.
    pub fn fixed(values: Values) -> Self {
        let metrics = Metrics::discard();
        let secrets = Self::new(SecretsConfig::default(), Aws::from_env(metrics.clone()), Clock::System, metrics);
        secrets.known().values = Some(Arc::new(values));
        secrets
    }

    /// What the secret held when it was last fetched; fetched now where it never was. A function that needs none of it has
    /// none, and asks for none.
    pub async fn current(&self) -> Result<Arc<Values>, SecretsError> {
        if let Some(values) = self.kept() {
            return Ok(values);
        }
        let _asking = self.0.asking.lock().await;
        if let Some(values) = self.kept() {
            return Ok(values);
        }
        let values = Arc::new(self.fetch().await?);
        self.known().values = Some(Arc::clone(&values));
        Ok(values)
    }

    /// After something was refused with `used`: what the secret holds now, if that is something else.
    pub async fn renewed(&self, used: &Arc<Values>) -> Option<Arc<Values>> {
        let _asking = self.0.asking.lock().await;
        // Somebody has asked since.
        if let Some(newer) = self.kept().filter(|kept| kept != used) {
            return Some(newer);
        }
        if !self.may_ask_again() {
            return None;
        }
        self.0.metrics.count("secrets_fetched_again");
        let fetched = tokio::time::timeout(DEADLINE, self.fetch()).await;
        match fetched {
            Ok(Ok(values)) if values != **used => {
                info!("the secrets were rotated");
                let values = Arc::new(values);
                self.known().values = Some(Arc::clone(&values));
                Some(values)
            }
            Ok(Ok(_unchanged)) => None,
            Ok(Err(err)) => {
                warn!(
                    error = &err as &dyn std::error::Error,
                    "secrets not fetched again, the known ones go on being used"
                );
                None
            }
            Err(_late) => {
                warn!("secrets not fetched in time, the known ones go on being used");
                None
            }
        }
    }

    fn kept(&self) -> Option<Arc<Values>> {
        self.known().values.clone()
    }

    fn may_ask_again(&self) -> bool {
        // Nothing to ask for: the function has no secret.
        if self.0.config.arn.is_empty() {
            return false;
        }
        let now = self.0.clock.now();
        let mut known = self.known();
        let may = known.asked_again_at.is_none_or(|at| now - at >= ASKED_EVERY);
        if may {
            known.asked_again_at = Some(now);
        }
        may
    }

    async fn fetch(&self) -> Result<Values, SecretsError> {
        let SecretsConfig { arn, needed } = &self.0.config;
        if arn.is_empty() {
            return Ok(Values::default());
        }
        let unreadable = |why: String| SecretsError::Unreadable { arn: arn.clone(), why };
        let request = self.0.aws.secrets_manager().await.get_secret_value().secret_id(arn);
        let answer = request.send().await.map_err(|err| unreadable(describe(&err)))?;
        let text = answer.secret_string().ok_or_else(|| unreadable("it holds bytes, not text".into()))?;
        Values::parse(text, needed).map_err(|why| SecretsError::Unusable { arn: arn.clone(), why })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that needs them waits for better times: the caller hears no more than that.
impl From<SecretsError> for Error {
    fn from(err: SecretsError) -> Self {
        Self::unavailable("the service is not available, try again", err)
    }
}
