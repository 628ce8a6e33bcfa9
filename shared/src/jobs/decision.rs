//! What is to be done about a message, by what its job's row says.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Job, Message};
use crate::store::jobs::{MAX_PAYLOAD, Row, State};

/// Most bytes of a message.
const MAX_MESSAGE: usize = 256 * 1024;
/// Runs of one epoch that may end without a word: a job that takes its worker along must not do so for ever.
pub(super) const MAX_CRASHES: u32 = 10;
/// Added to a lease's rest: clocks differ.
pub(super) const GRACE: TimeDelta = TimeDelta::seconds(1);
/// A job that is due in less may as well be done now.
const SOON: TimeDelta = TimeDelta::seconds(1);

/// Why nothing can be done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unusable {
    /// For the log: the message's own words may be anything.
    pub(super) reason: &'static str,
    /// For those who look at the dead job.
    pub(super) detail: String,
}

/// What is to be done about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The job is to be taken and done.
    Take,
    /// Everything was done that there is to do.
    Acknowledge,
    /// Another works on the job.
    Held(Duration),
    /// The job's last attempt failed only just now.
    NotDue(Duration),
    /// The job took too many workers along.
    GiveUp,
    /// There is no such job, and the message brings none along.
    Unknown,
}

impl Message {
    pub(super) fn parse(body: &str) -> Result<Self, Unusable> {
        if body.len() > MAX_MESSAGE {
            return Err(Unusable::too_large(body.len(), MAX_MESSAGE));
        }
        let message: Self = serde_json::from_str(body)
            .map_err(|err| Unusable { reason: "malformed", detail: format!("no job's message: {err}") })?;
        match message.job.as_ref().map(payload_length) {
            Some(length) if length > MAX_PAYLOAD => Err(Unusable::too_large(length, MAX_PAYLOAD)),
            _ => Ok(message),
        }
    }
}

fn payload_length(job: &Job) -> usize {
    serde_json::to_string(job).map_or(usize::MAX, |json| json.len())
}

impl Unusable {
    fn too_large(length: usize, limit: usize) -> Self {
        Self { reason: "too_large", detail: format!("{length} bytes; {limit} at most") }
    }

    pub(super) fn unknown() -> Self {
        Self { reason: "unknown_job", detail: "there is no such job, and the message brings none along".into() }
    }
}

/// `epoch` and `brings_job` are the message's.
pub(super) fn decide(epoch: u64, brings_job: bool, row: Option<&Row>, now: DateTime<Utc>) -> Decision {
    let Some(row) = row else {
        return if brings_job { Decision::Take } else { Decision::Unknown };
    };
    if epoch < row.epoch {
        return Decision::Acknowledge;
    }
    match row.state {
        State::Done | State::Dead => Decision::Acknowledge,
        State::Queued => match row.due_at.map(|due| due - now) {
            // A second message, e.g. of a delivery that came again, must not cut the pause after a failure short.
            Some(rest) if row.attempts > 0 && rest > SOON => Decision::NotDue(rest.to_std().unwrap_or_default()),
            _ => Decision::Take,
        },
        State::Running => match row.leased_until.filter(|until| *until > now) {
            Some(until) => Decision::Held((until - now + GRACE).to_std().unwrap_or_default()),
            None if row.crashes + 1 >= MAX_CRASHES => Decision::GiveUp,
            None => Decision::Take,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{ids::JobId, store::jobs::Payload};

    fn now() -> DateTime<Utc> {
        "2026-11-21T09:00:00Z".parse().unwrap()
    }

    fn row(state: State) -> Row {
        Row {
            id: JobId(Uuid::nil()),
            kind: "end_stale_sessions".into(),
            payload: Payload::Text(r#"{"type":"end_stale_sessions"}"#.into()),
            state,
            epoch: 2,
            attempts: 0,
            crashes: 0,
            leased_until: None,
            created_at: now(),
            due_at: Some(now()),
            last_error: None,
            retried_at: None,
        }
    }

    #[test]
    fn a_message_is_settled_as_its_job_s_row_says() {
        let after = |seconds| Some(now() + TimeDelta::seconds(seconds));
        let running = |seconds| Row { leased_until: after(seconds), ..row(State::Running) };
        let failed = |seconds| Row { attempts: 1, due_at: after(seconds), ..row(State::Queued) };
        let seconds = Duration::from_secs;
        for (epoch, row, expected) in [
            (2, row(State::Queued), Decision::Take),
            (1, row(State::Queued), Decision::Acknowledge),
            // Made by hand: nobody else raises an epoch before the row's.
            (3, row(State::Queued), Decision::Take),
            (2, row(State::Done), Decision::Acknowledge),
            (2, row(State::Dead), Decision::Acknowledge),
            (3, row(State::Dead), Decision::Acknowledge),
            (2, running(7), Decision::Held(seconds(8))),
            (1, running(7), Decision::Acknowledge),
            (2, running(0), Decision::Take),
            (2, running(-7), Decision::Take),
            (2, Row { leased_until: None, ..row(State::Running) }, Decision::Take),
            (2, Row { crashes: MAX_CRASHES - 2, ..running(-7) }, Decision::Take),
            (2, Row { crashes: MAX_CRASHES - 1, ..running(-7) }, Decision::GiveUp),
            (2, Row { crashes: MAX_CRASHES, ..running(7) }, Decision::Held(seconds(8))),
            (2, failed(40), Decision::NotDue(seconds(40))),
            (2, failed(1), Decision::Take),
            (2, failed(-1), Decision::Take),
            // New, by a clock that is ahead.
            (2, Row { due_at: after(40), ..row(State::Queued) }, Decision::Take),
        ] {
            assert_eq!(decide(epoch, false, Some(&row), now()), expected, "{epoch}, {row:?}");
            assert_eq!(decide(epoch, true, Some(&row), now()), expected, "{epoch}, {row:?}");
        }
        assert_eq!(decide(1, true, None, now()), Decision::Take);
        assert_eq!(decide(1, false, None, now()), Decision::Unknown);
    }

    #[test]
    fn a_message_is_a_job_s_id_and_epoch_and_perhaps_the_job() {
        let id = Uuid::nil();
        let message = |job| Message { job_id: JobId(id), epoch: 1, job };
        for (body, expected) in [
            (json!({ "job_id": id, "epoch": 1 }), message(None)),
            (json!({ "job_id": id, "epoch": 1, "job": null, "more": 7 }), message(None)),
            (
                json!({ "job_id": id, "epoch": 1, "job": { "type": "end_stale_sessions" } }),
                message(Some(Job::EndStaleSessions)),
            ),
        ] {
            assert_eq!(Message::parse(&body.to_string()), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_is_no_message_says_why() {
        let long = |length: usize| {
            let job = json!({ "type": "release_quarantine", "terra_user_id": "x".repeat(length) });
            json!({ "job_id": Uuid::nil(), "epoch": 1, "job": job }).to_string()
        };
        let padded = format!("{{}}{}", " ".repeat(MAX_MESSAGE));
        for (body, reason) in [
            ("", "malformed"),
            ("{", "malformed"),
            ("[]", "malformed"),
            (r#"{"job_id":"x","epoch":1}"#, "malformed"),
            (r#"{"job_id":"00000000-0000-0000-0000-000000000000"}"#, "malformed"),
            (r#"{"job_id":"00000000-0000-0000-0000-000000000000","epoch":-1}"#, "malformed"),
            (r#"{"job_id":"00000000-0000-0000-0000-000000000000","epoch":1,"job":{"type":"x"}}"#, "malformed"),
            (&padded, "too_large"),
            (&long(MAX_PAYLOAD), "too_large"),
        ] {
            assert_eq!(Message::parse(body).map_err(|err| err.reason), Err(reason), "{}", body.len());
        }
        assert!(Message::parse(&long(MAX_PAYLOAD - 100)).is_ok());
    }
}
