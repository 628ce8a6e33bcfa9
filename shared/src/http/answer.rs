//! From a handler's [`Response`] to what Lambda sends: the headers that every answer has, and Lambda's size limit.

use std::io::Write;

use ::http::{HeaderMap, HeaderName, HeaderValue, header};
use flate2::{Compression, write::GzEncoder};
use lambda_http::Body;

use super::{
    exchange::{CORRELATION_ID, Exchange},
    response::{Content, Response},
};
use crate::{
    error::{Error, Result},
    rate_limit::{Limit, WINDOW},
};

/// Lambda refuses an answer whose JSON is longer.
const MAX_BYTES: usize = 6_291_456;
/// More than what that JSON holds beside the body and the handler's own headers: its fields take some 120 bytes, the
/// headers of every answer some 600.
const ENVELOPE: usize = 2_048;

/// What is shorter travels as it is: base64 takes back a third of what compression saves.
const GZIP_FROM: usize = 4_096;

/// Headers of every answer, whatever it says.
const ALWAYS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000"),
];

/// Adds the headers that every answer has.
pub(super) fn complete(mut response: Response, exchange: &Exchange) -> Response {
    let headers = &mut response.headers;
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    insert(headers, CORRELATION_ID, &exchange.correlation_id);
    if let Some(limit) = exchange.limit.get() {
        tell_limit(headers, limit);
    }
    response
}

/// `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers.
fn tell_limit(headers: &mut HeaderMap, limit: &Limit) {
    let Limit { policy, quota, remaining, reset, .. } = limit;
    let window = WINDOW.as_secs();
    insert(headers, "ratelimit-policy", &format!("\"{policy}\";q={quota};w={window}"));
    insert(headers, "ratelimit", &format!("\"{policy}\";r={remaining};t={}", reset.as_secs()));
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    // What is inserted here is ASCII without exception: checked ids, numbers, names of presets.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// The response, compressed if it may be, is large, and the caller takes that.
pub(super) fn compressed(response: Response, exchange: &Exchange) -> Result<Response> {
    if !response.compressible {
        return Ok(response);
    }
    let mut response = response.header(header::VARY, "accept-encoding");
    match &response.body {
        Some(Content::Text(text)) if exchange.accepts_gzip && text.len() >= GZIP_FROM => {
            let mut gzip = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
            gzip.write_all(text.as_bytes()).map_err(Error::internal)?;
            response.body = Some(Content::Gzip(gzip.finish().map_err(Error::internal)?));
            Ok(response.header(header::CONTENT_ENCODING, "gzip"))
        }
        _ => Ok(response),
    }
}

/// The response, unless it would pass Lambda's limit.
pub(super) fn within_limit(response: Response) -> Result<Response> {
    let headers: usize = response.headers.iter().map(|(name, value)| 6 + name.as_str().len() + 2 * value.len()).sum();
    let body = match &response.body {
        None => 0,
        Some(Content::Text(text)) => escaped_len(text),
        // In base64.
        Some(Content::Gzip(bytes)) => bytes.len().div_ceil(3) * 4,
    };
    if ENVELOPE + headers + body > MAX_BYTES {
        return Err(Error::TooLarge(format!("the answer would be longer than {MAX_BYTES} bytes")));
    }
    Ok(response)
}

/// How many bytes a text takes as a JSON string: the body travels as one, so each of its quotes becomes two bytes.
fn escaped_len(text: &str) -> usize {
    let extra = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(extra).sum::<usize>()
}

/// The answer in lambda_http's type.
pub(super) fn into_lambda(response: Response) -> lambda_http::Response<Body> {
    let Response { status, headers, body, .. } = response;
    let body = match body {
        None => Body::Empty,
        Some(Content::Text(text)) => Body::Text(text),
        Some(Content::Gzip(bytes)) => Body::Binary(bytes),
    };
    let mut answer = lambda_http::Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_length_of_a_text_in_json_is_known_beforehand(text in any::<String>(), controls in "[\\x00-\\x20\"\\\\]*") {
            let text = text + &controls;
            prop_assert_eq!(escaped_len(&text) + 2, serde_json::to_string(&text).unwrap().len());
        }
    }
}
