//! What a handler answers. The headers that every answer has are added at the edge.

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::error::{Cause, Error, Result};

/// A handler's answer: made by [`ok`], [`created`], [`json`], [`empty`] or [`no_content`].
#[derive(Debug)]
pub struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Content>,
    /// Whether it may travel compressed.
    pub(super) compressible: bool,
    /// The problem's code, where it is one: for the log.
    pub(super) code: Option<&'static str>,
    /// Why it can't be sent as it is. The edge answers with an error instead; a handler need not care.
    fault: Option<Cause>,
}

/// A body.
#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    Gzip(Vec<u8>),
}

/// 200 with a JSON body.
pub fn ok(body: impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

/// 201 with a JSON body.
pub fn created(body: impl Serialize) -> Response {
    json(StatusCode::CREATED, body)
}

/// 204.
pub fn no_content() -> Response {
    empty(StatusCode::NO_CONTENT)
}

/// A status without a body, e.g. 304.
pub fn empty(status: StatusCode) -> Response {
    Response { status, headers: HeaderMap::new(), body: None, compressible: false, code: None, fault: None }
}

/// Any status with a JSON body.
pub fn json(status: StatusCode, body: impl Serialize) -> Response {
    let response = empty(status);
    match serde_json::to_string(&body) {
        Ok(body) => Response { body: Some(Content::Text(body)), ..response },
        Err(err) => Response { fault: Some(err.into()), ..response },
    }
    .header(header::CONTENT_TYPE, "application/json")
}

impl Response {
    /// Sets a header, in place of one of that name.
    pub fn header<V>(mut self, name: HeaderName, value: V) -> Self
    where
        V: TryInto<HeaderValue, Error: Into<::http::Error>>,
    {
        match value.try_into() {
            Ok(value) => {
                self.headers.insert(name, value);
            }
            Err(err) => self.fault = Some(Box::new(err.into())),
        }
        self
    }

    /// Lets it travel compressed, where it is large and the caller takes that. For answers that hold no secret: the length
    /// of a compressed secret beside a text of the caller's tells of it.
    pub fn compressible(self) -> Self {
        Self { compressible: true, ..self }
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Itself, unless it can't be sent.
    pub(super) fn sendable(self) -> Result<Self> {
        match self.fault {
            None => Ok(self),
            Some(cause) => Err(Error::Internal(cause)),
        }
    }
}
