//! Which Terra user is which of ours, and how events change that.
//!
//! Events come late, doubled and in any order, so every field is made of what does not depend on it: the state and the
//! scopes are those of the newest event, links between Terra users only grow, and a connection that is bound stays
//! bound. Only where two events name different users for one Terra user does the first that was worked on win.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    metric::AsOf,
    terra::{TerraUser, UserEvent},
};
use crate::ids::{ConnectionId, UserId, derived};

#[cfg(test)]
mod tests;

/// A provider that an event does not name, as [`TerraUser::provider`] has it.
const UNKNOWN: &str = "UNKNOWN";

/// How things stand between the user and the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Connected,
    Deauthenticated,
    Revoked,
    Error,
}

/// A value that the newest event decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register<T> {
    pub value: T,
    pub as_of: AsOf,
}

/// Whose measurements they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    pub user: UserId,
    pub connection: ConnectionId,
}

/// A Terra user, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub terra_user_id: String,
    /// Upper case; none while no event has named it.
    pub provider: Option<String>,
    pub binding: Option<Binding>,
    /// None while only measurements have come.
    pub state: Option<Register<State>>,
    pub scopes: Option<Register<String>>,
    /// Terra users that this one took the place of, and those that took its place: the same person's.
    pub replaces: BTreeSet<String>,
    pub replaced_by: BTreeSet<String>,
    /// Whether deliveries of it wait in quarantine.
    pub waiting: bool,
    /// Whether its binding has yet to reach what waits, and the Terra users that it is linked to.
    pub unspread: bool,
}

/// What an event says about one Terra user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub terra_user_id: String,
    provider: Option<String>,
    /// Our user, where the event names one.
    pub names: Option<UserId>,
    state: Option<State>,
    scopes: Option<String>,
    replaces: Option<String>,
    replaced_by: Option<String>,
    as_of: AsOf,
}

/// What became of a wish to bind a connection to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The event names nobody.
    None,
    /// It is bound now.
    Bound,
    /// It was bound to the same user before.
    Kept,
    /// It is bound to another user, and stays so.
    Refused,
}

impl Change {
    /// By a data event: it names whose data it is, and changes nothing else.
    pub fn of_data(user: &TerraUser, as_of: AsOf) -> Self {
        let provider = Some(user.provider.clone()).filter(|name| name != UNKNOWN);
        Self {
            terra_user_id: user.user_id.clone(),
            provider,
            names: user.reference_id.as_deref().and_then(reference),
            state: None,
            scopes: None,
            replaces: None,
            replaced_by: None,
            as_of,
        }
    }

    /// By a user event: one change, or two where one Terra user takes another's place.
    pub fn of_event(event: UserEvent, user: &TerraUser, old: Option<&TerraUser>, as_of: &AsOf) -> Vec<Self> {
        let state = match event {
            UserEvent::Auth | UserEvent::Reauth => Some(State::Connected),
            UserEvent::Deauth => Some(State::Deauthenticated),
            UserEvent::AccessRevoked => Some(State::Revoked),
            UserEvent::ConnectionError => Some(State::Error),
            UserEvent::PermissionChange => None,
        };
        let grants = matches!(event, UserEvent::Auth | UserEvent::Reauth | UserEvent::PermissionChange);
        let scopes = user.scopes.clone().filter(|_| grants);
        let mut change = Self { state, scopes, ..Self::of_data(user, as_of.clone()) };
        // A provider may keep the id: then nobody takes anybody's place.
        let Some(old) = old.filter(|old| event == UserEvent::Reauth && old.user_id != user.user_id) else {
            return vec![change];
        };
        change.replaces = Some(old.user_id.clone());
        let mut replaced = Self::of_data(old, as_of.clone());
        replaced.state = Some(State::Deauthenticated);
        replaced.replaced_by = Some(user.user_id.clone());
        // The same person at the same provider, should one of the two be named without it.
        change.provider = change.provider.or_else(|| replaced.provider.clone());
        replaced.provider = replaced.provider.or_else(|| change.provider.clone());
        vec![replaced, change]
    }
}

/// Our user's id, if that is what was given when the user connected.
fn reference(text: &str) -> Option<UserId> {
    // The hyphenated form only: other forms of the same number are somebody else's ids.
    if text.len() == 36 { Uuid::try_parse(text).ok().map(UserId) } else { None }
}

impl Connection {
    /// A Terra user of whom nothing is known.
    pub fn new(terra_user_id: impl Into<String>) -> Self {
        Self {
            terra_user_id: terra_user_id.into(),
            provider: None,
            binding: None,
            state: None,
            scopes: None,
            replaces: BTreeSet::new(),
            replaced_by: BTreeSet::new(),
            waiting: false,
            unspread: false,
        }
    }

    /// Takes in what an event says, and says what became of the user that it names.
    pub fn apply(&mut self, change: &Change) -> Claim {
        if self.provider.is_none() {
            self.provider.clone_from(&change.provider);
        }
        set(&mut self.state, change.state, &change.as_of);
        set(&mut self.scopes, change.scopes.clone(), &change.as_of);
        let mut linked = false;
        linked |= change.replaces.clone().is_some_and(|old| self.replaces.insert(old));
        linked |= change.replaced_by.clone().is_some_and(|new| self.replaced_by.insert(new));
        self.unspread |= linked && self.binding.is_some();
        change.names.map_or(Claim::None, |user| self.claim(user))
    }

    /// Binds it to the user that a linked Terra user is bound to. The same person, so the same provider where its own is not known.
    pub fn adopt(&mut self, linked: &Self) -> Claim {
        if self.provider.is_none() {
            self.provider.clone_from(&linked.provider);
        }
        linked.binding.map_or(Claim::None, |binding| self.claim(binding.user))
    }

    fn claim(&mut self, user: UserId) -> Claim {
        match self.binding {
            Some(binding) if binding.user == user => Claim::Kept,
            Some(_) => Claim::Refused,
            None => {
                // The same user and provider are the same connection, whichever Terra user they come as: after a
                // reauthentication no rows have to move.
                let provider = self.provider.as_deref().unwrap_or(UNKNOWN);
                let connection = ConnectionId(derived("connection", &[&user.to_string(), provider]));
                self.binding = Some(Binding { user, connection });
                self.unspread = self.waiting || self.linked().next().is_some();
                Claim::Bound
            }
        }
    }

    /// The Terra users who are the same person.
    pub fn linked(&self) -> impl Iterator<Item = &String> {
        self.replaces.union(&self.replaced_by)
    }

    /// The binding has reached all that it concerns.
    pub fn spread(&mut self) {
        self.unspread = false;
        self.waiting = false;
    }
}

fn set<T>(register: &mut Option<Register<T>>, value: Option<T>, as_of: &AsOf) {
    if let Some(value) = value
        && register.as_ref().is_none_or(|known| known.as_of < *as_of)
    {
        *register = Some(Register { value, as_of: as_of.clone() });
    }
}
