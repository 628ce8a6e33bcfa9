//! The events of `events/`, as `sam local invoke` takes them, sent over HTTP.

use std::{fs, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use local::{Stack, terra};
use reqwest::Method;
use serde_json::Value;
use shared::clock::Clock;

use super::{Answer, User};

/// Stands for a signature that is made when the event is loaded: it is good for five minutes only.
const SIGNATURE: &str = "${terra_signature}";

/// An event with its placeholders filled in.
pub struct Event {
    name: String,
    json: Value,
}

impl Event {
    /// Reads `events/<name>.json` and puts the values in the places of `${…}`. A webhook is signed with the value
    /// `terra_signing_secret`, or with the secret that a stack has unless it is told another.
    pub fn load(name: &str, values: &[(&str, &str)]) -> Self {
        let path = folder().join(format!("{name}.json"));
        let mut text = fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
        for (placeholder, value) in values {
            text = text.replace(&format!("${{{placeholder}}}"), value);
        }
        let mut json: Value = serde_json::from_str(&text).unwrap();
        let secret = values.iter().find(|(name, _)| *name == "terra_signing_secret");
        sign(&mut json, secret.map_or(terra::SIGNING_SECRET, |(_, secret)| *secret));
        assert!(!json.to_string().contains("${"), "{name}: a placeholder is left in {json}");
        Self { name: name.to_owned(), json }
    }

    /// The route without its method and prefix, such as `health-check/live`; the function's name where it has no route.
    pub fn route(&self) -> String {
        match self.json["routeKey"].as_str() {
            // What writes to a path that is read as well is named with its method.
            Some(key) if key.starts_with("PUT") => key.replace("/functions/v1/", ""),
            Some(key) => key.split_once("/functions/v1/").unwrap().1.to_owned(),
            None => self.function().to_owned(),
        }
    }

    /// The function that the event is for: events are named after theirs.
    pub fn function(&self) -> &str {
        self.name.split('.').next().unwrap()
    }

    /// Invokes the event's function with it as it stands, as `sam local invoke` does: whatever it returns.
    pub async fn invoke_plain(&self, stack: &Stack) -> Value {
        let invocation = stack.invoke(self.function(), self.json.to_string()).await.unwrap();
        assert_eq!(invocation.error, None, "{}", String::from_utf8_lossy(&invocation.payload));
        serde_json::from_slice(&invocation.payload).unwrap()
    }

    /// Invokes the route's function with the event as it stands, as `sam local invoke` does.
    pub async fn invoke(&self, stack: &Stack) -> Answer {
        Answer::of_invocation(self.invoke_plain(stack).await.to_string().as_bytes())
    }

    /// Sends the request that API Gateway would have made this event of, from the user's address. The token is the
    /// event's own.
    pub async fn send(&self, from: &User) -> Answer {
        let http = &self.json["requestContext"]["http"];
        let method: Method = http["method"].as_str().unwrap().parse().unwrap();
        let route = http["path"].as_str().unwrap().trim_start_matches("/functions/v1/");
        let query = self.json["rawQueryString"].as_str().filter(|query| !query.is_empty());
        let route = query.map_or(route.to_owned(), |query| format!("{route}?{query}"));
        let mut request = from.without_token().request(method, &route);
        for (name, value) in self.json["headers"].as_object().unwrap() {
            if name != "host" && !name.starts_with("x-forwarded") {
                request = request.header(name, value.as_str().unwrap());
            }
        }
        if let Some(body) = body(&self.json) {
            request = request.body(body);
        }
        Answer::of(request.send().await.unwrap()).await
    }
}

/// Signs a webhook's body as it will arrive, unless the event has a signature of its own, or none.
fn sign(event: &mut Value, secret: &str) {
    if event["headers"]["terra-signature"] == SIGNATURE {
        let body = body(event).unwrap_or_default();
        event["headers"]["terra-signature"] = terra::signature(secret, Clock::System.now().timestamp(), &body).into();
    }
}

/// The body's bytes, base64 undone.
fn body(event: &Value) -> Option<Vec<u8>> {
    let text = event["body"].as_str()?;
    let encoded = event["isBase64Encoded"] == true;
    Some(if encoded { STANDARD.decode(text).unwrap() } else { text.as_bytes().to_vec() })
}

/// What `sam local` gives the functions beside an event.
const ENVIRONMENT: &str = "env";

/// Names of all events.
pub fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let names = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let mut names: Vec<String> = names.filter(|name| name != ENVIRONMENT).collect();
    names.sort();
    names
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events")
}
