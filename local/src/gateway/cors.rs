//! CORS as the HTTP API does it by itself where it is configured: preflight requests never reach a function, and a
//! function's own CORS headers are replaced. <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>

use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderName, HeaderValue, ORIGIN,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode};

use crate::http::{self, Answer};
use crate::template::Cors;

const CORS_HEADERS: [HeaderName; 6] = [
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
];

/// The answer to a preflight request. Its headers are added by [`apply`].
pub fn preflight(cors: Option<&Cors>, parts: &Parts) -> Option<Answer> {
    let asks = parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    (cors.is_some() && asks).then(|| http::empty(StatusCode::NO_CONTENT))
}

pub fn apply(cors: Option<&Cors>, parts: &Parts, headers: &mut HeaderMap) {
    let Some(cors) = cors else { return };
    for name in CORS_HEADERS {
        headers.remove(name);
    }
    let Some(origin) = parts.headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()) else { return };
    let Some(allowed) = allowed_origin(cors, origin) else { return };
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value)
            && !value.is_empty()
        {
            headers.insert(name, value);
        }
    };
    set(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    set(ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose_headers.join(","));
    if cors.allow_credentials {
        set(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    if parts.method == Method::OPTIONS {
        set(ACCESS_CONTROL_ALLOW_METHODS, &cors.allow_methods.join(","));
        set(ACCESS_CONTROL_ALLOW_HEADERS, &cors.allow_headers.join(","));
        set(ACCESS_CONTROL_MAX_AGE, &cors.max_age.map(|age| age.to_string()).unwrap_or_default());
    }
}

fn allowed_origin<'a>(cors: &Cors, origin: &'a str) -> Option<&'a str> {
    if cors.allow_origins.iter().any(|allowed| allowed == "*") {
        return Some("*");
    }
    let matches = |allowed: &String| match allowed.strip_suffix('*') {
        // Such as `https://*`.
        Some(prefix) => origin.starts_with(prefix),
        None => allowed.eq_ignore_ascii_case(origin),
    };
    cors.allow_origins.iter().any(matches).then_some(origin)
}
