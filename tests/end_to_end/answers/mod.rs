//! Every answer that the API promises, produced by the real thing.

use std::{collections::BTreeSet, sync::Mutex, thread};

use crate::support::{Answer, description::Description, run};

mod dependencies;
mod engines;
mod events;
mod limits;
mod requests;
mod wearables;

/// Status and code, or no code: a success, a report, or an answer of API Gateway's own.
type Outcome = (u16, &'static str);

/// What the API says of each route. `internal` (500) is left out for health-check and for jobs, where nothing that is stored or
/// sent can bring it about; a provider's 502 and 504 are the camera's, since the built-in detector takes over for the other.
const REQUIRED: &[(&str, &[Outcome])] = &[
    ("health-check", &[(200, ""), (429, "rate_limited"), (503, "")]),
    ("health-check/live", &[(200, ""), (429, "rate_limited")]),
    ("health-check/ready", &[(200, ""), (429, "rate_limited"), (503, "")]),
    (
        "health-check/detailed",
        &[
            (200, ""),
            (401, "unauthenticated"),
            (403, "forbidden"),
            (429, "blocked"),
            (429, "rate_limited"),
            (503, ""),
            (503, "unavailable"),
        ],
    ),
    (
        "start-session",
        &[
            (201, ""),
            (400, "malformed_json"),
            (400, "missing_body"),
            (401, "unauthenticated"),
            (403, "forbidden"),
            (413, ""),
            (415, "unsupported_media_type"),
            (422, "invalid"),
            (429, "blocked"),
            (429, "rate_limited"),
            (500, "internal"),
            (503, "unavailable"),
        ],
    ),
    (
        "camera-proxy",
        &[
            (200, ""),
            (400, "malformed_json"),
            (400, "missing_body"),
            (401, "unauthenticated"),
            (404, "not_found"),
            (409, "session_ended"),
            (413, ""),
            (415, "unsupported_media_type"),
            (422, "invalid"),
            (429, "blocked"),
            (429, "rate_limited"),
            (500, "internal"),
            (502, "upstream_failed"),
            (503, "unavailable"),
            (504, "upstream_timeout"),
        ],
    ),
    (
        "analyze-frame",
        &[
            (200, ""),
            (400, "malformed_json"),
            (400, "missing_body"),
            (401, "unauthenticated"),
            (404, "not_found"),
            (409, "frame_conflict"),
            (409, "session_ended"),
            (413, ""),
            (413, "too_large"),
            (415, "unsupported_media_type"),
            (422, "invalid"),
            (429, "blocked"),
            (429, "rate_limited"),
            (500, "internal"),
            (503, "unavailable"),
        ],
    ),
    (
        "end-session",
        &[
            (200, ""),
            (400, "malformed_json"),
            (400, "missing_body"),
            (401, "unauthenticated"),
            (404, "not_found"),
            (413, ""),
            (415, "unsupported_media_type"),
            (422, "invalid"),
            (429, "blocked"),
            (429, "rate_limited"),
            (500, "internal"),
            (503, "unavailable"),
        ],
    ),
    (
        WEBHOOK,
        &[
            (200, ""),
            (400, "malformed_json"),
            (400, "missing_body"),
            (401, "unauthenticated"),
            (413, ""),
            (429, "rate_limited"),
            (500, "internal"),
            (503, "unavailable"),
        ],
    ),
    (
        LATEST,
        &[
            (200, ""),
            (304, ""),
            (401, "unauthenticated"),
            (403, "forbidden"),
            (422, "invalid"),
            (429, "blocked"),
            (429, "rate_limited"),
            (500, "internal"),
            (503, "unavailable"),
        ],
    ),
    (
        "dead-jobs",
        &[
            (200, ""),
            (401, "unauthenticated"),
            (403, "forbidden"),
            (422, "invalid"),
            (429, "blocked"),
            (429, "rate_limited"),
            (503, "unavailable"),
        ],
    ),
    ("retry-jobs", &operation(200)),
    ("recalculate-metrics", &operation(202)),
];

/// What both of the admins' operations answer.
const fn operation(success: u16) -> [Outcome; 11] {
    [
        (success, ""),
        (400, "malformed_json"),
        (400, "missing_body"),
        (401, "unauthenticated"),
        (403, "forbidden"),
        (413, ""),
        (415, "unsupported_media_type"),
        (422, "invalid"),
        (429, "blocked"),
        (429, "rate_limited"),
        (503, "unavailable"),
    ]
}

/// All that the API says.
fn required() -> BTreeSet<(String, u16, String)> {
    let of_route = |(route, outcomes): &(&'static str, &'static [Outcome])| {
        let route = *route;
        outcomes.iter().map(move |(status, code)| (route.to_owned(), *status, (*code).to_owned()))
    };
    REQUIRED.iter().flat_map(of_route).chain(engines_required()).collect()
}

/// What the API says of the routes of engines.
fn engines_required() -> impl Iterator<Item = (String, u16, String)> {
    engines::OWN.iter().flat_map(|(route, own)| {
        let with_body = !["engines/{id}", "fleet"].contains(route);
        let body = engines::WITH_BODY.iter().filter(move |_| with_body);
        let all = engines::ALL.iter().chain(body).chain(own.iter());
        all.map(|(status, code)| ((*route).to_owned(), *status, (*code).to_owned()))
    })
}

/// Routes of sessions: they take a body, of any user.
const POSTS: [&str; 4] = ["start-session", "camera-proxy", "analyze-frame", "end-session"];
/// Routes that take a body, of admins.
const OPERATIONS: [&str; 2] = ["retry-jobs", "recalculate-metrics"];
/// Routes that are read, by those who may.
const READS: [&str; 2] = ["dead-jobs", LATEST];
const LATEST: &str = "latest-metrics/{user_id}";
const WEBHOOK: &str = "webhook-terra";

/// The answers that were produced, each checked whole.
#[derive(Default)]
struct Produced(Mutex<BTreeSet<(String, u16, String)>>);

impl Produced {
    #[track_caller]
    fn success(&self, route: &str, status: u16, answer: &Answer) {
        assert_eq!(answer.status, status, "{route}: {:#}", answer.body);
        // What has no body has the type that API Gateway gives it.
        if status != 304 {
            assert_eq!(answer.header("content-type"), Some("application/json"), "{route}");
        }
        if [LATEST, "engines/{id}", "fleet"].contains(&route) {
            answer.has_common_headers_but("cache-control", "private, no-cache");
        } else {
            answer.has_common_headers();
        }
        if POSTS.contains(&route) || OPERATIONS.contains(&route) || route == WEBHOOK {
            assert_eq!(answer.body["success"], true, "{route}: {:#}", answer.body);
        }
        self.note(route, status, "");
    }

    #[track_caller]
    fn problem(&self, route: &str, status: u16, code: &str, answer: &Answer) {
        answer.is_problem(status, code);
        self.note(route, status, code);
    }

    /// A success where there is no code, else a problem.
    #[track_caller]
    fn outcome(&self, route: &str, (status, code): Outcome, answer: &Answer) {
        if code.is_empty() { self.success(route, status, answer) } else { self.problem(route, status, code, answer) }
    }

    fn note(&self, route: &str, status: u16, code: &str) {
        self.0.lock().unwrap().insert((route.to_owned(), status, code.to_owned()));
    }
}

#[test]
fn every_answer_of_the_api_can_be_had_and_no_other() {
    let produced = Produced::default();
    thread::scope(|scope| {
        scope.spawn(|| run(events::cases(&produced)));
        scope.spawn(|| run(requests::cases(&produced)));
        scope.spawn(|| run(dependencies::cases(&produced)));
        scope.spawn(|| run(wearables::cases(&produced)));
        scope.spawn(|| run(engines::cases(&produced)));
    });
    // After the others, which have deadlines: these are thousands of requests.
    run(limits::cases(&produced));
    let produced = produced.0.into_inner().unwrap();
    let required = required();
    let missing: Vec<_> = required.difference(&produced).collect();
    assert!(missing.is_empty(), "promised, and produced by no case: {missing:#?}");
    let unknown: Vec<_> = produced.difference(&required).collect();
    assert!(unknown.is_empty(), "produced, and not in the list: {unknown:#?}");
}

#[test]
fn what_is_described_is_what_can_be_had() {
    let (described, required) = (Description::outcomes(), required());
    let missing: Vec<_> = required.difference(&described).collect();
    assert!(missing.is_empty(), "answered, and not described: {missing:#?}");
    let unknown: Vec<_> = described.difference(&required).collect();
    assert!(unknown.is_empty(), "described, and never answered: {unknown:#?}");
}
