//! What a route answers with one status.

use ::http::StatusCode;
use utoipa::{
    ToSchema,
    openapi::{ContentBuilder, Ref, Response, ResponseBuilder},
};

use super::{
    headers,
    problems::{GatewayMessage, Problems},
};
use crate::{error::Error, http::Problem};

const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";

/// All that one status may mean.
#[derive(Default)]
pub(super) struct Answers {
    /// What the handler answers: its schema, unless it has no body.
    json: Option<Ref>,
    descriptions: Vec<String>,
    tagged: bool,
    problems: Problems,
}

impl Answers {
    pub fn success(&mut self, schema: Ref, description: &str) {
        self.json = Some(schema);
        self.descriptions.push(description.to_owned());
    }

    pub fn empty(&mut self, description: &str) {
        self.descriptions.push(description.to_owned());
    }

    /// What never reaches a function.
    pub fn of_gateway(&mut self) {
        let larger = "More than 6,291,456 bytes of event: API Gateway's own answer, without our headers.";
        self.success(Ref::from_schema_name(GatewayMessage::name()), larger);
    }

    pub fn tagged(&mut self) {
        self.tagged = true;
    }

    pub fn problem(&mut self, error: &Error) {
        self.problems.add(error);
    }

    pub fn response(self, status: StatusCode) -> Response {
        let descriptions: Vec<_> = self.descriptions.iter().cloned().chain(self.problems.descriptions()).collect();
        let mut response = ResponseBuilder::new().description(descriptions.join(" "));
        for name in self.headers(status) {
            response = response.header_ref(name, Ref::new(format!("#/components/headers/{name}")));
        }
        if let Some(schema) = self.json {
            response = response.content(JSON, ContentBuilder::new().schema(Some(schema)).build());
        }
        if !self.problems.is_empty() {
            let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name())));
            response = response.content(PROBLEM_JSON, problem.examples_from_iter(self.problems.examples()).build());
        }
        response.build()
    }

    fn headers(&self, status: StatusCode) -> Vec<&'static str> {
        let before_the_limit = [StatusCode::UNAUTHORIZED, StatusCode::PAYLOAD_TOO_LARGE].contains(&status);
        let waits = self.problems.has("unavailable") || status == StatusCode::TOO_MANY_REQUESTS;
        let refuses = status == StatusCode::UNAUTHORIZED;
        let all = [
            (headers::CORRELATION_ID, true),
            (headers::RATE_LIMIT, !before_the_limit),
            (headers::RATE_LIMIT_POLICY, !before_the_limit),
            (headers::RETRY_AFTER, waits),
            (headers::WWW_AUTHENTICATE, refuses),
            (headers::ETAG, self.tagged),
        ];
        all.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
    }
}
