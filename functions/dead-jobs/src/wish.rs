//! What is asked for.

use shared::{
    domain::invalid::{FieldError, Invalid},
    http::Request,
    jobs::Job,
};

use crate::page::Cursor;

pub const LIMITS: std::ops::RangeInclusive<usize> = 1..=100;
/// Where nobody says.
pub const LIMIT: usize = 50;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The types to look through, in the order in which they are listed.
    pub kinds: Vec<&'static str>,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    pub limit: usize,
}

impl Wish {
    pub fn parse(request: &Request) -> Result<Self, Invalid> {
        // As `?cursor=` has it: there is none.
        let given = |name| request.query(name).filter(|value| !value.is_empty());
        Self::of(given("job_type"), given("limit"), given("cursor"))
    }

    /// All faults together.
    fn of(job_type: Option<&str>, limit: Option<&str>, cursor: Option<&str>) -> Result<Self, Invalid> {
        let mut faults: Vec<FieldError> = Vec::new();
        let mut keep = |name: &str, fault: Invalid| faults.extend(fault.within(name).0);
        let mut kinds = kinds(job_type).unwrap_or_else(|fault| {
            keep("job_type", fault);
            Vec::new()
        });
        let limit = limit.map_or(Ok(LIMIT), parse_limit).unwrap_or_else(|fault| {
            keep("limit", fault);
            LIMIT
        });
        let after = cursor.map(|text| Cursor::parse(text).filter(|cursor| kinds.contains(&cursor.kind.as_str())));
        if after == Some(None) {
            keep("cursor", Invalid::new("is none that this list gave"));
        }
        if !faults.is_empty() {
            return Err(Invalid(faults));
        }
        let after = after.flatten();
        if let Some(Cursor { kind, .. }) = &after {
            kinds = kinds.into_iter().skip_while(|listed| listed != kind).collect();
        }
        Ok(Self { kinds, after, limit })
    }
}

fn kinds(job_type: Option<&str>) -> Result<Vec<&'static str>, Invalid> {
    let Some(wanted) = job_type else { return Ok(Job::TYPES.to_vec()) };
    let kind = Job::TYPES.into_iter().find(|kind| *kind == wanted);
    Ok(vec![kind.ok_or_else(|| Invalid::not_one_of(Job::TYPES))?])
}

fn parse_limit(text: &str) -> Result<usize, Invalid> {
    let limit = text.parse().ok().filter(|limit| LIMITS.contains(limit));
    limit.ok_or_else(|| Invalid::new(format!("must be a whole number from {} to {}", LIMITS.start(), LIMITS.end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(kind: &str) -> String {
        Cursor::at(kind, "2026-11-21T09:00:00.000Z").to_string()
    }

    #[test]
    fn without_a_wish_all_types_are_listed_from_the_start() {
        let wish = Wish::of(None, None, None).unwrap();
        assert_eq!(wish, Wish { kinds: Job::TYPES.to_vec(), after: None, limit: 50 });
    }

    #[test]
    fn a_cursor_goes_on_with_its_own_type_and_those_after_it() {
        let wish = Wish::of(None, Some("100"), Some(&cursor("end_stale_sessions"))).unwrap();
        assert_eq!((wish.kinds, wish.limit), (vec!["end_stale_sessions", "unparsable"], 100));
        assert_eq!(wish.after.unwrap().kind, "end_stale_sessions");
        let wish = Wish::of(Some("terra_ingest"), Some("1"), Some(&cursor("terra_ingest"))).unwrap();
        assert_eq!((wish.kinds, wish.limit), (vec!["terra_ingest"], 1));
    }

    #[test]
    fn every_fault_is_named_at_its_place() {
        let foreign = cursor("terra_ingest");
        for (job_type, limit, given, pointers) in [
            (Some("x"), None, None, vec!["/job_type"]),
            (None, Some("0"), None, vec!["/limit"]),
            (None, Some("101"), None, vec!["/limit"]),
            (None, Some("-1"), None, vec!["/limit"]),
            (None, Some("5.0"), None, vec!["/limit"]),
            (None, Some("99999999999999999999999"), None, vec!["/limit"]),
            (None, None, Some("x"), vec!["/cursor"]),
            (None, None, Some(cursor("x").as_str()), vec!["/cursor"]),
            (Some("unparsable"), None, Some(foreign.as_str()), vec!["/cursor"]),
            (Some("x"), Some("x"), Some("x"), vec!["/job_type", "/limit", "/cursor"]),
        ] {
            let invalid = Wish::of(job_type, limit, given).unwrap_err();
            let found: Vec<_> = invalid.0.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{job_type:?} {limit:?} {given:?}");
        }
    }
}
