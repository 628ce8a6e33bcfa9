//! Resident memory of an instance after many requests through the local stack.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use local::{Binaries, Stack, StackOptions, camera::SceneOrder};
use serde_json::{Value, json};
use uuid::Uuid;

/// Requests of one user in a minute; then the next user goes on.
const BY_ONE_USER: usize = 90;
const REQUESTS: usize = 1000;
/// A frame of 12 megapixels, as a phone takes it.
const LARGE: (u32, u32) = (4032, 3024);
const LARGE_FRAMES: usize = 10;

pub struct Memory {
    pub function: &'static str,
    pub requests: usize,
    pub resident_mb: f64,
    pub peak_mb: f64,
}

/// One instance of each function, asked as its users ask it.
pub async fn resident(binaries: &Path) -> Vec<Memory> {
    let options = StackOptions { binaries: Binaries::In(binaries.to_owned()), max_instances: 1, ..Default::default() };
    let stack = Stack::start(options).await.unwrap();
    let mut measured = Vec::new();
    for (function, requests) in
        [("health-check", REQUESTS), ("start-session", REQUESTS), ("camera-proxy", REQUESTS), ("end-session", REQUESTS)]
    {
        for batch in 0..requests.div_ceil(BY_ONE_USER) {
            let user = User::new(&stack);
            let session = user.start().await;
            for _ in 0..BY_ONE_USER.min(requests - batch * BY_ONE_USER) {
                user.ask(function, session).await;
            }
        }
        measured.push(of_process(binaries, function, requests));
    }
    analyze(&stack).await;
    measured.push(of_process(binaries, "analyze-frame", LARGE_FRAMES));
    stack.shutdown().await;
    measured
}

/// Large frames of one session, one after the other.
async fn analyze(stack: &Stack) {
    let user = User::new(stack);
    let session = user.start().await;
    let camera = stack.camera().unwrap();
    camera
        .set_scene(session, SceneOrder { width: LARGE.0, height: LARGE.1, seed: Some(5), ..Default::default() })
        .unwrap();
    for number in 1..=u32::try_from(LARGE_FRAMES).unwrap() {
        let frame = camera.frame(session, number).await.unwrap().unwrap();
        let body = json!({ "session_id": session, "frame_number": number, "frame_data": STANDARD.encode(frame) });
        user.post("analyze-frame", &body).await;
    }
}

struct User {
    http: reqwest::Client,
    base_url: String,
    token: String,
    id: Uuid,
}

impl User {
    fn new(stack: &Stack) -> Self {
        let id = shared::ids::Ids.uuid();
        let token = stack.identity().token(id, None).unwrap();
        Self { http: reqwest::Client::new(), base_url: stack.base_url(), token, id }
    }

    async fn start(&self) -> Uuid {
        let metadata = json!({ "target_type": "air_pistol_10m" });
        let body = json!({ "user_id": self.id, "session_type": "practice", "metadata": metadata });
        self.post("start-session", &body).await["session"]["id"].as_str().unwrap().parse().unwrap()
    }

    async fn ask(&self, function: &str, session: Uuid) {
        match function {
            "health-check" => {
                let got = self.http.get(format!("{}/health-check", self.base_url)).send().await.unwrap();
                // Over its limit it answers as well.
                assert!(!got.status().is_server_error());
            }
            "start-session" => drop(self.start().await),
            "camera-proxy" => drop(self.post(function, &json!({ "session_id": session, "frame_number": 1 })).await),
            _ => drop(self.post(function, &json!({ "session_id": session, "end_reason": "completed" })).await),
        }
    }

    async fn post(&self, route: &str, body: &Value) -> Value {
        let post = self.http.post(format!("{}/{route}", self.base_url)).bearer_auth(&self.token);
        let response = post.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{route}: {status}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

/// What the kernel says of the function's one process.
fn of_process(binaries: &Path, function: &'static str, requests: usize) -> Memory {
    let binary = binaries.join(function);
    let process = fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let mut ours = process.filter(|path| fs::read_link(path.join("exe")).is_ok_and(|exe| exe == binary));
    let status = fs::read_to_string(ours.next().expect("an instance is running").join("status")).unwrap();
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    };
    Memory { function, requests, resident_mb: megabytes("VmRSS:"), peak_mb: megabytes("VmHWM:") }
}
