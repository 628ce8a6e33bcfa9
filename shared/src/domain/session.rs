//! A shooting session: what it is made of, who may write to it and when it is over.

mod frame_number;
mod metadata;

use chrono::{DateTime, TimeDelta, Utc};
pub use frame_number::FrameNumber;
pub use metadata::Metadata;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{
    invalid::{Fields, Invalid, uuid},
    target::TargetType,
};
use crate::{
    ids::{SessionId, UserId},
    openapi::{self, Body},
};

/// A session that nobody ends is over this long after its last frame.
pub const IDLE_LIMIT: TimeDelta = TimeDelta::hours(6);

/// What a session is shot for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionType {
    Practice,
    Competition,
    Training,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    Active,
    Completed,
    Cancelled,
    TimedOut,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    Completed,
    Cancelled,
    /// Nobody ended it, see [`IDLE_LIMIT`].
    Timeout,
}

impl SessionType {
    pub const ALL: [Self; 3] = [Self::Practice, Self::Competition, Self::Training];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Practice => "practice",
            Self::Competition => "competition",
            Self::Training => "training",
        }
    }

    pub fn parse(value: &Value) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|kind| value.as_str() == Some(kind.name()))
            .ok_or_else(|| Invalid::not_one_of(Self::ALL.map(Self::name)))
    }
}

impl SessionStatus {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }
}

impl EndReason {
    pub const ALL: [Self; 3] = [Self::Completed, Self::Cancelled, Self::Timeout];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
        }
    }

    pub fn parse(value: &Value) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|reason| value.as_str() == Some(reason.name()))
            .ok_or_else(|| Invalid::not_one_of(Self::ALL.map(Self::name)))
    }

    /// The status of a session that ended for this reason.
    pub const fn status(self) -> SessionStatus {
        match self {
            Self::Completed => SessionStatus::Completed,
            Self::Cancelled => SessionStatus::Cancelled,
            Self::Timeout => SessionStatus::TimedOut,
        }
    }
}

/// A request to start a session, free of faults.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionStart {
    /// Whose session it is to be.
    pub user_id: UserId,
    pub session_type: SessionType,
    pub metadata: Metadata,
}

impl SessionStart {
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let user_id = fields.required("user_id", uuid);
        let session_type = fields.required("session_type", SessionType::parse);
        let metadata = fields.optional("metadata", Metadata::parse);
        fields.finish(|| {
            Some(Self {
                user_id: UserId(user_id?),
                session_type: session_type?,
                metadata: metadata.unwrap_or_default(),
            })
        })
    }
}

impl PartialSchema for SessionStart {
    fn schema() -> RefOr<Schema> {
        Body::of("A session to be started.")
            .required(
                "user_id",
                "Whose session it is to be: the caller's own, unless a trainer or an admin asks.",
                openapi::uuid(),
            )
            .required("session_type", "What it is shot for.", SessionType::schema())
            .optional("metadata", "What is worth knowing of it.", Metadata::schema())
            .into()
    }
}

impl ToSchema for SessionStart {}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub at: DateTime<Utc>,
    pub reason: EndReason,
}

/// A session with its running totals.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    /// The shooter or a trainer.
    pub started_by: UserId,
    pub session_type: SessionType,
    pub created_at: DateTime<Utc>,
    pub metadata: Metadata,
    /// Grows by one with every write: what a write has read must still hold.
    pub version: u64,
    pub total_shots: u32,
    /// Sum of the scores in tenths.
    pub total_tenths: u32,
    pub last_frame_at: Option<DateTime<Utc>>,
    /// `None` while the session is active.
    pub end: Option<End>,
}

impl Session {
    pub fn start(start: SessionStart, id: SessionId, started_by: UserId, now: DateTime<Utc>) -> Self {
        Self {
            id,
            user_id: start.user_id,
            started_by,
            session_type: start.session_type,
            created_at: now,
            metadata: start.metadata,
            version: 1,
            total_shots: 0,
            total_tenths: 0,
            last_frame_at: None,
            end: None,
        }
    }

    pub fn status(&self) -> SessionStatus {
        self.end.map_or(SessionStatus::Active, |end| end.reason.status())
    }

    pub const fn target_type(&self) -> TargetType {
        self.metadata.target_type()
    }

    /// Whether this user may add frames to the session and end it: its shooter, and the trainer who started it.
    /// Roles that may do more are the caller's affair.
    pub fn is_writable_by(&self, user: UserId) -> bool {
        user == self.user_id || user == self.started_by
    }

    /// The session ended now, unless it has ended before: the first end stays.
    pub fn ended(mut self, reason: EndReason, now: DateTime<Utc>) -> Self {
        self.end.get_or_insert(End { at: now, reason });
        self
    }

    /// Whether nobody has shown a frame for so long that the session is over.
    pub fn is_abandoned(&self, now: DateTime<Utc>) -> bool {
        self.end.is_none() && now - self.last_sign_of_life() >= IDLE_LIMIT
    }

    /// How long it was shot: until its end, or until its last frame where nobody ended it (the hours of waiting are no
    /// shooting), or until `now` while it is active.
    pub fn duration(&self, now: DateTime<Utc>) -> TimeDelta {
        let until = match self.end {
            None => now,
            Some(End { reason: EndReason::Timeout, .. }) => self.last_sign_of_life(),
            Some(End { at, .. }) => at,
        };
        (until - self.created_at).max(TimeDelta::zero())
    }

    fn last_sign_of_life(&self) -> DateTime<Utc> {
        self.last_frame_at.unwrap_or(self.created_at)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn time(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + 60 * minute, 0).unwrap()
    }

    fn user(n: u128) -> UserId {
        UserId(uuid::Uuid::from_u128(n))
    }

    fn session() -> Session {
        let start = SessionStart {
            user_id: user(1),
            session_type: SessionType::Practice,
            metadata: Metadata::parse(&json!({ "target_type": "air_pistol_10m" })).unwrap(),
        };
        Session::start(start, SessionId(uuid::Uuid::from_u128(9)), user(2), time(0))
    }

    #[test]
    fn a_request_reports_all_its_faults_together() {
        let body =
            json!({ "user_id": "me", "session_type": "match", "metadata": { "target_type": 5, "distance": -1 } });
        let invalid = SessionStart::parse(&body).unwrap_err();
        let pointers: Vec<_> = invalid.0.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/user_id", "/session_type", "/metadata/target_type", "/metadata/distance"]);
        assert_eq!(invalid.0[1].detail, "must be one of practice, competition, training");
    }

    #[test]
    fn a_request_needs_no_metadata() {
        let body = json!({ "user_id": user(1), "session_type": "training", "unknown": true });
        assert_eq!(SessionStart::parse(&body).unwrap().metadata, Metadata::default());
    }

    #[test]
    fn names_are_the_same_in_json_and_in_text() {
        for kind in SessionType::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(SessionType::parse(&json!(kind.name())), Ok(kind));
        }
        for reason in EndReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
            assert_eq!(EndReason::parse(&json!(reason.name())), Ok(reason));
            assert_eq!(serde_json::to_value(reason.status()).unwrap(), reason.status().name());
        }
        assert_eq!(EndReason::parse(&json!(1)), Err(Invalid::new("must be one of completed, cancelled, timeout")));
    }

    #[test]
    fn a_new_session_is_active_and_empty() {
        let session = session();
        assert_eq!(session.status(), SessionStatus::Active);
        assert_eq!((session.version, session.total_shots, session.total_tenths), (1, 0, 0));
        assert_eq!(session.target_type(), TargetType::AirPistol10m);
    }

    #[test]
    fn its_shooter_and_who_started_it_may_write_to_a_session() {
        let writers: Vec<_> = (1..=3).map(|n| session().is_writable_by(user(n))).collect();
        assert_eq!(writers, [true, true, false]);
    }

    #[test]
    fn the_first_end_stays() {
        let ended = session().ended(EndReason::Cancelled, time(5)).ended(EndReason::Completed, time(6));
        assert_eq!(ended.end, Some(End { at: time(5), reason: EndReason::Cancelled }));
        assert_eq!(ended.status(), SessionStatus::Cancelled);
    }

    #[test]
    fn a_session_is_abandoned_six_hours_after_its_last_frame() {
        let mut session = session();
        assert!(!session.is_abandoned(time(359)));
        assert!(session.is_abandoned(time(360)));
        session.last_frame_at = Some(time(10));
        assert!(!session.is_abandoned(time(369)));
        assert!(session.is_abandoned(time(370)));
        assert!(!session.ended(EndReason::Completed, time(20)).is_abandoned(time(999)));
    }

    #[test]
    fn waiting_for_an_end_is_no_shooting() {
        let mut session = session();
        session.last_frame_at = Some(time(30));
        let minutes = |reason| session.clone().ended(reason, time(400)).duration(time(500)).num_minutes();
        assert_eq!(minutes(EndReason::Completed), 400);
        assert_eq!(minutes(EndReason::Timeout), 30);
        assert_eq!(session.duration(time(40)).num_minutes(), 40);
    }
}
