//! Too many requests, and too many failed authentications.

use futures::future::join_all;
use local::StackOptions;
use serde_json::json;

use super::{LATEST, OPERATIONS, POSTS, Produced, READS, WEBHOOK, engines};
use crate::support::{Answer, User, run, stack, start, terra::Sender};

pub async fn cases(produced: &Produced) {
    // The smallest limit by itself: among thousands of requests it is the one whose count a busy machine misses most.
    strict(produced).await;
    futures::join!(standard(produced), lenient(produced), webhook(produced), blocked(produced));
    engines::limits(produced).await;
}

/// Sends requests, eight at once, until one is refused; returns its answer and how many were let through. Twice the limit
/// is enough wherever in the minute it began, and some more for those that a busy machine could not count in time.
pub async fn until_refused(limit: usize, request: impl AsyncFn() -> Answer) -> (Answer, usize) {
    let mut passed = 0;
    while passed <= 2 * limit + 64 {
        let (refused, others): (Vec<_>, Vec<_>) =
            join_all((0..8).map(|_| request())).await.into_iter().partition(|answer| answer.status == 429);
        passed += others.len();
        if let Some(answer) = refused.into_iter().next() {
            return (answer, passed);
        }
    }
    panic!("{passed} requests passed a limit of {limit}");
}

/// Even requests that are refused for another reason count, and each route for itself.
async fn standard(produced: &Produced) {
    let user = &User::new(stack().await);
    join_all(POSTS.map(|route| async move {
        let (refused, passed) = until_refused(100, async || user.post(route, &json!({})).await).await;
        assert!(passed >= 100, "{route}: only {passed} were let through");
        produced.problem(route, 429, "rate_limited", &refused);
    }))
    .await;
}

async fn lenient(produced: &Produced) {
    // Two of these routes are counted by each instance alone.
    let stack = start(StackOptions { max_instances: 1, ..StackOptions::default() }).await;
    let user = &User::new(&stack);
    join_all(["health-check", "health-check/live", "health-check/ready", "health-check/detailed"].map(
        |route| async move {
            let (refused, passed) = until_refused(500, async || user.get(route).await).await;
            assert!(passed >= 500, "{route}: only {passed} were let through");
            produced.problem(route, 429, "rate_limited", &refused);
        },
    ))
    .await;
    let admin = &User::with_role(&stack, Some("admin"));
    join_all(READS.map(|route| async move {
        let path = &route.replace("{user_id}", "nobody");
        let query = if route == LATEST { "" } else { "?limit=0" };
        let (refused, passed) = until_refused(500, async || admin.get(&format!("{path}{query}")).await).await;
        assert!(passed >= 500, "{route}: only {passed} were let through");
        produced.problem(route, 429, "rate_limited", &refused);
    }))
    .await;
}

async fn strict(produced: &Produced) {
    let admin = &User::with_role(stack().await, Some("admin"));
    join_all(OPERATIONS.map(|route| async move {
        let (refused, passed) = until_refused(10, async || admin.post(route, &json!([])).await).await;
        assert!(passed >= 10, "{route}: only {passed} were let through");
        produced.problem(route, 429, "rate_limited", &refused);
    }))
    .await;
}

/// What is signed counts, whatever it holds.
async fn webhook(produced: &Produced) {
    let terra = &Sender::new(stack().await);
    let empty = local::terra::Webhook::new("{");
    let (refused, passed) = until_refused(1_000, async || terra.send(&empty).await).await;
    assert!(passed >= 1_000, "only {passed} were let through");
    produced.problem(WEBHOOK, 429, "rate_limited", &refused);
}

async fn blocked(produced: &Produced) {
    let stack = stack().await;
    let user = User::new(stack);
    let forger = user.with_token("no.such.token");
    let (refused, failures) = until_refused(20, async || forger.post("start-session", &json!({})).await).await;
    assert!(failures >= 10, "blocked after {failures} failures");
    produced.problem("start-session", 429, "blocked", &refused);
    // Whatever comes from there without a valid token, on any route.
    for who in [&forger, &user.without_token()] {
        for route in POSTS.into_iter().chain(OPERATIONS) {
            produced.problem(route, 429, "blocked", &in_the_end(async || who.post(route, &json!({})).await).await);
        }
        for route in engines::ROUTES {
            let refused = in_the_end(async || engines::send(who, &route, &json!({})).await).await;
            produced.problem(route.2, 429, "blocked", &refused);
        }
        for route in READS.into_iter().chain(["health-check/detailed"]) {
            let path = route.replace("{user_id}", &user.id.to_string());
            produced.problem(route, 429, "blocked", &in_the_end(async || who.get(&path).await).await);
        }
    }
    // Who shares the address and has a valid token is let through, and so is everybody where no token is asked for.
    user.session().await;
    user.without_token().get("health-check").await.success();
}

/// An instance that has heard nothing of the block asks for it, and waits for 200 ms and no longer: on a machine that stands
/// still the best of a few answers counts.
async fn in_the_end(request: impl AsyncFn() -> Answer) -> Answer {
    let mut answer = request().await;
    for _ in 0..4 {
        if answer.code() != "blocked" {
            answer = request().await;
        }
    }
    answer
}

#[test]
fn one_users_limit_is_no_other_users_and_no_other_routes() {
    run(async {
        let stack = stack().await;
        let (busy, calm) = (User::new(stack), User::new(stack));
        let (refused, _) = until_refused(100, async || busy.post("end-session", &json!({})).await).await;
        refused.is_problem(429, "rate_limited");
        // Over the limit, a request that would be good is refused as well.
        let session = busy.session().await;
        busy.end(session).await.is_problem(429, "rate_limited");
        // From the very same address.
        calm.end(calm.session().await).await.success();
        busy.with_token(calm.token.as_deref().unwrap())
            .post("end-session", &json!({}))
            .await
            .is_problem(422, "invalid");
    });
}
