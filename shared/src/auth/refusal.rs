//! Why a token was refused: the log hears it, the caller does not.

use std::fmt;

use crate::error::{Error, RETRY_AFTER};

/// A request that speaks for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// For the log.
    pub reason: Reason,
    /// Whether it counts as a failed authentication of its address.
    pub counts: bool,
}

/// What was wrong, in the order in which it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No `Authorization: Bearer`.
    Missing,
    TooLong,
    /// Not three parts of base64url, or no JSON in them, or JSON of other types.
    Malformed,
    /// The header names extensions that must be understood (`crit`).
    CriticalExtension,
    UnknownIssuer,
    /// An algorithm that this issuer does not sign with; `none` is malformed.
    Algorithm,
    MissingKeyId,
    /// None of the issuer's keys. It may be new, so nobody is blamed for it.
    UnknownKey,
    /// The key's own algorithm is another.
    KeyAlgorithm,
    /// No keys are known, and the issuer did not give any.
    KeysUnavailable,
    Signature,
    Issuer,
    Expired,
    NotYetValid,
    Audience,
    /// `role` or `token_use`: a token that is not a user's, or not of the kind that is taken.
    Kind,
    Subject,
}

impl Reason {
    /// As it stands in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::CriticalExtension => "critical_extension",
            Self::UnknownIssuer => "unknown_issuer",
            Self::Algorithm => "algorithm",
            Self::MissingKeyId => "missing_key_id",
            Self::UnknownKey => "unknown_key",
            Self::KeyAlgorithm => "key_algorithm",
            Self::KeysUnavailable => "keys_unavailable",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Audience => "audience",
            Self::Kind => "kind",
            Self::Subject => "subject",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        let counts = !matches!(reason, Reason::Missing | Reason::UnknownKey | Reason::KeysUnavailable);
        Self { reason, counts }
    }
}

/// What the caller hears: the same sentence for all that a token can be refused for.
impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal.reason {
            Reason::KeysUnavailable => Self::Unavailable {
                detail: "authentication is not available, try again".into(),
                retry_after: RETRY_AFTER,
                source: Some("no keys of the token's issuer are known".into()),
            },
            _ => Self::Unauthenticated("a valid bearer token is required"),
        }
    }
}
