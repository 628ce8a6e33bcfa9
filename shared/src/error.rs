//! What can go wrong, in the domain's words; `http` alone knows which status each of them is.

use std::time::Duration;

use crate::domain::invalid::Invalid;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything a handler can fail with. `detail` texts are for the caller and carry no internals; what the log needs
/// stands in `source`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the body is missing")]
    MissingBody,
    #[error("the body is no JSON: {0}")]
    MalformedJson(String),
    #[error("{0}")]
    UnsupportedMediaType(String),
    #[error("{0}")]
    TooLarge(String),
    #[error("the request breaks a rule")]
    Invalid(#[from] Invalid),
    #[error("{0}")]
    Unauthenticated(&'static str),
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("{0} not found")]
    NotFound(&'static str),
    #[error("{0}")]
    SessionEnded(String),
    #[error("{0}")]
    FrameConflict(String),
    #[error("too many requests")]
    RateLimited { retry_after: Duration },
    #[error("too many failed authentications from this address")]
    Blocked { retry_after: Duration },
    /// Something that we depend on answered, and the answer is of no use.
    #[error("{upstream} failed")]
    UpstreamFailed { upstream: &'static str, source: Cause },
    /// Something that we depend on is away, or not configured; `detail` says which to the caller.
    #[error("{detail}")]
    Unavailable { detail: String, retry_after: Duration, source: Option<Cause> },
    #[error("{upstream} did not answer in time")]
    UpstreamTimeout { upstream: &'static str, source: Option<Cause> },
    #[error("internal error")]
    Internal(#[source] Cause),
}

/// The cause of a failure, for the log only.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// A failure that is ours and that the caller can do nothing about.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// The database, the queue or the bucket did not answer; a retry may succeed.
    pub fn unavailable(detail: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Unavailable { detail: detail.into(), retry_after: RETRY_AFTER, source: Some(cause.into()) }
    }
}

/// What a caller is told to wait where nothing better is known.
pub const RETRY_AFTER: Duration = Duration::from_secs(2);
