use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use serde_json::{Value, json};

use crate::support::{Fixture, json_of};

#[tokio::test]
async fn a_request_becomes_a_payload_2_0_event() {
    let fixture = Fixture::start().await;
    let request = fixture.get("/echo/FD001%207?a=1&b=x%20y&a=2").header(COOKIE, "s=1; t=2").header("X-Tag", "one");
    let answer = request.header("X-Tag", "two").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert!(answer.headers().contains_key("apigw-requestid"));
    let body = json_of(answer).await;
    let event = &body["event"];
    let expected = json!({
        "version": "2.0",
        "routeKey": "GET /functions/v1/echo/{id}",
        "rawPath": "/functions/v1/echo/FD001 7",
        "rawQueryString": "a=1&b=x%20y&a=2",
        "queryStringParameters": {"a": "1,2", "b": "x y"},
        "pathParameters": {"id": "FD001 7"},
        "cookies": ["s=1", "t=2"],
        "isBase64Encoded": false,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&event[name], value, "{name}");
    }
    let context = &event["requestContext"];
    assert_eq!((&context["stage"], &context["http"]["sourceIp"]), (&json!("$default"), &json!("127.0.0.1")));
    assert_eq!((&context["http"]["method"], &context["http"]["protocol"]), (&json!("GET"), &json!("HTTP/1.1")));
    assert_eq!((&event["headers"]["x-tag"], &event["headers"]["cookie"]), (&json!("one,two"), &Value::Null));
    assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
}

#[tokio::test]
async fn text_travels_as_text_and_anything_else_as_base64() {
    let fixture = Fixture::start().await;
    for (content_type, body, expected, encoded) in [
        ("application/json", &b"{\"n\":1}"[..], "{\"n\":1}", false),
        ("application/problem+json", b"{}", "{}", false),
        ("text/plain; charset=utf-8", "ä".as_bytes(), "ä", false),
        ("text/plain", b"\xff", "/w==", true),
        ("image/jpeg", b"abc", "YWJj", true),
        ("application/x-www-form-urlencoded", b"a=b", "YT1i", true),
    ] {
        let answer = fixture.post("/echo").header(CONTENT_TYPE, content_type).body(body).send().await.unwrap();
        let answer = json_of(answer).await;
        let event = &answer["event"];
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(expected), &json!(encoded)), "{content_type}");
    }
}

#[tokio::test]
async fn what_no_route_takes_is_404() {
    let fixture = Fixture::start().await;
    for request in [fixture.get("/nothing"), fixture.get("/echo"), fixture.post("/echo/1"), fixture.get("/echo/1/")] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert_eq!(json_of(answer).await, json!({"message": "Not Found"}));
    }
}

#[tokio::test]
async fn requests_over_the_limits_are_413() {
    let fixture = Fixture::start().await;
    // Over API Gateway's 10 MB; over Lambda's 6 MB only as base64.
    for (content_type, bytes) in [("text/plain", (10 << 20) + 1), ("image/jpeg", 5_000_000)] {
        let request = fixture.post("/echo").header(CONTENT_TYPE, content_type).body(vec![b'x'; bytes]);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(json_of(answer).await, json!({"message": "Request Entity Too Large"}));
    }
    let answer =
        fixture.post("/echo").header(CONTENT_TYPE, "image/jpeg").body(vec![b'x'; 2_000_000]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_answer_over_lambdas_limit_is_refused_and_the_instance_lives_on() {
    let fixture = Fixture::start().await;
    let (status, pid) = fixture.order("echo", json!({"do": "sleep", "ms": 0})).await;
    assert_eq!(status, StatusCode::OK);
    // Two quotes make a text into JSON.
    let (status, _) = fixture.order("echo", json!({"do": "large", "bytes": local::functions::PAYLOAD_LIMIT - 2})).await;
    assert_eq!(status, StatusCode::OK);
    let (status, body) =
        fixture.order("echo", json!({"do": "large", "bytes": local::functions::PAYLOAD_LIMIT - 1})).await;
    assert_eq!((status, body.as_str()), (StatusCode::PAYLOAD_TOO_LARGE, r#"{"message":"Request Entity Too Large"}"#));
    assert_eq!(fixture.order("echo", json!({"do": "sleep", "ms": 0})).await.1, pid);
}

#[tokio::test]
async fn preflight_requests_are_answered_without_the_function() {
    let fixture = Fixture::start().await;
    let preflight = |origin: &str| {
        let url = format!("{}/echo", fixture.stack.base_url());
        let request = fixture.client.request(reqwest::Method::OPTIONS, url).header(ORIGIN, origin);
        request.header("access-control-request-method", "POST").send()
    };
    let answer = preflight("https://app.example").await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    for (name, value) in [
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-allow-methods", "GET,POST"),
        ("access-control-allow-headers", "authorization"),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
    let answer = preflight("https://evil.example").await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    assert_eq!(fixture.stack.logs().of("echo").len(), 0);
}

#[tokio::test]
async fn cors_headers_are_the_configured_ones_not_the_functions() {
    let fixture = Fixture::start().await;
    let answer = fixture.get("/echo/1").header(ORIGIN, "https://app.example").send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example");
    assert_eq!(answer.headers()["access-control-expose-headers"], "x-correlation-id");
    let answer = fixture.get("/echo/1").send().await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
}
