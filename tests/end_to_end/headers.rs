//! Headers: on every answer, on every limited one, and those that browsers ask for.

use futures::future::join_all;
use local::{Stack, StackOptions};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Answer, User, frame_body,
    pictures::picture,
    run, stack, start,
    terra::{Sender, webhook},
};

const POSTS: [&str; 4] = ["start-session", "camera-proxy", "analyze-frame", "end-session"];
/// The template's default of `AllowedOrigins`.
const ORIGIN: &str = "http://localhost:5173";

/// A good request to each route that takes one, and its answer.
async fn successes(user: &User) -> Vec<(&'static str, Answer)> {
    let session = user.session().await;
    let start = json!({ "user_id": user.id, "session_type": "training" });
    let wish = json!({ "session_id": session, "frame_number": 1, "delivery": "url" });
    let frame = frame_body(session, 1, &picture(2).await);
    let end = json!({ "session_id": session, "end_reason": "completed" });
    let mut answers = Vec::new();
    for (route, body) in POSTS.into_iter().zip([start, wish, frame, end]) {
        answers.push((route, user.post(route, &body).await));
    }
    answers
}

/// A report that finds everything as it should be. On a machine that stands still for half a second something seems to be
/// away, never the reverse, so that the best of a few counts; each instance keeps its own for five seconds.
async fn healthy(stack: &Stack, route: &str) -> Answer {
    let anybody = User::stranger(stack);
    let mut answer = anybody.get(route).await;
    for _ in 0..4 {
        if answer.status == 503 {
            stack.kill_instances("health-check").await;
            answer = anybody.get(route).await;
        }
    }
    answer
}

/// A webhook that nothing comes of.
async fn kept_webhook() -> Answer {
    let body = json!({ "type": "healthcheck", "creation_timestamp": "2026-11-21T09:00:00Z" });
    Sender::new(stack().await).send(&webhook(&body)).await
}

#[test]
fn a_success_is_json_with_the_headers_of_every_answer() {
    run(async {
        let user = User::new(stack().await);
        let mut answers = successes(&user).await;
        let calm = start(StackOptions::default()).await;
        for route in ["health-check", "health-check/live", "health-check/ready"] {
            answers.push((route, healthy(&calm, route).await));
        }
        let admin = User::with_role(stack().await, Some("admin"));
        answers.push(("dead-jobs", admin.get("dead-jobs").await));
        answers.push(("retry-jobs", admin.post("retry-jobs", &json!({ "job_type": "unparsable" })).await));
        answers.push(("recalculate-metrics", admin.post("recalculate-metrics", &json!({ "user_id": admin.id })).await));
        answers.push(("webhook-terra", kept_webhook().await));
        for (route, answer) in answers {
            assert!((200..300).contains(&answer.status), "{route}: {:#}", answer.body);
            assert_eq!(answer.header("content-type"), Some("application/json"), "{route}");
            answer.has_common_headers();
            // Headers that belong to refusals, and the version of what runs here, are nobody's business.
            for absent in ["retry-after", "www-authenticate", "server", "x-powered-by"] {
                assert_eq!(answer.header(absent), None, "{route}");
            }
        }
    });
}

#[test]
fn the_callers_own_correlation_id_comes_back_and_is_logged() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let longest = Uuid::from_u128(u128::MAX).simple().to_string().repeat(4);
        let ids = ["a", "0", "Shot-7_of.10", longest.as_str()];
        for id in ids {
            let refused = user.post_with("end-session", &json!({}), &[("x-correlation-id", id)]).await;
            refused.is_problem(422, "invalid");
            assert_eq!(refused.header("x-correlation-id"), Some(id));
        }
        let logged = stack.logs().entries("end-session");
        for id in ids {
            assert!(logged.iter().any(|line| line["correlation_id"] == id), "{id} is in no line of the log");
        }
    });
}

#[test]
fn a_correlation_id_that_is_none_is_replaced_by_a_new_one() {
    run(async {
        let user = User::new(stack().await);
        let too_long = "x".repeat(129);
        let mut seen = Vec::new();
        for id in [None, Some(""), Some("a b"), Some("a,b"), Some("<script>"), Some("{\"a\":1}"), Some(&*too_long)] {
            let headers: Vec<_> = id.iter().map(|id| ("x-correlation-id", *id)).collect();
            let answer = user.post_with("start-session", &json!({}), &headers).await;
            answer.is_problem(422, "invalid");
            let given = answer.header("x-correlation-id").unwrap().to_owned();
            assert!(Uuid::try_parse(&given).is_ok(), "{given} in place of {id:?}");
            assert!(!seen.contains(&given), "{given} was given before");
            seen.push(given);
        }
    });
}

/// `r` and `t` of a `RateLimit` header.
fn left(answer: &Answer, policy: &str) -> (u32, u32) {
    let limit = answer.header("ratelimit").unwrap_or_else(|| panic!("no RateLimit: {:#}", answer.body));
    let parts: Vec<&str> = limit.split(';').collect();
    let [name, r, t] = parts[..] else { panic!("{limit}") };
    assert_eq!(name, format!("\"{policy}\""));
    let number = |text: &str, key: &str| text.strip_prefix(key).unwrap().parse().unwrap();
    (number(r, "r="), number(t, "t="))
}

#[test]
fn a_limited_answer_tells_the_policy_and_what_is_left_of_it() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        for (route, answer) in successes(&user).await {
            // A refusal behind the limiter counts and tells as well.
            let refused = user.post(route, &json!({})).await;
            refused.is_problem(422, "invalid");
            for answer in [answer, refused] {
                assert_eq!(answer.header("ratelimit-policy"), Some("\"standard\";q=100;w=60"), "{route}");
                // 100 where a busy machine's table took too long to count it.
                let (remaining, turns) = left(&answer, "standard");
                assert!(
                    (97..=100).contains(&remaining) && (1..=60).contains(&turns),
                    "{route}: r={remaining};t={turns}"
                );
            }
        }
        for route in ["health-check", "health-check/live", "health-check/ready"] {
            let answer = user.without_token().get(route).await;
            assert_eq!(answer.header("ratelimit-policy"), Some("\"lenient\";q=500;w=60"), "{route}");
            let (remaining, turns) = left(&answer, "lenient");
            assert!((490..=499).contains(&remaining) && (1..=60).contains(&turns), "{route}: r={remaining};t={turns}");
        }
        for route in ["health-check/detailed", "dead-jobs", &format!("latest-metrics/{}", Uuid::nil())] {
            let forbidden = user.get(route).await;
            forbidden.is_problem(403, "forbidden");
            assert!((498..=500).contains(&left(&forbidden, "lenient").0), "{route}");
        }
        for route in ["retry-jobs", "recalculate-metrics"] {
            let forbidden = user.post(route, &json!({})).await;
            forbidden.is_problem(403, "forbidden");
            assert_eq!(forbidden.header("ratelimit-policy"), Some("\"strict\";q=10;w=60"), "{route}");
            assert!((9..=10).contains(&left(&forbidden, "strict").0), "{route}");
        }
        let webhook = kept_webhook().await;
        assert_eq!(webhook.header("ratelimit-policy"), Some("\"webhook\";q=1000;w=60"));
        assert!((999..=1_000).contains(&left(&webhook, "webhook").0));
    });
}

#[test]
fn who_is_over_the_limit_is_told_to_wait_until_there_is_room() {
    run(async {
        let user = &User::new(stack().await);
        let answers = join_all((0..201).map(|_| async move { user.post("camera-proxy", &json!({})).await })).await;
        let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
        assert!(!refused.is_empty(), "201 requests passed");
        for answer in refused {
            answer.is_problem(429, "rate_limited");
            let (left, wait) = left(answer, "standard");
            let retry_after: u32 = answer.header("retry-after").unwrap().parse().unwrap();
            assert_eq!((left, wait), (0, retry_after));
            assert!((1..=120).contains(&retry_after), "{retry_after}");
        }
    });
}

#[test]
fn an_answer_before_the_limiter_tells_of_no_limit() {
    run(async {
        let refused = User::stranger(stack().await).post("start-session", &json!({})).await;
        refused.is_problem(401, "unauthenticated");
        assert_eq!((refused.header("ratelimit"), refused.header("ratelimit-policy")), (None, None));
    });
}

/// The names in a header's list.
fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let value = headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    value.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).collect()
}

async fn preflight(user: &User, route: &str, origin: &str) -> (u16, HeaderMap) {
    let request = user.request(Method::OPTIONS, route).header("origin", origin);
    let request = request.header("access-control-request-method", "POST");
    let answer = request.header("access-control-request-headers", "authorization").send().await.unwrap();
    (answer.status().as_u16(), answer.headers().clone())
}

#[test]
fn a_preflight_is_answered_for_the_templates_origin_without_any_function() {
    run(async {
        let stack = stack().await;
        let user = User::stranger(stack);
        let latest = format!("latest-metrics/{}", Uuid::nil());
        for route in POSTS.into_iter().chain(["retry-jobs", "recalculate-metrics", "dead-jobs", &latest]) {
            let (status, headers) = preflight(&user, route, ORIGIN).await;
            assert_eq!(status, 204, "{route}");
            assert_eq!(headers["access-control-allow-origin"], ORIGIN);
            assert_eq!(headers["access-control-max-age"], "3600");
            assert_eq!(list(&headers, "access-control-allow-methods"), ["get", "post", "put", "options"]);
            let wanted = ["authorization", "content-type", "idempotency-key", "if-none-match", "x-correlation-id"];
            assert_eq!(list(&headers, "access-control-allow-headers"), wanted);
            // A function would have given one.
            assert!(!headers.contains_key("x-correlation-id"), "{route}");
        }
        let (_, headers) = preflight(&user, "start-session", "https://evil.example").await;
        assert!(!headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{headers:?}");
    });
}

#[test]
fn a_page_of_the_templates_origin_may_read_the_headers_that_it_needs() {
    run(async {
        let user = User::new(stack().await);
        let body = json!({ "user_id": user.id, "session_type": "practice" });
        let own = user.post_with("start-session", &body, &[("origin", ORIGIN)]).await;
        assert_eq!(own.header("access-control-allow-origin"), Some(ORIGIN));
        let exposed = list(&own.headers, "access-control-expose-headers");
        assert_eq!(exposed, ["etag", "x-correlation-id", "ratelimit", "ratelimit-policy", "retry-after"]);
        assert_eq!(own.success()["session"]["user_id"], Value::from(user.id.to_string()));
        let foreign = user.post_with("start-session", &body, &[("origin", "https://evil.example")]).await;
        assert_eq!(foreign.header("access-control-allow-origin"), None);
    });
}
