//! Functions with their environment, the routes that lead to them, and the API's CORS configuration.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use super::TemplateError;
use super::policies::{self, Statement};
use super::properties::Properties;
use super::resolve::{Resolver, to_text};

/// A Lambda function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Logical id in the template, such as `StartSessionFunction`.
    pub id: String,
    /// The crate, the binary, and the name by which logs and tests know it, such as `start-session`: the last part of `CodeUri`.
    pub name: String,
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub function_name: String,
    pub timeout: Duration,
    /// MB.
    pub memory: u32,
    /// Exactly the variables that the template gives.
    pub environment: BTreeMap<String, String>,
    pub reserved_concurrency: Option<usize>,
    pub log_group: String,
    pub json_logs: bool,
    /// What its code may do. Not what SAM adds for Lambda itself: logs, traces, receiving from queues that invoke it.
    pub policies: Vec<Statement>,
    /// What else invokes it, as it stands; read into [`Model::mappings`](super::Model) and `schedules`.
    pub sources: Vec<EventSource>,
}

/// An event source that is no route: `SQS`, `ScheduleV2`, …
#[derive(Debug, Clone)]
pub struct EventSource {
    pub id: String,
    pub kind: String,
    pub properties: Value,
}

/// A route of the HTTP API.
#[derive(Debug, Clone)]
pub struct Route {
    /// Upper case, or `ANY`.
    pub method: String,
    /// As in the template, such as `/functions/v1/engines/{id}`, or `$default`.
    pub path: String,
    /// [`Function::name`]
    pub function: String,
}

impl Route {
    /// As API Gateway names it in events: `GET /path`, or `$default`.
    pub fn key(&self) -> String {
        match self.path.as_str() {
            "$default" => self.path.clone(),
            path => format!("{} {path}", self.method),
        }
    }
}

/// The API's `CorsConfiguration`.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    pub allow_origins: Vec<String>,
    pub allow_methods: Vec<String>,
    pub allow_headers: Vec<String>,
    pub expose_headers: Vec<String>,
    pub max_age: Option<u32>,
    pub allow_credentials: bool,
}

pub fn function(resolver: &Resolver, id: &str, resource: &Value) -> Result<(Function, Vec<Route>), TemplateError> {
    let own = resource.get("Properties").cloned().unwrap_or_default();
    let globals = resolver.document.pointer("/Globals/Function").cloned().unwrap_or_default();
    let properties = Properties::new(id, resolver.resolve(id, &merged(globals, own))?)?;
    let code = properties.required_text("CodeUri")?;
    let name = Path::new(&code).file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| properties.error("CodeUri", "names no directory"))?.to_owned();
    let (routes, sources) = events(&properties, &name)?;
    let function_name = resolver.physical_name(id, id)?;
    let logging = properties.nested("LoggingConfig")?;
    let logging = |key: &str| logging.as_ref().and_then(|config| config.get(key)).map(to_text);
    let function = Function {
        id: id.to_owned(),
        name,
        timeout: Duration::from_secs(properties.number("Timeout")?.unwrap_or(3)),
        memory: properties.number("MemorySize")?.unwrap_or(128),
        environment: environment(&properties)?,
        reserved_concurrency: properties.number("ReservedConcurrentExecutions")?,
        log_group: logging("LogGroup").unwrap_or_else(|| format!("/aws/lambda/{function_name}")),
        json_logs: logging("LogFormat").is_some_and(|format| format == "JSON"),
        policies: policies::statements(&properties)?,
        sources,
        function_name,
    };
    Ok((function, routes))
}

/// SAM's way of merging: maps key by key, lists one after the other, anything else by the function's own value.
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>
fn merged(global: Value, own: Value) -> Value {
    match (global, own) {
        (global, Value::Null) => global,
        (Value::Object(global), Value::Object(own)) if !intrinsic(&own) && !intrinsic(&global) => {
            let mut result = global;
            for (key, value) in own {
                let base = result.remove(&key).unwrap_or_default();
                result.insert(key, merged(base, value));
            }
            Value::Object(result)
        }
        (Value::Array(mut global), Value::Array(own)) => {
            global.extend(own);
            Value::Array(global)
        }
        (_, own) => own,
    }
}

fn intrinsic(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.keys().any(|key| key == "Ref" || key.starts_with("Fn::"))
}

fn environment(properties: &Properties) -> Result<BTreeMap<String, String>, TemplateError> {
    let Some(variables) = properties.nested("Environment")?.map(|all| all.nested("Variables")).transpose()?.flatten()
    else {
        return Ok(BTreeMap::new());
    };
    let text = |(name, _): (&String, &Value)| Ok((name.clone(), variables.text(name)?.unwrap_or_default()));
    variables.entries().map(text).collect()
}

fn events(properties: &Properties, function: &str) -> Result<(Vec<Route>, Vec<EventSource>), TemplateError> {
    let mut routes = Vec::new();
    let mut sources = Vec::new();
    let Some(events) = properties.nested("Events")? else { return Ok((routes, sources)) };
    for (id, _) in events.entries() {
        let Some(event) = events.nested(id)? else { continue };
        let kind = event.required_text("Type")?;
        if kind == "HttpApi" {
            let details = event.nested("Properties")?;
            let text = |key: &str| details.as_ref().map_or(Ok(None), |details| details.text(key));
            routes.push(Route {
                method: text("Method")?.unwrap_or_else(|| "ANY".to_owned()).to_uppercase(),
                path: text("Path")?.unwrap_or_else(|| "$default".to_owned()),
                function: function.to_owned(),
            });
        } else {
            let properties = event.get("Properties").cloned().unwrap_or_default();
            sources.push(EventSource { id: id.clone(), kind, properties });
        }
    }
    Ok((routes, sources))
}

pub fn cors(properties: &Properties) -> Result<Option<Cors>, TemplateError> {
    match properties.get("CorsConfiguration") {
        None | Some(Value::Bool(false)) => Ok(None),
        Some(Value::Bool(true)) => {
            let any = || vec!["*".to_owned()];
            Ok(Some(Cors { allow_origins: any(), ..Cors::default() }))
        }
        Some(_) => {
            let Some(cors) = properties.nested("CorsConfiguration")? else { return Ok(None) };
            Ok(Some(Cors {
                allow_origins: cors.texts("AllowOrigins"),
                allow_methods: cors.texts("AllowMethods").iter().map(|method| method.to_uppercase()).collect(),
                allow_headers: cors.texts("AllowHeaders").iter().map(|name| name.to_lowercase()).collect(),
                expose_headers: cors.texts("ExposeHeaders").iter().map(|name| name.to_lowercase()).collect(),
                max_age: cors.number("MaxAge")?,
                allow_credentials: cors.get("AllowCredentials").is_some_and(|flag| to_text(flag) == "true"),
            }))
        }
    }
}
