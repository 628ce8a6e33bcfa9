//! The events of `events/`, as `sam local invoke` takes them, sent over HTTP.

use std::{fs, path::PathBuf};

use local::Stack;
use reqwest::Method;
use serde_json::Value;

use super::{Answer, User};

/// An event with its placeholders filled in.
pub struct Event(Value);

impl Event {
    /// Reads `events/<name>.json` and puts the values in the places of `${…}`.
    pub fn load(name: &str, values: &[(&str, &str)]) -> Self {
        let path = folder().join(format!("{name}.json"));
        let mut text = fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
        for (placeholder, value) in values {
            text = text.replace(&format!("${{{placeholder}}}"), value);
        }
        assert!(!text.contains("${"), "{name}: a placeholder is left in {text}");
        Self(serde_json::from_str(&text).unwrap())
    }

    /// The route without its method and prefix, such as `health-check/live`.
    pub fn route(&self) -> &str {
        self.0["routeKey"].as_str().unwrap().split_once("/functions/v1/").unwrap().1
    }

    /// Invokes the route's function with the event as it stands, as `sam local invoke` does.
    pub async fn invoke(&self, stack: &Stack) -> Answer {
        let function = self.route().split('/').next().unwrap();
        let invocation = stack.invoke(function, self.0.to_string()).await.unwrap();
        assert_eq!(invocation.error, None, "{}", String::from_utf8_lossy(&invocation.payload));
        Answer::of_invocation(&invocation.payload)
    }

    /// Sends the request that API Gateway would have made this event of, from the user's address. The token is the
    /// event's own.
    pub async fn send(&self, from: &User) -> Answer {
        let http = &self.0["requestContext"]["http"];
        let method: Method = http["method"].as_str().unwrap().parse().unwrap();
        let route = http["path"].as_str().unwrap().trim_start_matches("/functions/v1/");
        let mut request = from.without_token().request(method, route);
        for (name, value) in self.0["headers"].as_object().unwrap() {
            if name != "host" && !name.starts_with("x-forwarded") {
                request = request.header(name, value.as_str().unwrap());
            }
        }
        if let Some(body) = self.0["body"].as_str() {
            request = request.body(body.to_owned());
        }
        Answer::of(request.send().await.unwrap()).await
    }
}

/// Names of all events.
pub fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let mut names: Vec<String> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events")
}
