//! Ids: validated newtypes, and the one place that makes new ones.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};
use uuid::Uuid;

use crate::{domain::invalid::Invalid, openapi};

/// Who a token speaks for: its `sub`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct UserId(pub Uuid);

/// A shooting session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

/// A job of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct JobId(pub Uuid);

/// A user's connection to a provider of wearables: ours, so that it outlives the provider's own ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(pub Uuid);

/// A webhook delivery: what its sender calls it, the same over all retries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub String);

/// A fleet of engines: 1 to 64 of `A-Za-z0-9._-`, as the issuer of tokens names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct FleetId(String);

/// An engine, of one fleet: 1 to 64 of `A-Za-z0-9._-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EngineId(String);

impl PartialSchema for FleetId {
    fn schema() -> RefOr<Schema> {
        openapi::name(NAME_LENGTH).description(Some("A fleet of engines, as the token names it.")).into()
    }
}

impl ToSchema for FleetId {}

impl PartialSchema for EngineId {
    fn schema() -> RefOr<Schema> {
        openapi::name(NAME_LENGTH).description(Some("An engine; its id is its own within its fleet only.")).into()
    }
}

impl ToSchema for EngineId {}

impl FleetId {
    /// The id, if it is one.
    pub fn parse(id: &str) -> Result<Self, Invalid> {
        name(id).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl EngineId {
    /// The id, if it is one.
    pub fn parse(id: &str) -> Result<Self, Invalid> {
        name(id).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Most characters of a name.
const NAME_LENGTH: usize = 64;

/// A name that may stand in a key: no `#`, which keeps a key's parts apart.
fn name(id: &str) -> Result<String, Invalid> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=NAME_LENGTH).contains(&id.len()) && id.bytes().all(allowed) {
        Ok(id.to_owned())
    } else {
        Err(Invalid::new(format!("must be 1 to {NAME_LENGTH} of A-Z, a-z, 0-9, '.', '_' and '-'")))
    }
}

impl fmt::Display for FleetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id (a version 8 UUID) that these parts always give: what is made twice from them is the same thing.
pub fn derived(kind: &str, parts: &[&str]) -> Uuid {
    let mut hash = Context::new(&SHA256);
    hash.update(kind.as_bytes());
    for part in parts {
        // With its length, so that no two lists of parts read the same.
        hash.update(&part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.finish().as_ref()).for_each(|(to, from)| *to = *from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_keeps_no_key_apart() {
        for good in ["FD001-7", "a", "A.b_c-9", &"x".repeat(64)] {
            assert_eq!(EngineId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a#b", "a b", "é", "a/b", &"x".repeat(65)] {
            assert!(FleetId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_derived_id_is_the_same_for_the_same_parts_and_for_no_others() {
        let id = derived("job", &["ab", "c"]);
        assert_eq!(id, derived("job", &["ab", "c"]));
        assert_eq!(id.get_version_num(), 8);
        for other in [derived("job", &["a", "bc"]), derived("jobs", &["ab", "c"]), derived("job", &["ab"])] {
            assert_ne!(id, other);
        }
    }
}
