//! The committed description of the API, held against every answer that any test gets over HTTP.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::{LazyLock, Mutex},
};

use jsonschema::Validator;
use local::{BASE_PATH, openapi::FILE};
use serde_json::{Map, Value, json};

use super::Answer;

static DESCRIPTION: LazyLock<Description> = LazyLock::new(Description::read);

/// What the description says of answers.
pub struct Description {
    document: Value,
    /// As the document has them, but no object may have a field that is not described.
    schemas: Value,
    validators: Mutex<HashMap<String, &'static Validator>>,
}

/// A route's answers: by status.
type Responses<'a> = &'a Map<String, Value>;

impl Description {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE);
        let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let all = document["components"]["schemas"].as_object().unwrap();
        let strict = all.iter().map(|(name, schema)| (name.clone(), closed(schema, all))).collect();
        Self { schemas: Value::Object(strict), document, validators: Mutex::default() }
    }

    /// Route, status and code of every answer that is described; without a code where it is no problem.
    pub fn outcomes() -> BTreeSet<(String, u16, String)> {
        let mut outcomes = BTreeSet::new();
        for (path, method, operation) in DESCRIPTION.operations() {
            let route = short(path, method, DESCRIPTION.responses(path).len());
            for (status, response) in operation["responses"].as_object().unwrap() {
                let response = DESCRIPTION.resolved(response);
                let mut add = |code: &str| outcomes.insert((route.clone(), status.parse().unwrap(), code.to_owned()));
                if let Some(problems) = response.pointer("/content/application~1problem+json/examples") {
                    problems.as_object().unwrap().keys().for_each(|code| _ = add(code));
                }
                if response.get("content").is_none_or(|content| content.get("application/json").is_some()) {
                    add("");
                }
            }
        }
        outcomes
    }

    /// Method, path and body of every request of which there is an example.
    pub fn requests() -> Vec<(&'static str, &'static str, &'static Value)> {
        let operations = DESCRIPTION.operations();
        let bodies = operations.filter_map(|(path, method, operation)| {
            let body = operation.pointer("/requestBody/content/application~1json/example")?;
            Some((method, path, body))
        });
        bodies.collect()
    }

    /// Where each example stands, the reference of its schema, and the example.
    pub fn examples() -> Vec<(String, &'static str, &'static Value)> {
        let mut examples = Vec::new();
        for (path, method, operation) in DESCRIPTION.operations() {
            let responses = operation["responses"].as_object().unwrap().values();
            let responses = responses.map(|response| DESCRIPTION.resolved(response));
            let contents = responses.chain(operation.get("requestBody")).filter_map(|part| part["content"].as_object());
            for content in contents.flat_map(Map::values) {
                let several = content["examples"].as_object().into_iter().flat_map(Map::values);
                for example in several.map(|example| &example["value"]).chain(content.get("example")) {
                    examples.push((format!("{method} {path}"), content["schema"]["$ref"].as_str().unwrap(), example));
                }
            }
        }
        examples
    }

    /// What of a value is not as a schema has it, by the schema's reference.
    pub fn faults_of(schema: &str, value: &Value) -> Vec<String> {
        let faults = DESCRIPTION.validator(schema).iter_errors(value);
        faults.map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
    }

    /// Path, method and the rest of each.
    fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        paths.flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
    }

    /// Holds an answer of the API against the description; whatever else answers is passed over.
    #[track_caller]
    pub fn hold(path: &str, answer: &Answer) {
        let Some(responses) = path.strip_prefix(BASE_PATH).map(|path| DESCRIPTION.responses(path)) else { return };
        // API Gateway's own answers are known by their header, and there is one kind that a caller has to reckon with.
        if responses.is_empty() || answer.header("x-correlation-id").is_none() && answer.status != 413 {
            return;
        }
        let faults: Vec<_> = responses.into_iter().map(|responses| DESCRIPTION.faults(responses, answer)).collect();
        let described = faults.iter().any(Vec::is_empty);
        assert!(described, "{path} answers {}, not as described: {faults:#?}\n{:#}", answer.status, answer.body);
    }

    /// Of every operation of the path.
    fn responses(&self, path: &str) -> Vec<Responses<'_>> {
        let paths = self.document["paths"].as_object().unwrap();
        let fits = |pattern: &str| {
            let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
            let same = pattern.by_ref().zip(path.by_ref()).all(|(known, part)| known.starts_with('{') || known == part);
            same && path.next().is_none() && pattern.next().is_none()
        };
        // As API Gateway does: what is written out comes before what stands for anything.
        let exact = paths.get(path).or_else(|| paths.iter().find(|(pattern, _)| fits(pattern)).map(|(_, item)| item));
        let operations = exact.and_then(Value::as_object).into_iter().flat_map(Map::values);
        operations.map(|operation| operation["responses"].as_object().unwrap()).collect()
    }

    fn faults(&self, responses: Responses<'_>, answer: &Answer) -> Vec<String> {
        let Some(response) = responses.get(&answer.status.to_string()) else {
            return vec!["this status is not described".into()];
        };
        let response = self.resolved(response);
        let mut faults = self.missing_headers(response, answer);
        let media_type = answer.header("content-type").unwrap_or_default();
        match response.get("content") {
            None if answer.body.is_null() => {}
            None => faults.push("a body is not described".into()),
            Some(content) => match content.get(media_type) {
                None => faults.push(format!("the media type {media_type} is not described")),
                Some(content) => {
                    let schema = content["schema"]["$ref"].as_str().unwrap();
                    faults.extend(Self::faults_of(schema, &answer.body));
                    let codes = content.get("examples").and_then(Value::as_object);
                    if codes.is_some_and(|codes| !codes.contains_key(answer.code())) {
                        faults.push(format!("the code {} is not described", answer.code()));
                    }
                }
            },
        }
        faults
    }

    /// Of a success: all that are described. Of a refusal some depend on how far the request came.
    fn missing_headers(&self, response: &Value, answer: &Answer) -> Vec<String> {
        let described = response.get("headers").and_then(Value::as_object).into_iter().flat_map(Map::keys);
        let missing = described.filter(|name| answer.status < 400 && answer.header(name).is_none());
        missing.map(|name| format!("the header {name} is missing")).collect()
    }

    fn resolved<'a>(&'a self, response: &'a Value) -> &'a Value {
        match response["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => response,
        }
    }

    fn validator(&self, schema: &str) -> &'static Validator {
        let mut validators = self.validators.lock().unwrap();
        validators.entry(schema.to_owned()).or_insert_with(|| {
            let whole = json!({ "$ref": schema, "components": { "schemas": self.schemas } });
            let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
            Box::leak(Box::new(validator))
        })
    }
}

/// As the tests and the metrics call a route: the method comes before it where it is not the path's usual one.
fn short(path: &str, method: &str, methods: usize) -> String {
    let path = path.trim_start_matches('/');
    if methods == 1 || method == "get" { path.to_owned() } else { format!("{} {path}", method.to_uppercase()) }
}

/// The schema with every object closed: a field that it does not describe is a fault.
fn closed(schema: &Value, all: &Map<String, Value>) -> Value {
    match schema {
        Value::Object(object) => {
            let mut closed_object: Map<_, _> =
                object.iter().map(|(name, value)| (name.clone(), closed(value, all))).collect();
            if let Some(Value::Array(parts)) = object.get("allOf") {
                // The parts stay open to each other's fields; the whole is closed.
                let parts = parts.iter().map(|part| named(part, all).clone()).collect();
                closed_object.insert("allOf".into(), Value::Array(parts));
                closed_object.insert("unevaluatedProperties".into(), false.into());
            } else if object.contains_key("properties") {
                closed_object.entry("additionalProperties").or_insert(false.into());
            }
            Value::Object(closed_object)
        }
        Value::Array(items) => items.iter().map(|item| closed(item, all)).collect(),
        other => other.clone(),
    }
}

fn named<'a>(schema: &'a Value, all: &'a Map<String, Value>) -> &'a Value {
    schema["$ref"].as_str().and_then(|name| all.get(name.rsplit('/').next()?)).unwrap_or(schema)
}
