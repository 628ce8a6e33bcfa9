//! Secrets Manager: the template's secrets, by the JSON protocol; held to AWS's behaviour by `tests/stack/secrets.rs` through the
//! real SDK. What a secret holds at the beginning are the stack's options; it goes with the stack.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hyper::StatusCode;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::front::{Refusal, Service};
use crate::http::{self, Answer};
use crate::lock::lock;
use crate::system;
use crate::template::Secret;

/// As the SDKs expect of this service.
const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

/// All secrets of the stack. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    /// By name.
    secrets: Arc<BTreeMap<String, Stored>>,
}

#[derive(Debug)]
struct Stored {
    arn: String,
    current: Mutex<Version>,
}

#[derive(Debug, Clone)]
struct Version {
    id: String,
    text: String,
    created: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    secret_id: String,
    secret_string: Option<String>,
}

impl SecretsManager {
    /// Each of the template's secrets with these values in it.
    pub fn new(secrets: &[Secret], values: &BTreeMap<String, String>) -> Self {
        let text = json!(values).to_string();
        let stored =
            |secret: &Secret| Stored { arn: secret.arn.clone(), current: Mutex::new(Version::of(text.clone())) };
        let secrets = secrets.iter().map(|secret| (secret.name.clone(), stored(secret))).collect();
        Self { secrets: Arc::new(secrets) }
    }

    pub fn answer(&self, operation: &str, body: &Bytes) -> Answer {
        match self.dispatch(operation, body) {
            Ok(value) => http::answer(StatusCode::OK, MEDIA_TYPE, value.to_string()),
            Err(refusal) => refusal.answer(Service::SecretsManager),
        }
    }

    fn dispatch(&self, operation: &str, body: &Bytes) -> Result<Value, Refusal> {
        let request: Request =
            serde_json::from_slice(body).map_err(|error| refusal("InvalidRequestException", &error.to_string()))?;
        let (name, stored) = self
            .find(&request.secret_id)
            .ok_or_else(|| refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret."))?;
        match operation {
            "GetSecretValue" => {
                let Version { id, text, created } = lock(&stored.current).clone();
                Ok(json!({
                    "ARN": stored.arn, "Name": name, "SecretString": text, "VersionId": id, "CreatedDate": created,
                    "VersionStages": ["AWSCURRENT"],
                }))
            }
            "PutSecretValue" => {
                let text = request.secret_string.ok_or_else(|| {
                    refusal("InvalidParameterException", "You must provide either SecretString or SecretBinary.")
                })?;
                let version = Version::of(text);
                let id = version.id.clone();
                *lock(&stored.current) = version;
                Ok(json!({ "ARN": stored.arn, "Name": name, "VersionId": id, "VersionStages": ["AWSCURRENT"] }))
            }
            _ => Err(refusal("UnknownOperationException", operation)),
        }
    }

    /// By name or ARN.
    fn find(&self, id: &str) -> Option<(&String, &Stored)> {
        self.secrets.iter().find(|(name, stored)| *name == id || stored.arn == id)
    }

    /// Changes one value of every secret, as an operator would who rotates it.
    pub fn set(&self, name: &str, value: &str) {
        for stored in self.secrets.values() {
            let mut current = lock(&stored.current);
            let mut values: Map<String, Value> = serde_json::from_str(&current.text).unwrap_or_default();
            values.insert(name.to_owned(), json!(value));
            *current = Version::of(json!(values).to_string());
        }
    }

    /// Replaces every secret's text, whatever it is.
    pub fn replace(&self, text: &str) {
        for stored in self.secrets.values() {
            *lock(&stored.current) = Version::of(text.to_owned());
        }
    }

    /// One value of the first secret.
    pub fn value(&self, name: &str) -> Option<String> {
        let stored = self.secrets.values().next()?;
        let values: Map<String, Value> = serde_json::from_str(&lock(&stored.current).text).ok()?;
        values.get(name)?.as_str().map(str::to_owned)
    }
}

impl Version {
    fn of(text: String) -> Self {
        let created = system::now().timestamp_millis();
        // Exact: milliseconds since the epoch fit a double's 53 bits for 285,000 years.
        #[expect(clippy::cast_precision_loss, reason = "fits, see above")]
        let created = created as f64 / 1000.0;
        Self { id: system::new_id().to_string(), text, created }
    }
}

fn refusal(code: &str, message: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, code, message)
}
