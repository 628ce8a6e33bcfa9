//! Which sessions a caller may write to, and whose engines are theirs.

use crate::{
    auth::Caller,
    clock::rfc3339,
    domain::session::Session,
    error::{Error, Result},
    ids::FleetId,
    store::sessions::Loaded,
};

/// The session, if it is there and this caller may add to it or end it. Another's session is not found: whether it
/// exists is nobody else's affair.
pub fn writable<S: AsRef<Session>>(caller: &Caller, session: Option<S>) -> Result<S> {
    session
        .filter(|found| caller.may_write(found.as_ref().user_id, found.as_ref().started_by))
        .ok_or(Error::NotFound("session"))
}

/// The fleet that a request means by its `fleet_id`, or by saying none.
pub fn fleet(caller: &Caller, named: Option<&str>) -> Result<FleetId> {
    let named = named.map(|id| FleetId::parse(id).map_err(|fault| fault.within("fleet_id"))).transpose()?;
    caller.fleet(named)
}

/// Refuses a session that has ended.
pub fn must_be_active(session: &Session) -> Result<()> {
    match session.end {
        None => Ok(()),
        Some(end) => Err(Error::SessionEnded(format!("session {} ended at {}", session.id, rfc3339(end.at)))),
    }
}

impl AsRef<Session> for Loaded {
    fn as_ref(&self) -> &Session {
        &self.session
    }
}

impl AsRef<Session> for Session {
    fn as_ref(&self) -> &Session {
        self
    }
}
