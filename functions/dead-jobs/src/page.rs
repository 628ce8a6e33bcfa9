//! Pages over the lists of all types, one after the other.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use shared::store::jobs::{DeadJob, DeadPage, Position};

/// Where a page ended. Its text is opaque to callers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    pub kind: String,
    pub position: Position,
}

/// One page.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    pub jobs: Vec<DeadJob>,
    /// None on the last page.
    pub cursor: Option<Cursor>,
}

impl Cursor {
    /// Reads what [`Cursor::to_string`] made; nothing where that is not what it is.
    pub fn parse(text: &str) -> Option<Self> {
        let cursor: Self = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        // It becomes a key of the database, which would refuse another form.
        let at = chrono::DateTime::parse_from_rfc3339(&cursor.position.failed_at).ok()?;
        (shared::clock::rfc3339(at.to_utc()) == cursor.position.failed_at).then_some(cursor)
    }

    fn after(job: &DeadJob) -> Self {
        Self { kind: job.kind.clone(), position: job.position() }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| fmt::Error)?;
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(json))
    }
}

/// The first `limit` of the lists' jobs. Of each type one job more than that was asked for.
pub fn page<'a>(lists: impl IntoIterator<Item = (&'a str, DeadPage)>, limit: usize) -> Page {
    let mut jobs: Vec<DeadJob> = Vec::with_capacity(limit);
    for (kind, list) in lists {
        for job in list.jobs {
            if jobs.len() == limit {
                let cursor = jobs.last().map(Cursor::after);
                return Page { jobs, cursor };
            }
            jobs.push(job);
        }
        // The database ended its page before ours is full: later types must wait for the rest of this one.
        if let Some(position) = list.next {
            return Page { jobs, cursor: Some(Cursor { kind: kind.to_owned(), position }) };
        }
    }
    Page { jobs, cursor: None }
}

#[cfg(test)]
impl Cursor {
    pub fn at(kind: &str, failed_at: &str) -> Self {
        let id = serde_json::from_str(r#""00000000-0000-0000-0000-000000000000""#).unwrap();
        Self { kind: kind.into(), position: Position { id, failed_at: failed_at.into() } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [&str; 3] = ["a", "b", "c"];

    fn job(kind: &str, number: u32) -> DeadJob {
        DeadJob {
            id: serde_json::from_str(&format!(r#""00000000-0000-0000-0000-{number:012}""#)).unwrap(),
            kind: kind.into(),
            epoch: 1,
            operation_id: None,
            error: String::new(),
            attempts: 1,
            failed_at: "2026-11-21T09:00:00Z".parse().unwrap(),
            retried_at: None,
        }
    }

    /// What the database answers: at most `limit` jobs after `after`, and where it stopped if it stopped early.
    fn list(all: &[DeadJob], after: Option<&Position>, limit: usize) -> DeadPage {
        let start = after.map_or(0, |after| all.iter().position(|job| job.id == after.id).unwrap() + 1);
        let jobs: Vec<_> = all[start..].iter().take(limit).cloned().collect();
        let cut = start + jobs.len() < all.len();
        DeadPage { next: jobs.last().filter(|_| cut).map(DeadJob::position), jobs }
    }

    #[test]
    fn pages_show_every_job_once_and_the_last_says_so() {
        let all: Vec<Vec<_>> = KINDS
            .into_iter()
            .zip([3, 0, 4])
            .map(|(kind, count)| (0..count).map(|number| job(kind, number)).collect())
            .collect();
        // `most`: what the database reads at once.
        for (limit, most) in [(1, 9), (2, 9), (3, 9), (4, 9), (7, 9), (8, 9), (3, 2), (7, 1)] {
            let (mut shown, mut after, mut pages) = (Vec::new(), None::<Cursor>, 0);
            loop {
                let from = after.as_ref().map_or(0, |after| KINDS.iter().position(|kind| after.kind == *kind).unwrap());
                let lists = (from..3).map(|at| {
                    let position = after.as_ref().filter(|after| after.kind == KINDS[at]).map(|after| &after.position);
                    (KINDS[at], list(&all[at], position, (limit + 1).min(most)))
                });
                let page = page(lists.collect::<Vec<_>>(), limit);
                assert!(page.jobs.len() <= limit);
                shown.extend(page.jobs);
                pages += 1;
                match page.cursor {
                    Some(cursor) => after = Some(Cursor::parse(&cursor.to_string()).unwrap()),
                    None => break,
                }
            }
            assert_eq!(shown, all.concat(), "limit {limit}");
            if most == 9 {
                assert_eq!(pages, 7_usize.div_ceil(limit), "limit {limit}: no empty page at the end");
            }
        }
    }

    #[test]
    fn only_a_cursor_that_was_given_is_one() {
        let encode = |json: &str| BASE64_URL_SAFE_NO_PAD.encode(json);
        let id = "00000000-0000-0000-0000-000000000000";
        assert!(Cursor::parse(&Cursor::at("a", "2026-11-21T09:00:00.000Z").to_string()).is_some());
        for text in [
            String::new(),
            "%".into(),
            encode("7"),
            encode(r#"{"kind":"a"}"#),
            encode(&format!(r#"{{"kind":"a","position":{{"id":"{id}","failed_at":"yesterday"}}}}"#)),
            encode(&format!(r#"{{"kind":"a","position":{{"id":"{id}","failed_at":"2026-11-21T09:00:00Z"}}}}"#)),
            encode(r#"{"kind":"a","position":{"id":"x","failed_at":"2026-11-21T09:00:00.000Z"}}"#),
        ] {
            assert_eq!(Cursor::parse(&text), None, "{text}");
        }
    }
}
