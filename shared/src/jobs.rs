//! Work that outlives a request: jobs, the queue that wakes a worker for them, and the runner of a worker's batches.
//!
//! The row in the Jobs table is the truth about a job; a message only says that there is something to do.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{DeliveryId, JobId, UserId, derived};

mod closing;
mod conclusion;
mod dead_letters;
mod decision;
mod effect;
#[cfg(test)]
mod fake_queue;
mod intake;
mod leased;
mod outcome;
mod record;
mod report;
mod runner;
mod send;
mod serve;
mod sweep;

pub use leased::Leased;
pub use outcome::{Failure, Tally};
pub use runner::{Answer, Batch, ItemFailure, respond};
pub use send::{send, send_one, submit};
pub use serve::serve;
pub use sweep::sweep;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Job {
    /// Makes metrics of a data event.
    TerraIngest { delivery_id: DeliveryId, terra_user_id: String },
    /// Changes a connection as a user event says.
    TerraConnection { delivery_id: DeliveryId },
    /// Brings a large delivery into our own bucket, then has it ingested.
    FetchLargeDelivery { delivery_id: DeliveryId },
    /// Has the deliveries of a Terra user ingested that waited for a connection.
    ReleaseQuarantine { terra_user_id: String },
    /// Works out anew what a user's metrics say at the moment.
    ConfidenceScore { user_id: UserId, operation_id: Uuid },
    /// Has [`Job::ConfidenceScore`] done for one user, or for a page of all users, and then the next page.
    RecalculateMetrics { operation_id: Uuid, user_id: Option<UserId>, cursor: Option<String> },
    /// Ends the sessions that nobody ended.
    EndStaleSessions,
}

impl Job {
    /// Every type's name, and [`UNPARSABLE`].
    pub const TYPES: [&str; 8] = [
        "terra_ingest",
        "terra_connection",
        "fetch_large_delivery",
        "release_quarantine",
        "confidence_score",
        "recalculate_metrics",
        "end_stale_sessions",
        UNPARSABLE,
    ];

    /// The types that stand for a webhook which is done with, or not, when the job is.
    pub const WEBHOOKS: [&str; 3] = ["terra_ingest", "terra_connection", "fetch_large_delivery"];

    /// The type's name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TerraIngest { .. } => "terra_ingest",
            Self::TerraConnection { .. } => "terra_connection",
            Self::FetchLargeDelivery { .. } => "fetch_large_delivery",
            Self::ReleaseQuarantine { .. } => "release_quarantine",
            Self::ConfidenceScore { .. } => "confidence_score",
            Self::RecalculateMetrics { .. } => "recalculate_metrics",
            Self::EndStaleSessions => "end_stale_sessions",
        }
    }

    /// The operation that it belongs to, where somebody asked for one.
    pub fn operation_id(&self) -> Option<Uuid> {
        match self {
            Self::ConfidenceScore { operation_id, .. } | Self::RecalculateMetrics { operation_id, .. } => {
                Some(*operation_id)
            }
            _ => None,
        }
    }

    /// The id of the job that handles a delivery: the same, however often it is delivered.
    pub fn id_of_delivery(&self, delivery: &DeliveryId) -> JobId {
        JobId(derived(self.kind(), &[&delivery.0]))
    }
}

/// The type under which a message is listed that is no job.
pub const UNPARSABLE: &str = "unparsable";

/// What stands in a message of the queue. One that brings `job` along is run even if its row is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub job_id: JobId,
    /// Raised by each retry that somebody asks for: messages of an older one are settled without work.
    pub epoch: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Job>,
}

/// A job to be stored and then sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    pub id: JobId,
    pub job: Job,
    pub created_at: DateTime<Utc>,
}
