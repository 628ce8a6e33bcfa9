//! Bearer token to verified [`Caller`].
//!
//! The token's `iss` only chooses the issuer whose rules it is then held to: the algorithms that this issuer signs
//! with, its keys, its audience, its kind of token. Verifying does no I/O unless keys have to be fetched.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, dangerous::insecure_decode_claims, decode_header};
use serde::Deserialize;
use tracing::warn;

use crate::{
    clock::Clock,
    config::{IssuerConfig, IssuerKind},
    provider::Http,
    secrets::{Secrets, Values},
    telemetry::Metrics,
};

mod caller;
mod claims;
mod keys;
mod refusal;

pub use caller::{Caller, Role};
pub use refusal::{Reason, Refusal};

use claims::Claims;
use keys::Keys;

/// Longest token that is looked at; API Gateway takes 10 KB of headers in all.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Verifies tokens of the configured issuers.
pub struct Authenticator {
    issuers: Vec<Issuer>,
    secrets: Secrets,
    clock: Clock,
}

struct Issuer {
    config: IssuerConfig,
    keys: Keys,
}

/// The one claim that is read before the signature is checked.
#[derive(Deserialize)]
struct Unverified {
    iss: String,
}

impl Authenticator {
    pub fn new(issuers: Vec<IssuerConfig>, http: Http, secrets: Secrets, clock: Clock, metrics: Metrics) -> Self {
        let issuers = issuers.into_iter().map(|config| Issuer {
            keys: Keys::new(config.keys_url(), http.clone(), clock.clone(), metrics.clone()),
            config,
        });
        Self { issuers: issuers.collect(), secrets, clock }
    }

    /// Whom the value of an `Authorization` header speaks for.
    pub async fn verify(&self, authorization: Option<&str>) -> Result<Caller, Refusal> {
        let token = authorization.and_then(bearer).ok_or(Reason::Missing)?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Reason::TooLong.into());
        }
        let header = decode_header(token).map_err(|_| Reason::Malformed)?;
        if header.crit.is_some() {
            return Err(Reason::CriticalExtension.into());
        }
        let unverified: Unverified = insecure_decode_claims(token).map_err(|_| Reason::Malformed)?;
        let issuer = self.issuers.iter().find(|issuer| issuer.config.issuer == unverified.iss);
        let issuer = issuer.ok_or(Reason::UnknownIssuer)?;
        let now = self.clock.now();
        let verified = match issuer.scheme(header.alg)? {
            Scheme::Published => issuer.verify(token, &header, now).await,
            Scheme::Shared => self.verify_shared(issuer, token, now).await,
        };
        Ok(verified?)
    }

    /// With the secret as it is known, and once more where it was rotated since.
    async fn verify_shared(&self, issuer: &Issuer, token: &str, now: DateTime<Utc>) -> Result<Caller, Reason> {
        let known = self.secrets.current().await.map_err(|err| {
            warn!(error = &err as &dyn std::error::Error, "no shared secret");
            Reason::KeysUnavailable
        })?;
        match issuer.verify_shared(token, &known, now) {
            Err(Reason::Signature) => match self.secrets.renewed(&known).await {
                Some(renewed) => issuer.verify_shared(token, &renewed, now),
                None => Err(Reason::Signature),
            },
            verified => verified,
        }
    }
}

/// Where the key is that a token must be signed with.
enum Scheme {
    /// Among those that the issuer publishes.
    Published,
    /// HS256 alone, and only where the configuration says so. It is never made of what an issuer publishes.
    Shared,
}

/// The token of `Bearer <token>`; another scheme carries none.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

impl Issuer {
    /// The algorithm is one of this issuer's before any key is looked at.
    fn scheme(&self, algorithm: Algorithm) -> Result<Scheme, Reason> {
        match (self.config.kind, algorithm) {
            (IssuerKind::Supabase, Algorithm::HS256) if self.config.hs256 => Ok(Scheme::Shared),
            (IssuerKind::Supabase, Algorithm::ES256 | Algorithm::RS256)
            | (IssuerKind::CognitoId | IssuerKind::CognitoAccess, Algorithm::RS256) => Ok(Scheme::Published),
            _ => Err(Reason::Algorithm),
        }
    }

    async fn verify(&self, token: &str, header: &Header, now: DateTime<Utc>) -> Result<Caller, Reason> {
        let id = header.kid.as_deref().ok_or(Reason::MissingKeyId)?;
        let key = self.keys.find(id, header.alg).await?;
        let claims = verified_claims(token, header.alg, &key)?;
        claims.caller(&self.config, now)
    }

    fn verify_shared(&self, token: &str, secrets: &Values, now: DateTime<Utc>) -> Result<Caller, Reason> {
        let secret = secrets.supabase_jwt_secret.as_ref().ok_or(Reason::KeysUnavailable)?;
        let key = DecodingKey::from_secret(secret.expose().as_bytes());
        let claims = verified_claims(token, Algorithm::HS256, &key)?;
        claims.caller(&self.config, now)
    }
}

/// Checks the signature and nothing else: `jsonwebtoken` would hold the times against the system's clock, takes a list
/// for `iss`, and has no notion of the rest. All claims are [`Claims::caller`]'s to check.
fn verified_claims(token: &str, algorithm: Algorithm, key: &DecodingKey) -> Result<Claims, Reason> {
    use jsonwebtoken::errors::ErrorKind;

    let mut signature_only = Validation::new(algorithm);
    signature_only.validate_exp = false;
    signature_only.validate_nbf = false;
    signature_only.validate_aud = false;
    signature_only.required_spec_claims.clear();
    let verified = jsonwebtoken::decode(token, key, &signature_only).map_err(|err| match err.kind() {
        ErrorKind::Json(_) | ErrorKind::Base64(_) | ErrorKind::Utf8(_) | ErrorKind::InvalidToken => Reason::Malformed,
        _ => Reason::Signature,
    })?;
    Ok(verified.claims)
}

#[cfg(test)]
mod tests;
