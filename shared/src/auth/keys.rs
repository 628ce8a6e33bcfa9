//! An issuer's public keys, as it publishes them: kept for 300 s, asked for again when a key id is new, and for a day
//! still good while the issuer does not answer.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use tracing::{info, warn};

use super::refusal::Reason;
use crate::{
    clock::Clock,
    error::RETRY_AFTER,
    provider::{self, Http},
    telemetry::Metrics,
};

const KEPT_FOR: TimeDelta = TimeDelta::seconds(300);
/// How long keys stay good while the issuer is down.
const GOOD_FOR: TimeDelta = TimeDelta::hours(24);
/// How often, at most, a new key id or an issuer that is down is a reason to ask again.
const ASKED_EVERY: TimeDelta = TimeDelta::seconds(30);
const DEADLINE: Duration = Duration::from_secs(1);
/// A document of a dozen keys with certificates is far smaller.
const MAX_BYTES: usize = 64 * 1024;
const MAX_KEYS: usize = 32;

/// The keys of one issuer.
pub(super) struct Keys {
    url: String,
    http: Http,
    clock: Clock,
    metrics: Metrics,
    known: Mutex<Known>,
    /// Held while the issuer is asked: of many who want to know, one asks.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    keys: Arc<[Key]>,
    fetched_at: Option<DateTime<Utc>>,
    /// When the issuer was last asked, with whatever success.
    asked_at: Option<DateTime<Utc>>,
}

struct Key {
    id: String,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// What the known keys say of a token's.
enum Found {
    Key(DecodingKey),
    No(Reason),
}

impl Keys {
    pub(super) fn new(url: String, http: Http, clock: Clock, metrics: Metrics) -> Self {
        Self { url, http, clock, metrics, known: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// The key of this id, if it is for this algorithm.
    pub(super) async fn find(&self, id: &str, algorithm: Algorithm) -> Result<DecodingKey, Reason> {
        let known = self.known();
        let found = known.find(id, algorithm, self.clock.now());
        let hit = !known.wants_refresh(&found, self.clock.now());
        self.metrics.cache("jwks", hit);
        if hit {
            return found.into_result();
        }
        let _asking = match (&found, self.asking.try_lock()) {
            (_, Ok(guard)) => guard,
            // Someone asks already, and this key was good a moment ago.
            (Found::Key(_), Err(_)) => return found.into_result(),
            (Found::No(_), Err(_)) => self.asking.lock().await,
        };
        let known = self.known();
        let found = known.find(id, algorithm, self.clock.now());
        if !known.wants_refresh(&found, self.clock.now()) {
            return found.into_result();
        }
        self.refresh(known).await.find(id, algorithm, self.clock.now()).into_result()
    }

    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the issuer. What it gives replaces all that was known: a key that it has withdrawn is good no more.
    async fn refresh(&self, mut known: Known) -> Known {
        let fetched = self.fetch().await;
        let now = self.clock.now();
        known.asked_at = Some(now);
        match fetched {
            Ok(keys) => {
                info!(url = self.url, keys = keys.len(), "issuer's keys read");
                known.keys = keys.into();
                known.fetched_at = Some(now);
            }
            Err(reason) => warn!(url = self.url, reason, "issuer's keys not read"),
        }
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known.clone();
        known
    }

    /// The usable keys; none at all is an error, since it would lock everybody out.
    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let get = self.http.get(&self.url).map_err(|err| err.to_string())?;
        let response = get.timeout(DEADLINE).send().await.map_err(|err| provider::Failure::of_http(err).to_string())?;
        if response.status() != http::StatusCode::OK {
            return Err(format!("status {}", response.status().as_u16()));
        }
        let bytes = provider::body(response, MAX_BYTES).await.map_err(|err| err.to_string())?;
        let keys = parse(&bytes).map_err(|err| err.to_string())?;
        if keys.is_empty() { Err("no key that can be used".into()) } else { Ok(keys) }
    }
}

impl Known {
    fn find(&self, id: &str, algorithm: Algorithm, now: DateTime<Utc>) -> Found {
        if self.fetched_at.is_none_or(|at| now - at > GOOD_FOR) {
            return Found::No(Reason::KeysUnavailable);
        }
        let of_id = || self.keys.iter().filter(|key| key.id == id);
        match of_id().find(|key| key.algorithm == algorithm) {
            Some(key) => Found::Key(key.key.clone()),
            None if of_id().next().is_some() => Found::No(Reason::KeyAlgorithm),
            None => Found::No(Reason::UnknownKey),
        }
    }

    /// Whether the issuer should be asked, given what was found without.
    fn wants_refresh(&self, found: &Found, now: DateTime<Utc>) -> bool {
        let old = self.fetched_at.is_none_or(|at| now - at >= KEPT_FOR);
        let pause = match found {
            Found::No(Reason::KeysUnavailable) => TimeDelta::from_std(RETRY_AFTER).unwrap_or_default(),
            Found::No(Reason::UnknownKey) => ASKED_EVERY,
            Found::Key(_) | Found::No(_) if old => ASKED_EVERY,
            Found::Key(_) | Found::No(_) => return false,
        };
        self.asked_at.is_none_or(|at| now - at >= pause)
    }
}

impl Found {
    fn into_result(self) -> Result<DecodingKey, Reason> {
        match self {
            Self::Key(key) => Ok(key),
            Self::No(reason) => Err(reason),
        }
    }
}

#[derive(Deserialize)]
struct Document {
    /// Each parsed by itself: a key of a kind that is not known here does not spoil the others.
    keys: Vec<serde_json::Value>,
}

fn parse(bytes: &[u8]) -> Result<Vec<Key>, serde_json::Error> {
    let document: Document = serde_json::from_slice(bytes)?;
    Ok(document.keys.into_iter().filter_map(usable).take(MAX_KEYS).collect())
}

/// A public key for signatures of an algorithm that is taken here. A symmetric key (`oct`) never is one: whoever can
/// read the document could sign with it.
fn usable(jwk: serde_json::Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return None,
    };
    let for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let of_algorithm = jwk.common.key_algorithm.is_none_or(|own| own == named);
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    (for_signatures && of_algorithm).then_some(Key { id: jwk.common.key_id?, algorithm, key })
}
