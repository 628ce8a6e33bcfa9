//! Rate limits, and the block that follows failed authentications.

use std::time::Duration;

use futures::future::join_all;
use local::{
    Stack, StackOptions,
    front::{Fault, Service},
};
use serde_json::{Value, json};
use shared::clock::Clock;

use crate::support::{
    Answer, User,
    in_process::{Call, Instance, clock, hurried, instance, window},
    run, stack, start,
    watch::{records, sum},
};

mod webhooks;

/// `RateLimit` of an answer: what is left, and seconds until the window turns.
fn left(answer: &Answer) -> (u32, u64) {
    let header = answer.header("ratelimit").unwrap();
    let (name, rest) = header.split_once(";r=").unwrap();
    let (left, turn) = rest.split_once(";t=").unwrap();
    assert!(name.starts_with('"') && name.ends_with('"'), "{header}");
    (left.parse().unwrap(), turn.parse().unwrap())
}

fn retry_after(answer: &Answer) -> u64 {
    answer.header("retry-after").unwrap().parse().unwrap()
}

/// A token whose time is over: it fails, and that counts.
fn expired(stack: &Stack, user: &User) -> String {
    let mut claims = stack.identity().claims(user.id, None);
    claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 3600);
    stack.identity().sign(&claims).unwrap()
}

fn start_session<'a>(user: &'a User, from: &'a str, body: &'a Value) -> Call<'a> {
    Call { route: "POST start-session", from, token: user.token.as_deref(), body }
}

#[test]
fn the_headers_count_down_whatever_the_answer_is() {
    run(async {
        let (stack, clock) = (stack().await, clock());
        let user = User::new(stack);
        let starts = instance(stack, "start-session", &clock);
        let body = json!({});
        for expected in [(99, 60), (98, 45), (97, 30)] {
            let answer = starts.call(start_session::handle, start_session(&user, "192.0.2.1", &body)).await;
            answer.is_problem(422, "invalid");
            assert_eq!(answer.header("ratelimit-policy"), Some("\"standard\";q=100;w=60"));
            assert_eq!(left(&answer), expected);
            clock.advance(Duration::from_secs(15));
        }
    });
}

#[test]
fn of_two_hundred_calls_at_once_over_three_instances_exactly_a_hundred_pass() {
    run(async {
        let stack = start(StackOptions { max_instances: 3, ..StackOptions::default() }).await;
        let body = json!({});
        // A window may turn in the middle, and a machine that stands still for 200 ms lets the limiter pass a call as it
        // must: neither says anything about the count, and the next user is tried.
        for _ in 0..5 {
            let user = User::new(&stack);
            let (before, unavailable) = (Clock::System.now(), sum(&stack, "start-session", "limiter_unavailable"));
            let answers = join_all((0..200).map(|_| user.post("start-session", &body))).await;
            let calls = stack.front().calls().by("start-session").named("UpdateItem").count();
            stack.front().clear_calls();
            let denied = user.post("start-session", &body).await;
            let calls_denied = stack.front().calls().by("start-session").of(Service::DynamoDb).count();
            let same = window(before) == window(Clock::System.now());
            if !same || sum(&stack, "start-session", "limiter_unavailable") > unavailable {
                stack.front().clear_calls();
                continue;
            }
            let (refused, passed): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 429);
            assert_eq!((passed.len(), refused.len()), (100, 100));
            assert!(passed.iter().all(|answer| answer.status == 422));
            for answer in refused.into_iter().chain([&denied]) {
                answer.is_problem(429, "rate_limited");
                assert!((1..=60).contains(&retry_after(answer)));
                assert_eq!(left(answer).0, 0);
            }
            assert!((100..=103).contains(&calls), "an instance writes at most one too many: {calls}");
            assert_eq!(calls_denied, 0, "who is denied is answered from memory");
            let cold = stack.logs().entries("start-session");
            assert_eq!(cold.iter().filter(|line| line["cold_start"] == true).count(), 3, "three instances");
            return stack.shutdown().await;
        }
        panic!("no attempt was conclusive");
    });
}

#[test]
fn three_instances_share_one_count_to_the_last_request() {
    run(async {
        let (stack, clock) = (stack().await, clock());
        let user = User::new(stack);
        let instances = [(); 3].map(|()| instance(stack, "start-session", &clock));
        let body = json!({});
        let calls =
            (0..200).map(|n| instances[n % 3].call(start_session::handle, start_session(&user, "192.0.2.1", &body)));
        let answers = join_all(calls).await;
        let (refused, passed): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 429);
        assert_eq!((passed.len(), refused.len()), (100, 100));
        assert!(refused.iter().all(|answer| retry_after(answer) == 60));
        clock.advance(Duration::from_secs(120));
        let later = instances[0].call(start_session::handle, start_session(&user, "192.0.2.1", &body)).await;
        later.is_problem(422, "invalid");
        assert_eq!(left(&later), (99, 60));
    });
}

#[test]
fn each_route_counts_for_itself() {
    run(async {
        let (stack, clock) = (stack().await, clock());
        let user = User::new(stack);
        let (starts, ends) = (instance(stack, "start-session", &clock), instance(stack, "end-session", &clock));
        let body = json!({});
        for _ in 0..100 {
            let passed = starts.call(start_session::handle, start_session(&user, "192.0.2.1", &body)).await;
            assert_eq!(passed.status, 422);
        }
        let refused = starts.call(start_session::handle, start_session(&user, "192.0.2.1", &body)).await;
        refused.is_problem(429, "rate_limited");
        let end = Call { route: "POST end-session", ..start_session(&user, "192.0.2.1", &body) };
        let passed = ends.call(end_session::handle, end).await;
        passed.is_problem(422, "invalid");
        assert_eq!(left(&passed).0, 99);
    });
}

#[test]
fn ten_failed_authentications_block_an_address_for_requests_without_a_valid_token() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let (user, other) = (User::new(&stack), User::new(&stack));
        let bad = expired(&stack, &user);
        let (bad_here, bad_elsewhere) = (user.with_token(&bad), other.with_token(&bad));
        let body = json!({});
        let mut failures = 0.0;
        let blocked = loop {
            let refused = bad_here.post("start-session", &body).await;
            if refused.status != 401 {
                break refused;
            }
            refused.is_problem(401, "unauthenticated");
            assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
            failures += 1.0;
        };
        // What could not be counted in time, on a machine that stood still, was not counted.
        let uncounted = sum(&stack, "start-session", "limiter_unavailable");
        assert!((10.0..=10.0 + uncounted).contains(&failures), "blocked after {failures}");
        blocked.is_problem(429, "blocked");
        assert!((840..=900).contains(&retry_after(&blocked)), "{}", retry_after(&blocked));
        user.post("start-session", &body).await.is_problem(422, "invalid");
        bad_elsewhere.post("start-session", &body).await.is_problem(401, "unauthenticated");
        user.without_token().post("start-session", &body).await.is_problem(429, "blocked");
        // Other functions and other instances know of it too.
        becomes_blocked(&bad_here, "end-session").await;
        stack.kill_instances("start-session").await;
        becomes_blocked(&bad_here, "start-session").await;
        assert_eq!(sum(&stack, "start-session", "address_blocked"), 1.0);
        stack.shutdown().await;
    });
}

/// An instance that has heard nothing of the block asks for it, and waits for 200 ms and no longer.
async fn becomes_blocked(user: &User, route: &str) {
    for _ in 0..3 {
        if user.post(route, &json!({})).await.code() == "blocked" {
            return;
        }
    }
    panic!("{route} does not know of the block");
}

#[test]
fn an_unknown_key_and_a_missing_token_do_not_count_as_failures() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let key = stack.identity().key().unwrap().with_kid("rotated-a-moment-ago");
        let unknown = user.with_token(&key.sign(&stack.identity().claims(user.id, None)).unwrap());
        for _ in 0..12 {
            unknown.post("start-session", &json!({})).await.is_problem(401, "unauthenticated");
            user.without_token().post("start-session", &json!({})).await.is_problem(401, "unauthenticated");
        }
        let bad = user.with_token(&expired(stack, &user));
        bad.post("start-session", &json!({})).await.is_problem(401, "unauthenticated");
    });
}

#[test]
fn a_block_ends_after_fifteen_minutes_and_is_not_made_longer() {
    run(async {
        let (stack, clock) = (stack().await, clock());
        let address = "198.51.100.15";
        let (one, other) = (instance(stack, "start-session", &clock), instance(stack, "start-session", &clock));
        let (body, bad) = (json!({}), Some("no.real.token"));
        let attempt = async |instance: &Instance| {
            let call = Call { route: "POST start-session", from: address, token: bad, body: &body };
            let answer = instance.call(start_session::handle, call).await;
            (answer.status, answer.header("retry-after").map(str::to_owned))
        };
        for _ in 0..10 {
            assert_eq!(attempt(&one).await, (401, None));
        }
        assert_eq!(attempt(&one).await, (429, Some("900".into())));
        clock.advance(Duration::from_secs(899));
        for _ in 0..20 {
            assert_eq!(attempt(&other).await, (429, Some("1".into())));
        }
        clock.advance(Duration::from_secs(1));
        assert_eq!(attempt(&one).await, (401, None));
        assert_eq!(attempt(&other).await, (401, None));
    });
}

#[test]
fn without_the_limiters_table_users_pass_and_it_is_counted() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        stack.front().inject(Fault::drop_connection().resource(stack.table("ControlTable").unwrap()));
        let body = json!({ "user_id": user.id, "session_type": "practice", "metadata": {} });
        let answer = user.post("start-session", &body).await;
        assert_eq!(answer.status, 201, "{:#}", answer.body);
        let records = records(&stack, "start-session", answer.header("x-correlation-id").unwrap());
        assert_eq!(records[0]["limiter_unavailable"], 1);
        stack.shutdown().await;
    });
}

#[test]
fn without_the_limiters_table_addresses_are_counted_in_memory() {
    run(async {
        let (stack, clock) = (start(StackOptions::default()).await, clock());
        let health = hurried(&stack, "health-check", &clock);
        stack.front().inject(Fault::refuse(500, "InternalServerError").service(Service::DynamoDb));
        let (kept, body) = (&*Box::leak(Box::<health_check::Kept>::default()), Value::Null);
        let call = Call { route: "GET health-check", from: "198.51.100.7", token: None, body: &body };
        for expected in (0..500).rev() {
            let answer = health.call(|ctx, request| health_check::handle(ctx, kept, request), call).await;
            assert_eq!((answer.status, left(&answer).0), (503, expected));
        }
        let refused = health.call(|ctx, request| health_check::handle(ctx, kept, request), call).await;
        refused.is_problem(429, "rate_limited");
        stack.shutdown().await;
    });
}
