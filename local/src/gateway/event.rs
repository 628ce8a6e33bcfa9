//! The event of a request, payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::prelude::{BASE64_STANDARD, Engine};
use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use hyper::http::request::Parts;
use serde_json::{Map, Value, json};

use super::routes::Match;
use crate::http::decoded;
use crate::system;

/// What is not in the request itself.
pub struct Context<'a> {
    pub peer: SocketAddr,
    pub request_id: &'a str,
    pub account: &'a str,
    pub api_id: &'a str,
}

/// The event as Lambda gets it, and its trace header.
pub fn event(parts: &Parts, body: &Bytes, found: &Match, context: &Context) -> (Bytes, String) {
    let trace = header(&parts.headers, "x-amzn-trace-id").unwrap_or_else(|| format!("Root={}", system::trace_root()));
    let path = decoded(parts.uri.path());
    let query = parts.uri.query().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": found.route.key(),
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(parts, context, &trace),
        "requestContext": request_context(parts, &path, found, context),
        "isBase64Encoded": false,
    });
    let mut optional = Map::new();
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        optional.insert("cookies".to_owned(), json!(cookies));
    }
    if !query.is_empty() {
        optional.insert("queryStringParameters".to_owned(), json!(query_parameters(query)));
    }
    if !found.parameters.is_empty() {
        optional.insert("pathParameters".to_owned(), json!(found.parameters));
    }
    if !body.is_empty() {
        let (text, encoded) = encoded_body(&parts.headers, body);
        optional.insert("body".to_owned(), Value::String(text));
        optional.insert("isBase64Encoded".to_owned(), Value::Bool(encoded));
    }
    if let Value::Object(event) = &mut event {
        event.append(&mut optional);
    }
    (event.to_string().into(), trace)
}

fn request_context(parts: &Parts, path: &str, found: &Match, context: &Context) -> Value {
    let now = system::now();
    let host = header(&parts.headers, HOST.as_str()).unwrap_or_default();
    let domain = host.split(':').next().unwrap_or_default();
    json!({
        "accountId": context.account,
        "apiId": context.api_id,
        "domainName": domain,
        "domainPrefix": domain.split('.').next().unwrap_or_default(),
        "http": {
            "method": parts.method.as_str(),
            "path": path,
            "protocol": format!("{:?}", parts.version),
            "sourceIp": context.peer.ip().to_string(),
            "userAgent": header(&parts.headers, USER_AGENT.as_str()).unwrap_or_default(),
        },
        "requestId": context.request_id,
        "routeKey": found.route.key(),
        "stage": "$default",
        "time": now.format("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": now.timestamp_millis(),
    })
}

/// Lower-case names, several values joined by commas, cookies left out, and what API Gateway adds.
fn headers(parts: &Parts, context: &Context, trace: &str) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    for name in parts.headers.keys().filter(|name| **name != COOKIE) {
        headers.insert(name.to_string(), header(&parts.headers, name.as_str()).unwrap_or_default());
    }
    let peer = context.peer.ip().to_string();
    let forwarded =
        headers.remove("x-forwarded-for").map_or_else(|| peer.clone(), |before| format!("{before}, {peer}"));
    let port = headers.get("host").and_then(|host| host.rsplit(':').next()).unwrap_or("80").to_owned();
    headers.insert("x-forwarded-for".to_owned(), forwarded);
    headers.insert("x-forwarded-port".to_owned(), port);
    headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    headers.insert("x-amzn-trace-id".to_owned(), trace.to_owned());
    headers
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .map(|cookie| cookie.trim().to_owned())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(&value.replace('+', " "));
        parameters
            .entry(decoded(&name.replace('+', " ")))
            .and_modify(|before| {
                before.push(',');
                before.push_str(&value);
            })
            .or_insert(value);
    }
    parameters
}

/// Text stays text for the content types that API Gateway counts as such; anything else travels as base64.
fn encoded_body(headers: &HeaderMap, body: &Bytes) -> (String, bool) {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("text/plain");
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let textual = essence.starts_with("text/")
        || matches!(essence.as_str(), "application/json" | "application/xml" | "application/javascript")
        || essence.ends_with("+json")
        || essence.ends_with("+xml");
    match std::str::from_utf8(body) {
        Ok(text) if textual && !headers.contains_key(CONTENT_ENCODING) => (text.to_owned(), false),
        _ => (BASE64_STANDARD.encode(body), true),
    }
}
