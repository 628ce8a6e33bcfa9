//! `template.yaml` as the local stack understands it. That file alone says which functions, routes, tables, queues,
//! buckets and variables there are.
//!
//! [`Template::read`] parses, [`Template::resolve`] fills in parameters and the names that exist only once the stack has
//! its ports. Resource types that the stack does not run (log groups, policies) are not looked at. Alarms and the dashboard
//! are read by [`Template::observed`], for tests that hold them to what the functions record.

mod functions;
mod metrics;
mod names;
mod parameters;
mod policies;
mod properties;
mod resolve;
mod sources;
mod storage;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

pub use functions::{Cors, EventSource, Function, Route};
pub use metrics::{Alarm, Comparison, MetricStat, Observed, Query, Widget};
pub use policies::{Effect, Statement};
pub use sources::{QueueMapping, Schedule};
pub use storage::{Bucket, Queue, Redrive, Secret, Table};

use properties::Properties;
use resolve::Resolver;

/// What is wrong with the template, and at which resource or parameter.
#[derive(Debug, thiserror::Error)]
#[error("template{}{at} {problem}", if at.is_empty() { "" } else { ": " })]
pub struct TemplateError {
    at: String,
    problem: String,
}

impl TemplateError {
    fn new(at: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { at: at.into(), problem: problem.into() }
    }
}

/// Where the stack stands: what pseudo parameters, ARNs and queue URLs are made of.
#[derive(Debug, Clone)]
pub struct Site {
    pub region: String,
    pub account: String,
    pub stack: String,
    pub api_id: String,
    /// Base URL of SQS; a queue's URL is `<base>/<account>/<name>`.
    pub sqs_url: String,
}

impl Site {
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.sqs_url, self.account)
    }

    pub fn queue_arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{name}", self.region, self.account)
    }

    pub fn table_arn(&self, name: &str) -> String {
        format!("arn:aws:dynamodb:{}:{}:table/{name}", self.region, self.account)
    }

    pub fn bucket_arn(&self, name: &str) -> String {
        format!("arn:aws:s3:::{name}")
    }
}

/// The parsed template, nothing resolved yet.
#[derive(Debug)]
pub struct Template {
    document: Value,
}

/// What the stack runs, with every value resolved.
#[derive(Debug)]
pub struct Model {
    pub functions: Vec<Function>,
    pub routes: Vec<Route>,
    pub cors: Option<Cors>,
    pub tables: Vec<Table>,
    pub queues: Vec<Queue>,
    pub buckets: Vec<Bucket>,
    pub secrets: Vec<Secret>,
    pub mappings: Vec<QueueMapping>,
    pub schedules: Vec<Schedule>,
}

impl Template {
    pub fn read(path: &Path) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| TemplateError::new("", format!("{} cannot be read: {error}", path.display())))?;
        Self::parse(&text)
    }

    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let document = yaml::parse(text)?;
        match document.get("Resources") {
            Some(Value::Object(_)) => Ok(Self { document }),
            _ => Err(TemplateError::new("", "has no Resources")),
        }
    }

    /// Whether the template declares a parameter of this name.
    pub fn declares(&self, parameter: &str) -> bool {
        self.document.get("Parameters").is_some_and(|all| all.get(parameter).is_some())
    }

    pub fn resolve(&self, site: &Site, overrides: &BTreeMap<String, String>) -> Result<Model, TemplateError> {
        let parameters = parameters::values(&self.document, overrides)?;
        let resolver = Resolver::new(&self.document, site, parameters);
        let mut model = Model {
            functions: Vec::new(),
            routes: Vec::new(),
            cors: None,
            tables: Vec::new(),
            queues: Vec::new(),
            buckets: Vec::new(),
            secrets: Vec::new(),
            mappings: Vec::new(),
            schedules: Vec::new(),
        };
        for (id, resource) in self.resources() {
            if let Some(condition) = resource.get("Condition").and_then(Value::as_str)
                && !resolver.condition(id, condition)?
            {
                continue;
            }
            model.add(&resolver, id, resource)?;
        }
        storage::check_redrive(&model.queues)?;
        model.add_sources(&site.region, &site.account)?;
        Ok(model)
    }

    fn resources(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.document.get("Resources").and_then(Value::as_object).into_iter().flatten()
    }
}

impl Model {
    fn add(&mut self, resolver: &Resolver, id: &str, resource: &Value) -> Result<(), TemplateError> {
        let kind = resource.get("Type").and_then(Value::as_str);
        let kind = kind.ok_or_else(|| TemplateError::new(id, "has no Type"))?;
        let properties = || Properties::resolved(resolver, id, resource);
        match kind {
            "AWS::Serverless::Function" => {
                let (function, mut routes) = functions::function(resolver, id, resource)?;
                if self.functions.iter().any(|other| other.name == function.name) {
                    return Err(TemplateError::new(
                        id,
                        format!("has the CodeUri of another function: {}", function.name),
                    ));
                }
                self.functions.push(function);
                self.routes.append(&mut routes);
            }
            "AWS::Serverless::HttpApi" => self.cors = functions::cors(&properties()?)?,
            "AWS::DynamoDB::Table" => self.tables.push(storage::table(resolver, &properties()?)?),
            "AWS::SQS::Queue" => self.queues.push(storage::queue(resolver, &properties()?)?),
            "AWS::S3::Bucket" => self.buckets.push(Bucket { id: id.to_owned(), name: resolver.physical_name(id, id)? }),
            "AWS::SecretsManager::Secret" => self.secrets.push(storage::secret(resolver, id)?),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod emulators;
#[cfg(test)]
mod tests;
