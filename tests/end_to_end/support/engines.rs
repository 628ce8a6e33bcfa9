//! Engines and those who work with them.

use local::Stack;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, User};

impl User {
    /// A user who works with these fleets.
    pub fn with_fleets(stack: &Stack, role: Option<&str>, fleets: &[&str]) -> Self {
        let id = shared::ids::Ids.uuid();
        let mut claims = stack.identity().claims(id, role);
        claims["app_metadata"]["fleets"] = json!(fleets);
        Self::bearing(stack, id, Some(stack.identity().sign(&claims).unwrap()))
    }

    /// A user who works with one fleet that no other test knows, and that fleet.
    pub fn with_own_fleet(stack: &Stack) -> (Self, String) {
        let fleet = format!("fleet-{}", shared::ids::Ids.uuid().simple());
        (Self::with_fleets(stack, None, &[&fleet]), fleet)
    }

    pub async fn put(&self, route: &str, body: &Value) -> Answer {
        let request = self.request(Method::PUT, route).header("content-type", "application/json");
        Answer::of(request.body(body.to_string()).send().await.unwrap()).await
    }

    /// Has readings of an engine stored, in the user's only fleet.
    pub async fn reads(&self, engine: &str, readings: &Value) -> Value {
        self.post(&format!("engines/{engine}/readings"), &json!({ "readings": readings })).await.success()
    }

    /// What is predicted of an engine's stored history, in the user's only fleet.
    pub async fn predicts(&self, engine: &str) -> Value {
        self.post("predict", &json!({ "engine_id": engine })).await.success()
    }
}

/// The first cycles of an engine's life, or all of it.
pub fn readings(seed: u64, cycles: usize) -> Value {
    let engine = turbofan::Engine::new(seed, turbofan::Conditions::One);
    engine.readings().into_iter().take(cycles).map(|reading| json!(reading)).collect()
}
