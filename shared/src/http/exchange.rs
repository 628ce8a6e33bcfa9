//! What a request and its answer have in common.

use std::sync::OnceLock;

use ::http::{HeaderMap, header};
use lambda_http::{RequestExt, request::RequestContext};

use crate::{ids::Ids, rate_limit::Limit};

pub(super) const CORRELATION_ID: &str = "x-correlation-id";

/// One request and its answer: the ids that stand on both, the route, and the limit that was applied.
#[derive(Debug)]
pub(super) struct Exchange {
    /// The route's short name, e.g. `health-check/live`.
    pub(super) route: String,
    pub(super) correlation_id: String,
    pub(super) request_id: String,
    pub(super) trace_id: Option<String>,
    pub(super) accepts_gzip: bool,
    /// Set once a limiter has answered; the response's headers tell of it, whatever the response is.
    pub(super) limit: OnceLock<Limit>,
}

impl Exchange {
    pub(super) fn of(event: &lambda_http::Request, ids: Ids) -> Self {
        let lambda = event.lambda_context_ref();
        Self {
            route: short_route(route_key(event)),
            accepts_gzip: accepts_gzip(event.headers()),
            correlation_id: correlation_id(event.headers()).unwrap_or_else(|| ids.uuid().to_string()),
            request_id: lambda.map(|context| context.request_id.clone()).unwrap_or_default(),
            trace_id: lambda.and_then(|context| context.xray_trace_id.as_deref()).map(|header| root(header).to_owned()),
            limit: OnceLock::new(),
        }
    }
}

/// The route that API Gateway chose, e.g. `POST /functions/v1/start-session`: one of the template's, never the path.
pub(super) fn route_key(event: &lambda_http::Request) -> &str {
    match event.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.as_deref().unwrap_or("$default"),
        _ => "$default",
    }
}

/// The key without prefix, and without method: of a path that is read and written, the name of what writes keeps it, so
/// that each has its own limit and its own metrics.
fn short_route(key: &str) -> String {
    let (method, path) = key.split_once(' ').unwrap_or(("", key));
    let path = path.strip_prefix("/functions/v1/").unwrap_or_else(|| path.trim_start_matches('/'));
    if method == "PUT" { format!("PUT {path}") } else { path.to_owned() }
}

/// Whether the caller takes gzip (RFC 9110, 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = lists.flat_map(|list| list.split(',')).map(|coding| coding.split(';').map(str::trim));
    codings.any(|mut parts| {
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let refused = parts.any(|weight| weight.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)));
        named && !refused
    })
}

/// The caller's own id for the request, if it is one: 1 to 128 of `A-Za-z0-9._-`.
fn correlation_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(CORRELATION_ID)?.to_str().ok()?;
    let valid = (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    valid.then(|| id.to_owned())
}

/// The trace's id in an X-Ray header (`Root=1-…;Parent=…;Sampled=1`).
fn root(header: &str) -> &str {
    header.split(';').find_map(|part| part.trim().strip_prefix("Root=")).unwrap_or(header)
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(id: &[u8]) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(CORRELATION_ID, HeaderValue::from_bytes(id).ok()?);
        correlation_id(&headers)
    }

    proptest! {
        #[test]
        fn a_correlation_id_of_the_documented_form_is_kept(id in "[A-Za-z0-9._-]{1,128}") {
            prop_assert_eq!(read(id.as_bytes()), Some(id));
        }

        #[test]
        fn anything_else_is_not(id in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(kept) = read(&id) {
                prop_assert!((1..=128).contains(&kept.len()));
                prop_assert!(kept.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)));
                prop_assert_eq!(kept.as_bytes(), &id);
            }
        }
    }

    #[test]
    fn a_correlation_id_that_is_too_long_or_spoils_a_log_line_is_replaced() {
        for id in ["", &"x".repeat(129), "a b", "a,b", "a\"b", "é"] {
            assert_eq!(read(id.as_bytes()), None, "{id}");
        }
    }

    #[test]
    fn a_route_is_named_by_its_key_without_method_and_prefix() {
        for (key, name) in [
            ("POST /functions/v1/start-session", "start-session"),
            ("GET /functions/v1/health-check/live", "health-check/live"),
            ("GET /functions/v1/latest-metrics/{user_id}", "latest-metrics/{user_id}"),
            ("GET /functions/v1/engines/{id}", "engines/{id}"),
            ("PUT /functions/v1/engines/{id}", "PUT engines/{id}"),
            ("GET /other", "other"),
            ("$default", "$default"),
        ] {
            assert_eq!(short_route(key), name);
        }
    }

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for (value, accepted) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0, br", false),
            ("gzip; q=0.0", false),
            ("deflate", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(accepts_gzip(&headers), accepted, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn the_trace_id_is_the_root_of_the_header() {
        assert_eq!(root("Root=1-67891233-abcdef;Parent=53995c3f42cd8ad8;Sampled=1"), "1-67891233-abcdef");
        assert_eq!(root("1-67891233-abcdef"), "1-67891233-abcdef");
    }
}
