//! The events of `events/`: each is used, over HTTP and by invoking its function.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use local::{Stack, StackOptions};

use super::{Outcome, Produced, WEBHOOK};
use crate::support::{
    Answer, User, base64,
    engines::readings,
    events::{self, Event},
    pictures::picture,
    run, stack, start,
};

/// What each event is answered with.
const EVENTS: &[(&str, Outcome)] = &[
    ("analyze-frame", (200, "")),
    ("analyze-frame.invalid", (422, "invalid")),
    ("analyze-frame.no-picture", (415, "unsupported_media_type")),
    ("analyze-frame.other-user", (404, "not_found")),
    ("camera-proxy", (200, "")),
    ("camera-proxy.invalid", (422, "invalid")),
    ("camera-proxy.other-user", (404, "not_found")),
    ("camera-proxy.url", (200, "")),
    ("dead-jobs", (200, "")),
    ("dead-jobs.forbidden", (403, "forbidden")),
    ("dead-jobs.invalid", (422, "invalid")),
    ("end-session", (200, "")),
    ("end-session.cancelled", (200, "")),
    ("end-session.invalid", (422, "invalid")),
    ("end-session.other-user", (404, "not_found")),
    ("end-session.unknown", (404, "not_found")),
    ("engines", (200, "")),
    ("engines.invalid", (422, "invalid")),
    ("engines.other-fleet", (403, "forbidden")),
    ("engines.put", (200, "")),
    ("engines.readings", (200, "")),
    ("engines.unknown", (404, "not_found")),
    ("fleet", (200, "")),
    ("fleet.invalid", (422, "invalid")),
    ("fleet.other-fleet", (403, "forbidden")),
    ("fleet.page", (200, "")),
    ("health-check", (200, "")),
    ("health-check.detailed", (200, "")),
    ("health-check.detailed-forbidden", (403, "forbidden")),
    ("health-check.live", (200, "")),
    ("health-check.ready", (200, "")),
    ("latest-metrics", (200, "")),
    ("latest-metrics.invalid", (422, "invalid")),
    ("latest-metrics.no-uuid", (422, "invalid")),
    ("latest-metrics.other-user", (403, "forbidden")),
    ("latest-metrics.selected", (200, "")),
    ("predict", (200, "")),
    ("predict.batch", (200, "")),
    ("predict.invalid", (422, "invalid")),
    ("predict.other-fleet", (403, "forbidden")),
    ("predict.unknown", (404, "not_found")),
    ("recalculate-metrics", (202, "")),
    ("recalculate-metrics.forbidden", (403, "forbidden")),
    ("recalculate-metrics.invalid", (422, "invalid")),
    ("recalculate-metrics.one-user", (202, "")),
    ("retry-jobs", (200, "")),
    ("retry-jobs.forbidden", (403, "forbidden")),
    ("retry-jobs.invalid", (422, "invalid")),
    ("start-session", (201, "")),
    ("start-session.bad-token", (401, "unauthenticated")),
    ("start-session.for-somebody-else", (403, "forbidden")),
    ("start-session.idempotent", (201, "")),
    ("start-session.invalid", (422, "invalid")),
    ("start-session.malformed", (400, "malformed_json")),
    ("start-session.media-type", (415, "unsupported_media_type")),
    ("start-session.missing-body", (400, "missing_body")),
    ("start-session.no-token", (401, "unauthenticated")),
    ("webhook-terra", (200, "")),
    ("webhook-terra.auth", (200, "")),
    ("webhook-terra.bad-signature", (401, "unauthenticated")),
    ("webhook-terra.base64", (200, "")),
    ("webhook-terra.malformed", (400, "malformed_json")),
    ("webhook-terra.missing-body", (400, "missing_body")),
    ("webhook-terra.no-signature", (401, "unauthenticated")),
    ("webhook-terra.unknown-type", (200, "")),
];

/// What each event that is no request is answered with.
const OTHERS: &[(&str, &str)] = &[
    ("job-worker", r#"{"batchItemFailures":[]}"#),
    ("job-worker.end-stale-sessions", "null"),
    ("job-worker.reconcile-fleets", "null"),
    ("job-worker.sweep-jobs", "null"),
];

/// An event for a session of its own, and the user whom it speaks for.
async fn prepared(stack: &Stack, name: &str) -> (Event, User) {
    let (user, other) = (User::with_own_fleet(stack).0, User::new(stack));
    let admin = User::with_role(stack, Some("admin"));
    if name.starts_with("engines") {
        user.reads("FD001-7", &readings(1, 2)).await;
    }
    let session = user.session().await.to_string();
    let frame = if name.starts_with("analyze-frame") { base64(&picture(2).await) } else { String::new() };
    let (user_id, other_id) = (user.id.to_string(), other.id.to_string());
    let values = [
        ("token:user", user.token.as_deref().unwrap()),
        ("token:other_user", other.token.as_deref().unwrap()),
        ("token:admin", admin.token.as_deref().unwrap()),
        ("user:user", &user_id),
        ("user:other_user", &other_id),
        ("session_id", &session),
        ("frame", &frame),
    ];
    (Event::load(name, &values), user)
}

/// Asks for the answer to each event and holds it against [`EVENTS`].
async fn ask_all(produced: &Produced, ask: impl AsyncFn(&Stack, &Event, &User) -> Answer) {
    let (health, others): (Vec<_>, Vec<_>) = EVENTS.iter().partition(|(name, _)| name.starts_with("health-check"));
    let check = async |stack: &Stack, (name, outcome): &(&str, Outcome)| {
        let (event, user) = prepared(stack, name).await;
        let mut answer = ask(stack, &event, &user).await;
        // A webhook has half a second to be stored, which a busy machine may need for other things.
        for _ in 0..4 {
            if answer.status == 503 && event.route() == WEBHOOK {
                answer = ask(stack, &event, &user).await;
            }
        }
        produced.outcome(&event.route(), *outcome, &answer);
    };
    let shared = stack().await;
    stream::iter(others).for_each_concurrent(4, |case| check(shared, case)).await;
    // A report gives its dependencies half a second: it is asked for when nothing else is under way, and of an instance
    // that has been refusing somebody before.
    let calm = start(StackOptions { max_instances: 1, ..StackOptions::default() }).await;
    let (refused, reports): (Vec<_>, Vec<_>) = health.into_iter().partition(|(_, (status, _))| *status == 403);
    for case in refused.into_iter().chain(reports) {
        check(&calm, case).await;
    }
}

pub async fn cases(produced: &Produced) {
    ask_all(produced, async |_, event, user| event.send(user).await).await;
}

#[test]
fn every_event_is_answered_by_its_function_invoked_without_the_api() {
    run(async {
        ask_all(&Produced::default(), async |stack, event, _| event.invoke(stack).await).await;
    });
}

#[test]
fn every_event_of_the_worker_is_done() {
    run(async {
        for (name, answer) in OTHERS {
            assert_eq!(Event::load(name, &[]).invoke_plain(stack().await).await.to_string(), *answer, "{name}");
        }
    });
}

#[test]
fn no_event_is_without_its_test() {
    let tested = EVENTS.iter().map(|(name, _)| name).chain(OTHERS.iter().map(|(name, _)| name));
    let tested: BTreeSet<&str> = tested.copied().collect();
    assert_eq!(events::names().iter().map(String::as_str).collect::<BTreeSet<_>>(), tested);
}
