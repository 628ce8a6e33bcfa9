//! Errors as the caller sees them: `application/problem+json` (RFC 9457).

use std::time::Duration;

use ::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::response::{Response, json};
use crate::{
    domain::invalid::{FieldError, Invalid},
    error::Error,
};

/// The body of an error answer. It tells what the caller can act on, and nothing of our insides.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem<'a> {
    /// Always `about:blank`: `code` says which problem it is.
    r#type: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// What to act on.
    code: &'static str,
    /// For people: its words may change.
    detail: String,
    /// Leads us to the request in our logs.
    correlation_id: &'a str,
    /// Always false.
    success: bool,
    /// Every place where the request breaks a rule.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl<'a> Problem<'a> {
    /// What the caller is told of `error`.
    pub fn new(error: &'a Error, correlation_id: &'a str) -> Self {
        let (status, code) = status_and_code(error);
        Self {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            code,
            detail: detail(error),
            correlation_id,
            success: false,
            errors: match error {
                Error::Invalid(Invalid(faults)) => faults,
                _ => &[],
            },
        }
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn code(&self) -> &'static str {
        self.code
    }
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

fn status_and_code(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::MissingBody => (StatusCode::BAD_REQUEST, "missing_body"),
        Error::MalformedJson(_) => (StatusCode::BAD_REQUEST, "malformed_json"),
        Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
        Error::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
        Error::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
        Error::SessionEnded(_) => (StatusCode::CONFLICT, "session_ended"),
        Error::FrameConflict(_) => (StatusCode::CONFLICT, "frame_conflict"),
        Error::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        Error::UnsupportedMediaType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
        Error::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        Error::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
        Error::Blocked { .. } => (StatusCode::TOO_MANY_REQUESTS, "blocked"),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        Error::UpstreamFailed { .. } => (StatusCode::BAD_GATEWAY, "upstream_failed"),
        Error::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        Error::UpstreamTimeout { .. } => (StatusCode::GATEWAY_TIMEOUT, "upstream_timeout"),
    }
}

/// An error's own text is written for the caller; of an internal one there is nothing to say.
fn detail(error: &Error) -> String {
    match error {
        Error::Internal(_) => "the request could not be completed; the correlation id leads us to the reason".into(),
        _ => error.to_string(),
    }
}

/// The answer to a request that failed with `error`.
pub(super) fn response(error: &Error, correlation_id: &str) -> Response {
    let problem = Problem::new(error, correlation_id);
    let mut response = json(problem.status, &problem).header(header::CONTENT_TYPE, "application/problem+json");
    response.code = Some(problem.code);
    match error {
        Error::Unauthenticated(_) => response.header(header::WWW_AUTHENTICATE, "Bearer"),
        Error::RateLimited { retry_after }
        | Error::Blocked { retry_after }
        | Error::Unavailable { retry_after, .. } => response.header(header::RETRY_AFTER, seconds(*retry_after)),
        _ => response,
    }
}

/// Whole seconds, rounded up: who comes back after them is not early.
fn seconds(duration: Duration) -> HeaderValue {
    HeaderValue::from(duration.as_secs() + u64::from(duration.subsec_nanos() > 0))
}
