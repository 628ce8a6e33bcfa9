use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use ::http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;

use super::*;
use crate::{
    aws::Aws,
    clock::Clock,
    config::Config,
    domain::invalid::{FieldError, Invalid},
    http::{self, created, empty, ok},
    ids::UserId,
    rate_limit::{Preset, Subject},
    telemetry::{self, Captured, CapturedLogs, Metrics, fake_dynamodb},
};

/// A context whose DynamoDB counts every limit's window up from `count`, and the metrics that it leaves.
async fn context(count: u32) -> (Context, Captured) {
    let (metrics, captured) = Metrics::capture();
    let counted = AtomicU32::new(count);
    let dynamodb = fake_dynamodb::start(move |operation| match operation {
        "UpdateItem" => {
            let count = counted.fetch_add(1, Ordering::SeqCst) + 1;
            Some((200, json!({ "Attributes": { "count": { "N": count.to_string() } } }).to_string()))
        }
        _ => Some((200, "{}".into())),
    })
    .await;
    let clock = Clock::manual("2026-03-01T12:00:15Z".parse().unwrap());
    let config = Config::from_lookup(&[], |name| (name == "CONTROL_TABLE").then(|| "control".into())).unwrap();
    let aws = Aws::from_config(dynamodb, metrics.clone());
    (Context::new("start-session", config, clock, metrics, aws), captured)
}

/// A `POST start-session` as API Gateway sends it, with these members replaced.
fn event(changes: Value) -> lambda_http::Request {
    let mut event = json!({
        "version": "2.0", "routeKey": "POST /functions/v1/start-session", "rawPath": "/functions/v1/start-session",
        "rawQueryString": "", "headers": { "content-type": "application/json", "host": "api.example" },
        "requestContext": {
            "routeKey": "POST /functions/v1/start-session", "stage": "$default", "timeEpoch": 0, "accountId": "1",
            "apiId": "a", "domainName": "api.example", "requestId": "gateway",
            "http": {
                "method": "POST", "path": "/functions/v1/start-session", "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7", "userAgent": "test"
            }
        },
        "body": "{}", "isBase64Encoded": false
    });
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    let key = event["routeKey"].as_str().unwrap().to_owned();
    event["requestContext"]["http"]["method"] = key.split(' ').next().into();
    event["requestContext"]["routeKey"] = key.into();
    let mut lambda = lambda_runtime::Context::default();
    lambda.request_id = "req-1".into();
    lambda.deadline = 1_772_366_425_000;
    lambda.xray_trace_id = Some("Root=1-abc;Parent=1;Sampled=1".into());
    event::request(LambdaEvent::new(serde_json::from_value(event).unwrap(), lambda))
}

fn with_header(name: &str, value: &str) -> lambda_http::Request {
    event(json!({ "headers": { "content-type": "application/json", name: value } }))
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What `handler` comes to at the edge.
async fn answer(
    ctx: &Context,
    event: lambda_http::Request,
    handler: impl AsyncFnOnce(&Context, Request) -> Result<Response>,
) -> Answer {
    let (parts, body) = respond(ctx, async |ctx, request| handler(ctx, request).await, event).await.into_parts();
    let body = match body {
        Body::Text(text) => serde_json::from_str(&text).unwrap(),
        Body::Empty => Value::Null,
        _ => panic!("not text"),
    };
    Answer { status: parts.status, headers: parts.headers, body }
}

/// The log lines of `work`.
async fn logged<T>(work: impl Future<Output = T>) -> (T, Vec<Value>) {
    let logs = CapturedLogs::new("info");
    (work.with_subscriber(logs.dispatch()).await, logs.lines())
}

#[derive(Debug, thiserror::Error)]
#[error("table sessions-prod, key hunter2")]
struct Secretive(#[source] std::io::Error);

fn internal() -> Error {
    Error::internal(Secretive(std::io::Error::other("connection reset")))
}

/// A handler as the functions have it, and that [`serve`] takes it: this need only compile.
async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    let body: Value = request.limited(ctx, &caller, Preset::Standard, async { request.json() }).await?;
    Ok(ok(body))
}

#[expect(dead_code, reason = "only its types are of interest")]
async fn main_reads_as_it_should(context: Context) -> Result<(), lambda_http::Error> {
    serve(context, handle).await
}

#[tokio::test]
async fn every_answer_has_the_headers_that_all_have() {
    let (ctx, _) = context(0).await;
    let given = with_header("x-correlation-id", "corr-1");
    let answer = answer(&ctx, given, async |_, _| Ok(created(json!({ "success": true })))).await;
    assert_eq!((answer.status, &answer.body), (StatusCode::CREATED, &json!({ "success": true })));
    let mut headers: Vec<_> = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    insta::assert_snapshot!(headers.join("\n"), @r#"
    cache-control: "no-store"
    content-security-policy: "default-src 'none'; frame-ancestors 'none'"
    content-type: "application/json"
    referrer-policy: "no-referrer"
    strict-transport-security: "max-age=63072000"
    x-content-type-options: "nosniff"
    x-correlation-id: "corr-1"
    x-frame-options: "DENY"
    "#);
}

#[tokio::test]
async fn a_handler_may_say_how_long_its_answer_keeps() {
    let (ctx, _) = context(0).await;
    let answer = answer(&ctx, event(json!({})), async |_, _| {
        Ok(empty(StatusCode::NOT_MODIFIED).header(header::CACHE_CONTROL, "private").header(header::ETAG, "\"1\""))
    })
    .await;
    assert_eq!((answer.status, &answer.body), (StatusCode::NOT_MODIFIED, &Value::Null));
    assert_eq!((answer.header("cache-control"), answer.header("etag")), (Some("private"), Some("\"1\"")));
    assert_eq!(answer.header("content-type"), None);
}

#[tokio::test]
async fn a_correlation_id_that_is_none_is_replaced() {
    let (ctx, _) = context(0).await;
    let answer =
        answer(&ctx, with_header("x-correlation-id", "a b"), async |_, request| Ok(ok(request.correlation_id()))).await;
    let id = answer.header("x-correlation-id").unwrap();
    assert_eq!(answer.body, id);
    assert!(uuid::Uuid::parse_str(id).is_ok());
}

#[tokio::test]
async fn an_error_is_a_problem_document() {
    let (ctx, _) = context(0).await;
    let given = with_header("x-correlation-id", "corr-1");
    let answer = answer(&ctx, given, async |_, _| {
        let fault = |pointer: &str, detail: &str| FieldError { pointer: pointer.into(), detail: detail.into() };
        Err(Invalid(vec![fault("/frame_number", "must be at least 1"), fault("/user_id", "is required")]).into())
    })
    .await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(
        answer.body,
        json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "invalid",
            "detail": "the request breaks a rule", "correlation_id": "corr-1", "success": false,
            "errors": [
                { "pointer": "/frame_number", "detail": "must be at least 1" },
                { "pointer": "/user_id", "detail": "is required" },
            ],
        })
    );
}

#[tokio::test]
async fn each_error_has_its_status_and_code() {
    let (ctx, captured) = context(0).await;
    let wait = Duration::from_millis(1500);
    let source = || Some("reset".into());
    for (error, status, code, retry_after) in [
        (Error::MissingBody, 400, "missing_body", None),
        (Error::MalformedJson("at 1".into()), 400, "malformed_json", None),
        (Error::Unauthenticated("no"), 401, "unauthenticated", None),
        (Error::Forbidden("no"), 403, "forbidden", None),
        (Error::NotFound("session"), 404, "not_found", None),
        (Error::SessionEnded("ended".into()), 409, "session_ended", None),
        (Error::FrameConflict("other".into()), 409, "frame_conflict", None),
        (Error::TooLarge("big".into()), 413, "too_large", None),
        (Error::UnsupportedMediaType("text".into()), 415, "unsupported_media_type", None),
        (Error::RateLimited { retry_after: wait }, 429, "rate_limited", Some("2")),
        (Error::Blocked { retry_after: wait }, 429, "blocked", Some("2")),
        (internal(), 500, "internal", None),
        (Error::UpstreamFailed { upstream: "camera", source: "reset".into() }, 502, "upstream_failed", None),
        (
            Error::Unavailable { detail: "away".into(), retry_after: wait, source: source() },
            503,
            "unavailable",
            Some("2"),
        ),
        (Error::UpstreamTimeout { upstream: "camera", source: source() }, 504, "upstream_timeout", None),
    ] {
        let answer = answer(&ctx, event(json!({})), async move |_, _| Err(error)).await;
        assert_eq!((answer.status.as_u16(), answer.body["code"].as_str()), (status, Some(code)));
        assert_eq!((&answer.body["status"], &answer.body["success"]), (&json!(status), &json!(false)), "{code}");
        assert_eq!(answer.header("retry-after"), retry_after, "{code}");
        assert_eq!(answer.header("www-authenticate"), (status == 401).then_some("Bearer"), "{code}");
        assert!(answer.body.get("errors").is_none(), "{code}");
        assert!(!answer.body.to_string().contains("reset"), "{code}");
    }
    assert_eq!(captured.sum("requests"), 15.0);
    assert_eq!((captured.sum("client_errors"), captured.sum("server_errors")), (11.0, 4.0));
    assert_eq!(captured.sum("throttled"), 2.0);
}

#[tokio::test]
async fn the_log_hears_the_causes_once_and_the_caller_nothing_of_them() {
    let (ctx, _) = context(0).await;
    let (answer, lines) = logged(answer(&ctx, event(json!({})), async |_, _| Err(internal()))).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    for inside in ["hunter2", "sessions-prod", "connection reset"] {
        assert!(!answer.body.to_string().contains(inside), "{inside}");
    }
    let told: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["error"], "internal error: table sessions-prod, key hunter2: connection reset");
    assert_eq!(told[0]["correlation_id"], answer.header("x-correlation-id").unwrap());
}

#[tokio::test]
async fn the_closing_line_tells_how_the_request_ended_and_nothing_that_it_carried() {
    let (ctx, captured) = context(0).await;
    let given = event(json!({
        "rawQueryString": "token=hunter2", "body": "{\"password\":\"hunter2\"}",
        "headers": { "x-correlation-id": "corr-1", "authorization": "Bearer hunter2", "content-type": "text/plain" },
    }));
    let (_, mut lines) = logged(answer(&ctx, given, async |_, request| {
        request.json()?;
        Ok(ok(()))
    }))
    .await;
    assert!(!format!("{lines:?}{:?}", captured.records()).contains("hunter2"));
    let line = lines.last_mut().unwrap();
    assert!(line["duration_ms"].take().is_f64());
    line["timestamp"].take();
    assert_eq!(
        *line,
        json!({
            "timestamp": null, "level": "INFO", "message": "request ended", "target": "shared::http::serve",
            "function": "start-session", "route": "start-session", "correlation_id": "corr-1", "request_id": "req-1",
            "trace_id": "1-abc", "status": 415, "code": "unsupported_media_type", "duration_ms": null,
            "cold_start": true,
        })
    );
    let record = &captured.records()[0];
    assert_eq!((&record["route"], &record["correlation_id"]), (&json!("start-session"), &json!("corr-1")));
    assert_eq!(record["cold_starts"], 1);
}

#[tokio::test]
async fn a_panic_is_a_500_that_is_logged_with_its_place_and_the_instance_goes_on() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        telemetry::log_panic(info);
        before(info);
    }));
    let (ctx, captured) = context(0).await;
    let panics = async |_: &Context, request: Request| {
        assert!(request.body().is_empty(), "a hole in the code");
        Ok(ok(()))
    };
    let (broken, lines) = logged(answer(&ctx, event(json!({})), panics)).await;
    assert_eq!((broken.status.as_u16(), &broken.body["code"]), (500, &json!("internal")));
    let id = broken.header("x-correlation-id").unwrap();
    assert_eq!(broken.body["correlation_id"], id);
    let told: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["panic"], &told[0]["correlation_id"]), (&json!("a hole in the code"), &json!(id)));
    assert!(told[0]["location"].as_str().unwrap().contains("serve/tests.rs:"));

    let next = answer(&ctx, event(json!({ "body": null })), panics).await;
    assert_eq!(next.status, StatusCode::OK);
    assert_eq!(captured.sum("server_errors"), 1.0);
}

#[tokio::test]
async fn a_limited_route_tells_its_limit_on_success_and_on_error() {
    let (ctx, _) = context(40).await;
    for outcome in [Ok(()), Err(Error::MissingBody)] {
        let succeeds = outcome.is_ok();
        let answer = answer(&ctx, event(json!({})), async |ctx, request| {
            request.limited_by_address(ctx, Preset::Standard, async { outcome }).await?;
            Ok(ok(()))
        })
        .await;
        assert_eq!(answer.status.is_success(), succeeds);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"standard\";q=100;w=60"));
        let left = if succeeds { 59 } else { 58 };
        assert_eq!(answer.header("ratelimit"), Some(format!("\"standard\";r={left};t=45").as_str()));
    }
}

#[tokio::test]
async fn over_the_limit_the_verdict_comes_first_whatever_the_body_is() {
    let (ctx, _) = context(100).await;
    let answer = answer(&ctx, event(json!({})), async |ctx, request| {
        request.limited_by_address(ctx, Preset::Standard, async { Err::<(), _>(Error::MissingBody) }).await?;
        Ok(ok(()))
    })
    .await;
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (429, &json!("rate_limited")));
    let wait = answer.header("retry-after").unwrap();
    assert_eq!(answer.header("ratelimit"), Some(format!("\"standard\";r=0;t={wait}").as_str()));
}

#[tokio::test]
async fn work_does_not_begin_where_the_limit_is_known_to_be_reached() {
    let (ctx, captured) = context(100).await;
    let begun = AtomicU32::new(0);
    for (calls, works) in [(2.0, 1), (2.0, 1)] {
        let answer = answer(&ctx, event(json!({})), async |ctx, request| {
            let work = async { Ok(begun.fetch_add(1, Ordering::SeqCst)) };
            request.limited_by_address(ctx, Preset::Standard, work).await.map(ok)
        })
        .await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        // The first learns it from the table: one write, and one look at the window before.
        assert_eq!((captured.sum("dynamodb_calls"), begun.load(Ordering::SeqCst)), (calls, works));
    }
}

#[tokio::test]
async fn a_route_without_io_is_limited_in_memory() {
    let (ctx, captured) = context(0).await;
    let live = async |ctx: &Context, request: Request| {
        request.limited_in_memory(ctx, Preset::Strict)?;
        Ok(ok(()))
    };
    for call in 1..=11 {
        let answer = answer(&ctx, event(json!({})), live).await;
        assert_eq!(answer.status.as_u16(), if call <= 10 { 200 } else { 429 }, "{call}");
    }
    assert_eq!(captured.sum("dynamodb_calls"), 0.0);
}

#[tokio::test]
async fn each_caller_and_route_has_a_limit_of_its_own() {
    let (ctx, _) = context(0).await;
    let user = Subject::User(UserId(uuid::Uuid::nil()));
    for _ in 0..11 {
        ctx.limiter.take_in_memory(&user, "start-session", Preset::Strict);
    }
    let answer = answer(&ctx, event(json!({})), async |ctx, request| {
        request.limited_in_memory(ctx, Preset::Strict)?;
        Ok(ok(()))
    })
    .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_token_nobody_is_there_and_the_address_is_not_blamed() {
    let (ctx, captured) = context(0).await;
    let (answer, lines) = logged(answer(&ctx, event(json!({})), handle)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (401, &json!("unauthenticated")));
    assert_eq!(answer.header("ratelimit"), None);
    assert_eq!(lines[0]["reason"], "missing");
    // Whether the address is blocked was asked, and nothing written.
    assert_eq!(captured.sum("dynamodb_calls"), 1.0);
    assert_eq!(captured.sum("authentication_failed"), 1.0);
}

#[tokio::test]
async fn past_ten_failed_tokens_a_minute_the_address_is_blocked() {
    let (ctx, captured) = context(10).await;
    let (answer, lines) = logged(answer(&ctx, with_header("authorization", "Bearer hunter2"), handle)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (429, &json!("blocked")));
    assert_eq!(answer.header("retry-after"), Some("900"));
    assert_eq!(lines[0]["reason"], "malformed");
    assert!(!format!("{lines:?}").contains("hunter2"));
    assert_eq!(captured.sum("address_blocked"), 1.0);
}

#[tokio::test]
async fn an_answer_that_lambda_would_refuse_is_a_413() {
    let (ctx, _) = context(0).await;
    for (text, status) in [("a".repeat(6_280_000), 200), ("a".repeat(6_291_456), 413), ("\"".repeat(3_000_000), 413)] {
        let answer = answer(&ctx, event(json!({})), async move |_, _| Ok(ok(text))).await;
        assert_eq!(answer.status.as_u16(), status);
        assert!(answer.header("x-correlation-id").is_some());
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_our_fault() {
    let (ctx, _) = context(0).await;
    let keys_are_no_strings = std::collections::BTreeMap::from([((1, 2), 3)]);
    for response in [ok(keys_are_no_strings), ok(()).header(header::ETAG, "two\nlines")] {
        let answer = answer(&ctx, event(json!({})), async move |_, _| Ok(response)).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (500, &json!("internal")));
    }
}

#[tokio::test]
async fn a_path_a_query_or_a_host_that_is_no_url_harms_nobody() {
    let (ctx, _) = context(0).await;
    for (query, host) in [("a=<b> é", "api.example"), ("a=%zz%ff&=&&", "not a host"), ("", "[::1"), ("?#/", "")] {
        let given = event(json!({
            "rawPath": "//<>\\", "rawQueryString": query, "headers": { "host": host, "user-agent": "élan ü" },
        }));
        let answer = answer(&ctx, given, async |_, request| Ok(ok(request.query("a")))).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_request_is_what_api_gateway_says_of_it() {
    let (ctx, _) = context(0).await;
    let given = event(json!({
        "routeKey": "GET /functions/v1/latest-metrics/{user_id}", "rawQueryString": "metrics=steps%2Csleep&metrics=x",
        "pathParameters": { "user_id": "u-1" }, "body": "aGVsbG8=", "isBase64Encoded": true,
        "headers": { "user-agent": "watch/1", "x-forwarded-for": "203.0.113.9" },
    }));
    let answer = answer(&ctx, given, async |_, request| {
        assert_eq!(request.method(), "GET");
        assert_eq!(request.route(), "latest-metrics/{user_id}");
        assert_eq!(request.route_key(), "GET /functions/v1/latest-metrics/{user_id}");
        assert_eq!(request.path_parameter("user_id"), Some("u-1"));
        assert_eq!(request.query("metrics"), Some("steps,sleep"));
        assert_eq!((request.query("limit"), request.header("etag")), (None, None));
        assert_eq!(request.user_agent(), Some("watch/1"));
        assert_eq!(request.address().to_string(), "192.0.2.7");
        assert_eq!(request.body(), b"hello");
        assert_eq!(request.request_id(), "req-1");
        assert_eq!(request.deadline(), Some("2026-03-01T12:00:25Z".parse().unwrap()));
        Ok(http::no_content())
    })
    .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}
