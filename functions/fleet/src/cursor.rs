//! Where a page of a fleet ended.
//!
//! A cursor names no fleet: the key to go on from is made with the fleet that the caller may read, so that nothing that is
//! written into it leads into another one. It carries a digest of its fleet's id, so that one that is used with another
//! fleet by mistake is refused and does not begin in the middle of that fleet.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use shared::{
    domain::engine::Totals,
    ids::{EngineId, FleetId, derived},
    store::engines::Position,
};

/// Where a page ended. Its text is opaque to callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    digest: u32,
    position: Position,
    /// The fleet's totals when the first page was read.
    pub totals: Totals,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    fleet: u32,
    rul: u32,
    engine: String,
    totals: Totals,
}

impl Cursor {
    pub fn new(fleet: &FleetId, position: Position, totals: Totals) -> Self {
        Self { digest: digest(fleet), position, totals }
    }

    /// Reads what [`Cursor::to_string`] made for this fleet; nothing where that is not what it is.
    pub fn parse(text: &str, fleet: &FleetId) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let position = Position { rul: wire.rul, engine_id: EngineId::parse(&wire.engine).ok()? };
        Some(Self { digest: wire.fleet, position, totals: wire.totals }).filter(|cursor| cursor.digest == digest(fleet))
    }

    pub fn position(&self) -> &Position {
        &self.position
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digest, position: Position { rul, engine_id }, totals } = self;
        let wire = Wire { fleet: *digest, rul: *rul, engine: engine_id.as_str().to_owned(), totals: *totals };
        let json = serde_json::to_vec(&wire).map_err(|_| fmt::Error)?;
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(json))
    }
}

fn digest(fleet: &FleetId) -> u32 {
    derived("fleet cursor", &[fleet.as_str()]).as_fields().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_of_its_fleet_alone() {
        let [own, other] = ["own", "other"].map(|id| FleetId::parse(id).unwrap());
        let position = Position { rul: 17, engine_id: EngineId::parse("e-1").unwrap() };
        let cursor = Cursor::new(&own, position, Totals { total: 3, ..Totals::default() });
        let text = cursor.to_string();
        assert_eq!(Cursor::parse(&text, &own), Some(cursor));
        assert_eq!(Cursor::parse(&text, &other), None);
        assert!(!String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap()).unwrap().contains("own"));
    }

    #[test]
    fn only_a_cursor_that_was_given_is_one() {
        let fleet = FleetId::parse("own").unwrap();
        let encode = |json: &str| BASE64_URL_SAFE_NO_PAD.encode(json);
        let totals = r#"{"total":0,"predicted":0,"critical":0,"warning":0,"rul_sum":0}"#;
        let wire =
            |engine: &str| format!(r#"{{"fleet":{},"rul":1,"engine":"{engine}","totals":{totals}}}"#, digest(&fleet));
        assert!(Cursor::parse(&encode(&wire("e")), &fleet).is_some());
        for text in [String::new(), "%".into(), encode("7"), encode("{}"), encode(&wire("other#e"))] {
            assert_eq!(Cursor::parse(&text, &fleet), None, "{text}");
        }
    }
}
