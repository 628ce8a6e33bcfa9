//! What of an engine is asked for.

use shared::{
    domain::{
        engine::{MAX_CYCLE, MAX_READINGS},
        invalid::{FieldError, Invalid},
    },
    http::Request,
};

/// Readings of a page, where nobody says.
pub const LIMIT: usize = 100;

/// The parts of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Engine,
    History,
    Statistics,
    Predictions,
}

impl Part {
    pub const ALL: [(&str, Self); 4] = [
        ("engine", Self::Engine),
        ("history", Self::History),
        ("statistics", Self::Statistics),
        ("predictions", Self::Predictions),
    ];
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    parts: Vec<Part>,
    /// Readings of the page of history.
    pub limit: usize,
    /// The cycle that the page before ended with; 0 for the first.
    pub after: u32,
}

impl Wish {
    pub fn parse(request: &Request) -> Result<Self, Invalid> {
        let given = |name| request.query(name).filter(|value| !value.is_empty());
        Self::of(given("fields"), given("limit"), given("cursor"))
    }

    pub fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// All faults together.
    fn of(fields: Option<&str>, limit: Option<&str>, cursor: Option<&str>) -> Result<Self, Invalid> {
        let mut faults: Vec<FieldError> = Vec::new();
        let mut keep = |name: &str, fault: Invalid| faults.extend(fault.within(name).0);
        let parts = parts(fields).map_err(|fault| keep("fields", fault)).unwrap_or_default();
        let limit = limit.map_or(Ok(LIMIT), parse_limit).map_err(|fault| keep("limit", fault)).unwrap_or_default();
        let after = cursor.map_or(Ok(0), parse_cursor).map_err(|fault| keep("cursor", fault)).unwrap_or_default();
        if faults.is_empty() { Ok(Self { parts, limit, after }) } else { Err(Invalid(faults)) }
    }
}

fn parts(list: Option<&str>) -> Result<Vec<Part>, Invalid> {
    let Some(list) = list else { return Ok(Part::ALL.map(|(_, part)| part).into()) };
    let part = |name: &str| Part::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, part)| part);
    let parts: Option<Vec<_>> = list.split(',').map(|name| part(name.trim())).collect();
    parts.ok_or_else(|| Invalid::new(format!("must be a list of {}", Part::ALL.map(|(name, _)| name).join(", "))))
}

fn parse_limit(text: &str) -> Result<usize, Invalid> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_READINGS).contains(limit));
    limit.ok_or_else(|| Invalid::new(format!("must be a whole number from 1 to {MAX_READINGS}")))
}

/// A cursor is the last cycle of its page: there is nothing in it that could be forged.
fn parse_cursor(text: &str) -> Result<u32, Invalid> {
    let cycle = text.parse().ok().filter(|cycle| (1..MAX_CYCLE).contains(cycle));
    cycle.ok_or_else(|| Invalid::new("is none that this list gave"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_wish_everything_is_given() {
        let wish = Wish::of(None, None, None).unwrap();
        assert!(Part::ALL.iter().all(|(_, part)| wish.has(*part)));
        assert_eq!((wish.limit, wish.after), (100, 0));
    }

    #[test]
    fn fields_select_parts() {
        let wish = Wish::of(Some("engine, history"), Some("1000"), Some("300")).unwrap();
        assert!(wish.has(Part::Engine) && wish.has(Part::History));
        assert!(!wish.has(Part::Statistics) && !wish.has(Part::Predictions));
        assert_eq!((wish.limit, wish.after), (1_000, 300));
    }

    #[test]
    fn every_fault_is_named() {
        let Invalid(faults) = Wish::of(Some("engine,mood"), Some("0"), Some("-1")).unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/fields", "/limit", "/cursor"]);
        assert!(faults[0].detail.contains("statistics"), "{}", faults[0].detail);
    }
}
