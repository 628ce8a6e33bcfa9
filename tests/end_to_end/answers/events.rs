//! The events of `events/`: each is used, over HTTP and by invoking its function.

use futures::future::join_all;
use local::Stack;

use super::{Outcome, Produced};
use crate::support::{
    User, base64,
    events::{self, Event},
    pictures::picture,
    run, stack,
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
    ("end-session", (200, "")),
    ("end-session.cancelled", (200, "")),
    ("end-session.invalid", (422, "invalid")),
    ("end-session.other-user", (404, "not_found")),
    ("end-session.unknown", (404, "not_found")),
    ("health-check", (200, "")),
    ("health-check.detailed", (200, "")),
    ("health-check.detailed-forbidden", (403, "forbidden")),
    ("health-check.live", (200, "")),
    ("health-check.ready", (200, "")),
    ("start-session", (201, "")),
    ("start-session.bad-token", (401, "unauthenticated")),
    ("start-session.for-somebody-else", (403, "forbidden")),
    ("start-session.idempotent", (201, "")),
    ("start-session.invalid", (422, "invalid")),
    ("start-session.malformed", (400, "malformed_json")),
    ("start-session.media-type", (415, "unsupported_media_type")),
    ("start-session.missing-body", (400, "missing_body")),
    ("start-session.no-token", (401, "unauthenticated")),
];

/// An event for a session of its own, and the user whom it speaks for.
async fn prepared(stack: &Stack, name: &str) -> (Event, User) {
    let (user, other) = (User::new(stack), User::new(stack));
    let admin = User::with_role(stack, Some("admin"));
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

pub async fn cases(produced: &Produced) {
    let stack = stack().await;
    join_all(EVENTS.iter().map(|(name, outcome)| async move {
        let (event, user) = prepared(stack, name).await;
        produced.outcome(event.route(), *outcome, &event.send(&user).await);
    }))
    .await;
}

#[test]
fn every_event_is_answered_by_its_function_invoked_without_the_api() {
    run(async {
        let stack = stack().await;
        let produced = Produced::default();
        join_all(EVENTS.iter().map(|(name, outcome)| {
            let produced = &produced;
            async move {
                let (event, _) = prepared(stack, name).await;
                produced.outcome(event.route(), *outcome, &event.invoke(stack).await);
            }
        }))
        .await;
    });
}

#[test]
fn no_event_is_without_its_test() {
    let tested: Vec<&str> = EVENTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(events::names(), tested);
}
