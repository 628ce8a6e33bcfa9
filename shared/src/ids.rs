//! Ids: validated newtypes, and the one place that makes new ones.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who a token speaks for: its `sub`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub Uuid);

/// A shooting session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Makes random ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ids;

impl Ids {
    /// A random (version 4) UUID.
    #[expect(clippy::disallowed_methods, reason = "this is where ids are made")]
    pub fn uuid(self) -> Uuid {
        Uuid::new_v4()
    }

    pub fn session(self) -> SessionId {
        SessionId(self.uuid())
    }
}
