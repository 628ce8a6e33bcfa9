//! Errors as the document shows them: their examples are what the edge would answer.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        example::{Example, ExampleBuilder},
    },
};

use crate::{error::Error, http::Problem};

/// What API Gateway answers by itself, where it lets no function see the request.
#[derive(ToSchema)]
#[expect(dead_code, reason = "API Gateway makes it; only its shape is ours to tell")]
pub struct GatewayMessage {
    message: String,
}

/// A failure of ours.
pub fn internal() -> Error {
    Error::internal("for the log")
}

/// The database, the queue or the bucket is away.
pub fn unavailable() -> Error {
    Error::unavailable("the database is not available, try again", "for the log")
}

/// No token, or none that holds; and what comes of too many of these.
pub(super) fn of_token() -> [Error; 2] {
    [Error::Unauthenticated("a bearer token is required"), Error::Blocked { retry_after: Duration::from_secs(900) }]
}

pub(super) fn of_limit() -> Error {
    Error::RateLimited { retry_after: Duration::from_secs(17) }
}

/// What is no JSON at all.
pub(super) fn of_body() -> [Error; 2] {
    [Error::MissingBody, Error::MalformedJson("EOF while parsing a value at line 1 column 5".into())]
}

pub(super) fn of_media_type() -> Error {
    Error::UnsupportedMediaType("Content-Type must be application/json".into())
}

/// The errors that a route answers with one status.
#[derive(Default)]
pub(super) struct Problems(BTreeMap<&'static str, Example>);

impl Problems {
    pub(super) fn add(&mut self, error: &Error) {
        let problem = Problem::new(error, "0a4f7c1e-8f0b-4c57-9f3c-1d2e3f405162");
        let example = ExampleBuilder::new().summary(meaning(problem.code()));
        let value: Option<Value> = serde_json::to_value(&problem).ok();
        self.0.insert(problem.code(), example.value(value).build());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `code`: what it means; for each of them.
    pub(super) fn descriptions(&self) -> impl Iterator<Item = String> {
        self.0.keys().map(|code| format!("`{code}`: {}.", meaning(code)))
    }

    pub(super) fn examples(&self) -> impl Iterator<Item = (&'static str, Example)> {
        self.0.iter().map(|(code, example)| (*code, example.clone()))
    }

    pub(super) fn has(&self, code: &str) -> bool {
        self.0.contains_key(code)
    }
}

/// The schemas that every route speaks of, by their names.
pub fn common_schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![
        (Problem::name().into_owned(), Problem::schema()),
        (GatewayMessage::name().into_owned(), GatewayMessage::schema()),
    ];
    Problem::schemas(&mut schemas);
    schemas
}

fn meaning(code: &str) -> &'static str {
    match code {
        "missing_body" => "there is no body",
        "malformed_json" => "the body is no JSON",
        "unauthenticated" => "no token or signature, or one that does not verify",
        "forbidden" => "the caller is known, and may not do this",
        "not_found" => "there is none, or it is somebody else's",
        "session_ended" => "the session has ended",
        "frame_conflict" => "a frame of this number was analysed before, with other bytes",
        "too_large" => "more bytes than are taken",
        "unsupported_media_type" => "the content type, or the bytes of a frame, are of no type that is taken",
        "invalid" => "JSON that breaks a rule; `errors` names each place",
        "rate_limited" => "too many requests of this caller to this route",
        "blocked" => "too many failed authentications from this address",
        "upstream_failed" => "what is asked for this answered, and the answer is of no use",
        "unavailable" => "something that we depend on is away, or not configured",
        "upstream_timeout" => "what is asked for this did not answer in time",
        _ => "a failure of ours; the correlation id leads us to the reason",
    }
}
