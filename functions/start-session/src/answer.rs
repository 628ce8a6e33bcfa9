//! The answer, as the API has it.

use serde::Serialize;
use shared::{
    clock::rfc3339,
    domain::session::{Metadata, Session, SessionStatus, SessionType},
    ids::{SessionId, UserId},
};
use utoipa::ToSchema;

/// A session that has begun.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer<'a> {
    success: bool,
    session: Started<'a>,
}

/// The session as the API shows it: whence it was started is nobody's affair.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StartedSession)]
struct Started<'a> {
    id: SessionId,
    user_id: UserId,
    status: SessionStatus,
    session_type: SessionType,
    #[schema(format = DateTime)]
    created_at: String,
    metadata: &'a Metadata,
}

impl<'a> Answer<'a> {
    pub fn of(session: &'a Session) -> Self {
        Self {
            success: true,
            session: Started {
                id: session.id,
                user_id: session.user_id,
                status: session.status(),
                session_type: session.session_type,
                created_at: rfc3339(session.created_at),
                metadata: &session.metadata,
            },
        }
    }
}
