//! Somebody who asks the functions.

use local::Stack;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use shared::ids::Ids;
use turbofan::{Conditions, Engine};
use uuid::Uuid;

pub struct User {
    http: reqwest::Client,
    base_url: String,
    token: String,
    id: Uuid,
}

impl User {
    pub fn new(stack: &Stack, role: Option<&str>) -> Self {
        let id = Ids.uuid();
        let token = stack.identity().token(id, role).unwrap();
        Self { http: reqwest::Client::new(), base_url: stack.base_url(), token, id }
    }

    /// Starts a session.
    pub async fn start(&self) -> Uuid {
        let metadata = json!({ "target_type": "air_pistol_10m" });
        let body = json!({ "user_id": self.id, "session_type": "practice", "metadata": metadata });
        self.post("start-session", &body).await["session"]["id"].as_str().unwrap().parse().unwrap()
    }

    /// Asks a function for what it is there for: about the user's own session, or the athlete's metrics.
    pub async fn ask(&self, function: &str, session: Uuid, athlete: Uuid) {
        let end = json!({ "session_id": session, "end_reason": "completed" });
        match function {
            "health-check" => {
                let got = self.http.get(self.url(function)).send().await.unwrap();
                // Over its limit it answers as well.
                assert!(!got.status().is_server_error());
            }
            "start-session" => drop(self.start().await),
            "camera-proxy" => drop(self.post(function, &json!({ "session_id": session, "frame_number": 1 })).await),
            "end-session" => drop(self.post(function, &end).await),
            "latest-metrics" => drop(self.get(&format!("{function}/{athlete}")).await),
            "predict" => {
                let body = json!({ "engine_id": athlete, "sensor_data": history() });
                drop(self.post(function, &body).await);
            }
            "engines" => {
                let body = json!({ "fleet_id": "bench", "readings": history() });
                drop(self.post(&format!("{function}/{athlete}/readings"), &body).await);
            }
            "fleet" => drop(self.get(&format!("{function}?fleet_id=bench")).await),
            "retry-jobs" => drop(self.post(function, &json!({ "job_type": null })).await),
            "recalculate-metrics" => drop(self.post(function, &json!({ "user_id": athlete })).await),
            _ => drop(self.get(function).await),
        }
    }

    pub async fn post(&self, route: &str, body: &Value) -> Value {
        let post = self.http.post(self.url(route)).header("content-type", "application/json");
        self.answer(route, post.body(body.to_string())).await
    }

    pub async fn get(&self, route: &str) -> Value {
        self.answer(route, self.http.get(self.url(route))).await
    }

    fn url(&self, route: &str) -> String {
        format!("{}/{route}", self.base_url)
    }

    async fn answer(&self, route: &str, request: RequestBuilder) -> Value {
        let response = request.bearer_auth(&self.token).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{route}: {status}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

/// A hundred cycles of an engine.
fn history() -> Value {
    Engine::new(1, Conditions::One).readings().iter().take(100).map(|reading| json!(reading)).collect()
}
