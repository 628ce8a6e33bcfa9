//! The answer, as the API has it.

use serde::Serialize;
use utoipa::ToSchema;

/// What a call came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer {
    pub success: bool,
    /// Jobs that are queued again.
    pub retried: u64,
    /// Dead jobs of these types that this call did not get to.
    pub remaining: u64,
}
