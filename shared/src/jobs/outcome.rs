//! What became of a job.

use std::time::Duration;

use crate::error::{Cause, Error};

/// Why a job is not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Worth another attempt, after a pause that grows; or after exactly this one.
    #[error("{cause}")]
    Transient { cause: Cause, after: Option<Duration> },
    /// No attempt will do better: the job is dead until somebody retries it. The text is for those who run the system.
    #[error("{0}")]
    Permanent(String),
    /// What it works on was never accepted, so there is nothing to lose: the job is taken away.
    #[error("never accepted: {0}")]
    Void(&'static str),
}

/// What a job adds to the hourly counters: what its delivery alone says, so that it is the same in whatever order jobs are done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Observations that were scored.
    pub scored: u64,
    /// Of these, with a confidence of at least 80.
    pub confident: u64,
    /// The sum of their confidences, in tenths.
    pub confidence_tenths: u64,
    /// Webhooks that are done with.
    pub webhooks: u64,
}

impl Failure {
    pub fn permanent(why: impl Into<String>) -> Self {
        Self::Permanent(why.into())
    }

    pub fn transient(cause: impl Into<Cause>) -> Self {
        Self::Transient { cause: cause.into(), after: None }
    }
}

impl From<Error> for Failure {
    /// What the caller of a request could mend is for good here: nobody will. All else may pass.
    fn from(err: Error) -> Self {
        match err {
            Error::Invalid(_) | Error::MalformedJson(_) | Error::TooLarge(_) => Self::Permanent(err.to_string()),
            err => Self::transient(err),
        }
    }
}
