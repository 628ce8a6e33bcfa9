//! Which page is asked for.

use shared::{
    domain::invalid::{FieldError, Invalid},
    http::Request,
    ids::FleetId,
};

use crate::cursor::Cursor;

pub const LIMITS: std::ops::RangeInclusive<usize> = 1..=500;
/// Where nobody says.
pub const LIMIT: usize = 50;

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<Cursor>,
}

impl Wish {
    pub fn parse(request: &Request, fleet: &FleetId) -> Result<Self, Invalid> {
        let given = |name| request.query(name).filter(|value| !value.is_empty());
        Self::of(given("limit"), given("cursor"), fleet)
    }

    /// All faults together.
    fn of(limit: Option<&str>, cursor: Option<&str>, fleet: &FleetId) -> Result<Self, Invalid> {
        let mut faults: Vec<FieldError> = Vec::new();
        let mut keep = |name: &str, fault: Invalid| faults.extend(fault.within(name).0);
        let limit = limit.map_or(Ok(LIMIT), parse_limit).map_err(|fault| keep("limit", fault)).unwrap_or_default();
        let after = cursor.map(|text| Cursor::parse(text, fleet));
        if after == Some(None) {
            keep("cursor", Invalid::new("is none that this list gave"));
        }
        if faults.is_empty() { Ok(Self { limit, after: after.flatten() }) } else { Err(Invalid(faults)) }
    }
}

fn parse_limit(text: &str) -> Result<usize, Invalid> {
    let limit = text.parse().ok().filter(|limit| LIMITS.contains(limit));
    limit.ok_or_else(|| Invalid::new(format!("must be a whole number from {} to {}", LIMITS.start(), LIMITS.end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named() {
        let fleet = FleetId::parse("f").unwrap();
        assert_eq!(Wish::of(None, None, &fleet), Ok(Wish { limit: 50, after: None }));
        for (limit, cursor, pointers) in [
            (Some("0"), None, vec!["/limit"]),
            (Some("501"), None, vec!["/limit"]),
            (Some("1.0"), Some("x"), vec!["/limit", "/cursor"]),
            (None, Some("x"), vec!["/cursor"]),
        ] {
            let Invalid(faults) = Wish::of(limit, cursor, &fleet).unwrap_err();
            let found: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{limit:?} {cursor:?}");
        }
    }
}
