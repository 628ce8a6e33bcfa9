//! Time from the start of the process to its first request for an event.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use local::http::{Answer, HangUp, bind, serve, stop_signal};
use reqwest::StatusCode;
use serde_json::json;
use tokio::{process::Command, sync::mpsc};

const RUNS: usize = 41;

/// What the functions want to know at their start; nothing is behind it.
const ENVIRONMENT: [(&str, &str); 16] = [
    ("AWS_REGION", "us-east-1"),
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("SESSIONS_TABLE", "sessions"),
    ("CONTROL_TABLE", "control"),
    ("WEBHOOKS_TABLE", "webhooks"),
    ("CONNECTIONS_TABLE", "connections"),
    ("QUARANTINE_TABLE", "quarantine"),
    ("JOBS_TABLE", "jobs"),
    ("METRICS_TABLE", "metrics"),
    ("LATEST_METRICS_TABLE", "latest-metrics"),
    ("ENGINES_TABLE", "engines"),
    ("BUCKET", "bucket"),
    ("JOB_QUEUE_URL", "http://127.0.0.1:9/jobs"),
    ("JOB_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:9/dead"),
];
const ISSUERS: &str = r#"[{"issuer":"http://127.0.0.1:9/auth/v1","kind":"supabase","audience":"authenticated"}]"#;

/// The function that fetches its secrets before its first event, whatever its configuration.
const WITH_SECRETS: &str = "webhook-terra";

/// The median of several starts, after one that fills the caches.
pub async fn median(binary: &Path) -> Duration {
    once(binary).await;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        times.push(once(binary).await);
    }
    times.sort();
    times[RUNS / 2]
}

async fn once(binary: &Path) -> Duration {
    let listener = bind(0).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (asked, mut first) = mpsc::channel(1);
    let (_stopper, stop) = stop_signal();
    tokio::spawn(serve(listener, stop, move |request, _| {
        let (path, asked) = (request.uri().path().to_owned(), asked.clone());
        async move { runtime_api(&path, asked).await }
    }));
    let started = Instant::now();
    let mut command = Command::new(binary);
    command.env_clear().envs(ENVIRONMENT);
    if binary.ends_with(WITH_SECRETS) {
        let key = [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "key"), ("SECRETS_ARN", "secret")];
        command.envs(key).env("AWS_ENDPOINT_URL_SECRETS_MANAGER", format!("http://{address}"));
    }
    let mut child = command
        .env("AUTH_ISSUERS", ISSUERS)
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let asked: Instant = tokio::select! {
        asked = first.recv() => asked.unwrap(),
        status = child.wait() => panic!("{} ended: {status:?}", binary.display()),
    };
    child.kill().await.unwrap();
    asked - started
}

/// Lambda's Runtime and Extensions API as far as an instance gets before its first event, which never comes.
async fn runtime_api(path: &str, asked: mpsc::Sender<Instant>) -> Result<Answer, HangUp> {
    if path.ends_with("/extension/register") {
        let function = json!({ "functionName": "bench", "functionVersion": "1", "handler": "bootstrap" });
        let mut registered = local::http::json(StatusCode::OK, &function);
        registered.headers_mut().insert("lambda-extension-identifier", "bench".parse().unwrap());
        return Ok(registered);
    }
    if path == "/" {
        // Secrets Manager, in no time: on AWS it takes some milliseconds more.
        let secret = json!({ "SecretString": r#"{"terra_signing_secret":"secret"}"# });
        return Ok(local::http::json(StatusCode::OK, &secret));
    }
    if path.ends_with("/invocation/next") {
        // Full or closed: somebody has noted it already.
        let _ = asked.try_send(Instant::now());
    }
    std::future::pending().await
}
