//! One route, with everything that it may answer.

use std::collections::BTreeMap;

use ::http::StatusCode;
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{
        ContentBuilder, HttpMethod, Ref, RefOr, Required, Responses, Schema, SecurityRequirement,
        path::{self, OperationBuilder},
        request_body::RequestBodyBuilder,
    },
};

use super::{
    BEARER, Parameter,
    answers::Answers,
    headers, problems,
    schemas::{self, text},
};
use crate::{error::Error, http::Problem, rate_limit::Preset};

/// Longer ids are replaced.
const LONGEST_CORRELATION_ID: usize = 128;

/// A schema by its name.
pub type Named = (String, RefOr<Schema>);

/// What is said of one route.
pub struct Operation {
    method: HttpMethod,
    path: &'static str,
    id: &'static str,
    operation: OperationBuilder,
    description: String,
    parameters: Vec<Parameter>,
    answers: BTreeMap<StatusCode, Answers>,
    schemas: Vec<Named>,
}

/// A route as the document has it, and the schemas that it speaks of.
pub struct Described {
    pub method: HttpMethod,
    /// Without what all paths begin with.
    pub path: &'static str,
    pub operation: path::Operation,
    pub schemas: Vec<Named>,
}

impl Operation {
    pub fn get(path: &'static str, id: &'static str) -> Self {
        Self::new(HttpMethod::Get, path, id)
    }

    pub fn post(path: &'static str, id: &'static str) -> Self {
        Self::new(HttpMethod::Post, path, id)
    }

    pub fn put(path: &'static str, id: &'static str) -> Self {
        Self::new(HttpMethod::Put, path, id)
    }

    fn new(method: HttpMethod, path: &'static str, id: &'static str) -> Self {
        let correlation_id = "The caller's own id for this request; one that is no such name is replaced.";
        let correlation_id =
            Parameter::header(headers::CORRELATION_ID, correlation_id, schemas::name(LONGEST_CORRELATION_ID));
        Self {
            method,
            path,
            id,
            operation: OperationBuilder::new().operation_id(Some(id)),
            description: String::new(),
            parameters: vec![correlation_id],
            answers: BTreeMap::new(),
            schemas: Vec::new(),
        }
    }

    /// What it does, in one line and in full, for the readers of one service.
    pub fn says(mut self, tag: &str, summary: &str, description: &str) -> Self {
        self.operation = self.operation.tag(tag).summary(Some(summary));
        description.clone_into(&mut self.description);
        self
    }

    /// Asks for a token, and counts the caller's requests.
    pub fn for_callers(mut self, preset: Preset) -> Self {
        self.operation = self.operation.security(SecurityRequirement::new::<_, _, &str>(BEARER, []));
        self.fails(problems::of_token()).limited(preset, "each caller")
    }

    /// Asks for no token, and counts the requests of each address.
    pub fn for_addresses(mut self, preset: Preset) -> Self {
        // An empty list says so where the document asks for a token by default.
        self.operation = self.operation.securities(Some([]));
        self.limited(preset, "each address")
    }

    fn limited(mut self, preset: Preset, of_whom: &str) -> Self {
        let limit = format!("\n\nLimit: {} requests a minute of {of_whom}.", preset.per_minute());
        self.description.push_str(&limit);
        self.fails([problems::of_limit()])
    }

    pub fn with(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Takes JSON of this shape; which rules it may break, [`Operation::fails`] says.
    pub fn takes<T: ToSchema>(self, example: Value) -> Self {
        self.takes_signed::<T>(example).fails([problems::of_media_type()])
    }

    /// Takes JSON of this shape, whatever its content type says.
    pub fn takes_signed<T: ToSchema>(mut self, example: Value) -> Self {
        let schema = self.named::<T>("Request");
        let content = ContentBuilder::new().schema(Some(schema)).example(Some(example)).build();
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        self.operation = self.operation.request_body(Some(body.build()));
        self.answers.entry(StatusCode::PAYLOAD_TOO_LARGE).or_default().of_gateway();
        self.fails(problems::of_body())
    }

    /// Answers with JSON of this type.
    pub fn answers<T: ToSchema>(mut self, status: StatusCode, description: &str) -> Self {
        let first = self.schemas.len();
        let schema = self.named::<T>("Answer");
        self.schemas.iter_mut().skip(first).for_each(|(_, schema)| schemas::require_nullable(schema));
        self.answers.entry(status).or_default().success(schema, description);
        self
    }

    /// Lets a field of the answer be left out, although it may be null too.
    pub fn may_lack(mut self, field: &str) -> Self {
        let name = self.name("Answer");
        for (_, schema) in self.schemas.iter_mut().filter(|(known, _)| *known == name) {
            if let RefOr::T(Schema::Object(object)) = schema {
                object.required.retain(|required| required != field);
            }
        }
        self
    }

    /// Tags its answer, so that who has it already is told so.
    pub fn tagged(mut self) -> Self {
        let known = Parameter::header("If-None-Match", "`ETag`s of answers that the caller has already.", text());
        self.answers.entry(StatusCode::NOT_MODIFIED).or_default().empty("The caller has this answer already.");
        for (_, answers) in self.answers.iter_mut().filter(|(status, _)| status.as_u16() < 400) {
            answers.tagged();
        }
        self.with(known)
    }

    pub fn fails(mut self, errors: impl IntoIterator<Item = Error>) -> Self {
        for error in errors {
            let status = Problem::new(&error, "").status();
            self.answers.entry(status).or_default().problem(&error);
        }
        self
    }

    pub fn described(self) -> Described {
        let responses =
            self.answers.into_iter().map(|(status, answers)| (status.as_str().to_owned(), answers.response(status)));
        let operation = self.operation.description(Some(self.description)).parameters(Some(self.parameters));
        Described {
            method: self.method,
            path: self.path,
            operation: operation.responses(responses.collect::<Responses>()).build(),
            schemas: self.schemas,
        }
    }

    /// A reference to a type's schema, which is called after the operation.
    fn named<T: ToSchema>(&mut self, kind: &str) -> Ref {
        let name = self.name(kind);
        if !self.schemas.iter().any(|(known, _)| *known == name) {
            self.schemas.push((name.clone(), T::schema()));
            T::schemas(&mut self.schemas);
        }
        Ref::from_schema_name(name)
    }

    fn name(&self, kind: &str) -> String {
        let (first, rest) = self.id.split_at(1);
        format!("{}{rest}{kind}", first.to_uppercase())
    }
}
