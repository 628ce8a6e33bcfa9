//! The answer, as the API has it.

use serde::Serialize;
use shared::{clock::rfc3339, ids::JobId, store::jobs::DeadJob};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::page::Page;

/// A page of dead jobs: by type, the newest of each first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer<'a> {
    jobs: Vec<Shown<'a>>,
    /// Where the next page begins; null on the last.
    cursor: Option<String>,
}

/// A job that failed for good.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadJob)]
struct Shown<'a> {
    id: JobId,
    job_type: &'a str,
    /// The recalculation that it belongs to.
    operation_id: Option<Uuid>,
    /// What it failed with in the end.
    error: &'a str,
    attempts: u32,
    #[schema(format = DateTime)]
    failed_at: String,
    /// When it was last retried, where it was.
    #[schema(format = DateTime)]
    retried_at: Option<String>,
}

impl<'a> Answer<'a> {
    pub fn of(page: &'a Page) -> Self {
        let Page { jobs, cursor } = page;
        Self { jobs: jobs.iter().map(Shown::of).collect(), cursor: cursor.as_ref().map(ToString::to_string) }
    }
}

impl<'a> Shown<'a> {
    fn of(job: &'a DeadJob) -> Self {
        Self {
            id: job.id,
            job_type: &job.kind,
            operation_id: job.operation_id,
            error: &job.error,
            attempts: job.attempts,
            failed_at: rfc3339(job.failed_at),
            retried_at: job.retried_at.map(rfc3339),
        }
    }
}
