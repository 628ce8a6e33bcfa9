//! The answer, as the API has it.

use serde::Serialize;
use shared::{
    clock::rfc3339,
    domain::{advice::Advice, session::SessionStatus, statistics::Statistics},
    ids::SessionId,
    store::sessions::{Ending, Loaded},
};
use utoipa::ToSchema;

/// A session that has ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer<'a> {
    success: bool,
    session: Ended<'a>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EndedSession)]
struct Ended<'a> {
    id: SessionId,
    status: SessionStatus,
    #[schema(format = DateTime)]
    ended_at: String,
    statistics: &'a Statistics,
    coaching_advice: &'a Advice,
    /// A page with the target's plot, the shots and the advice; signed, good for 15 minutes.
    #[schema(format = "uri")]
    report_url: &'a str,
}

impl<'a> Answer<'a> {
    pub fn new(loaded: &Loaded, ending: &'a Ending, report_url: &'a str) -> Self {
        Self {
            success: true,
            session: Ended {
                id: loaded.session.id,
                status: ending.end.reason.status(),
                ended_at: rfc3339(ending.end.at),
                statistics: &ending.statistics,
                coaching_advice: &ending.advice,
                report_url,
            },
        }
    }
}
