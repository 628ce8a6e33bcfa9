//! Bearer token to verified [`Caller`].
//!
//! The token's `iss` only chooses the issuer whose rules it is then held to: the algorithms that this issuer signs
//! with, its keys, its audience, its kind of token. Verifying does no I/O unless keys have to be fetched.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, dangerous::insecure_decode_claims, decode_header};
use serde::Deserialize;

use crate::{
    clock::Clock,
    config::{IssuerConfig, IssuerKind},
    provider::Http,
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
    clock: Clock,
}

struct Issuer {
    config: IssuerConfig,
    keys: Keys,
    /// HS256 alone, and only where the configuration has a secret. It is never made of what an issuer publishes.
    shared_secret: Option<DecodingKey>,
}

/// The one claim that is read before the signature is checked.
#[derive(Deserialize)]
struct Unverified {
    iss: String,
}

impl Authenticator {
    pub fn new(issuers: Vec<IssuerConfig>, http: Http, clock: Clock, metrics: Metrics) -> Self {
        let issuers = issuers.into_iter().map(|config| Issuer {
            keys: Keys::new(config.keys_url(), http.clone(), clock.clone(), metrics.clone()),
            shared_secret: config
                .shared_secret
                .as_ref()
                .map(|secret| DecodingKey::from_secret(secret.expose().as_bytes())),
            config,
        });
        Self { issuers: issuers.collect(), clock }
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
        Ok(issuer.verify(token, &header, self.clock.now()).await?)
    }
}

/// The token of `Bearer <token>`; another scheme carries none.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

impl Issuer {
    async fn verify(&self, token: &str, header: &Header, now: DateTime<Utc>) -> Result<Caller, Reason> {
        let key = self.key(header).await?;
        let claims = verified_claims(token, header.alg, &key)?;
        claims.caller(&self.config, now)
    }

    /// The key that the token must be signed with. The algorithm is one of this issuer's before any key is looked at.
    async fn key(&self, header: &Header) -> Result<DecodingKey, Reason> {
        match (self.config.kind, header.alg) {
            (IssuerKind::Supabase, Algorithm::HS256) => self.shared_secret.clone().ok_or(Reason::Algorithm),
            (IssuerKind::Supabase, Algorithm::ES256 | Algorithm::RS256)
            | (IssuerKind::CognitoId | IssuerKind::CognitoAccess, Algorithm::RS256) => {
                let id = header.kid.as_deref().ok_or(Reason::MissingKeyId)?;
                self.keys.find(id, header.alg).await
            }
            _ => Err(Reason::Algorithm),
        }
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
