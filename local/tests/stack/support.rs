//! A stack with the fixture function under several names.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use local::{Binaries, Stack, StackOptions};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

pub struct Fixture {
    pub stack: Stack,
    pub client: reqwest::Client,
    pub binaries: TempDir,
}

pub fn template() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/template.yaml")
}

pub fn options(binaries: &Path) -> StackOptions {
    StackOptions { template: template(), binaries: Binaries::In(binaries.to_owned()), ..StackOptions::default() }
}

/// A directory in which every function of the template is the fixture.
pub fn binaries() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in ["echo", "short", "reserved", "broken", "worker", "whole"] {
        symlink(&*FIXTURE, directory.path().join(name)).unwrap();
    }
    directory
}

static FIXTURE: LazyLock<PathBuf> = LazyLock::new(|| example("fixture"));

/// `target/<profile>/examples/<name>`, beside this test's own `deps`. Cargo builds examples with all tests, but not where
/// it is told which test; then it is built here if it is missing.
pub fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let directory = test.parent().and_then(Path::parent).unwrap();
    let example = directory.join("examples").join(name);
    if !example.exists() {
        let profile = directory.file_name().and_then(|name| name.to_str()).unwrap();
        let profile = if profile == "debug" { "dev" } else { profile };
        let cargo = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "local", "--example", name, "--profile", profile, "--target-dir"])
            .arg(directory.parent().unwrap())
            .status();
        assert!(cargo.unwrap().success());
    }
    example
}

impl Fixture {
    pub async fn start() -> Self {
        Self::with(|options| options).await
    }

    pub async fn with(change: impl FnOnce(StackOptions) -> StackOptions) -> Self {
        let binaries = binaries();
        let stack = Stack::start(change(options(binaries.path()))).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { stack, client, binaries }
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.stack.base_url()))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.stack.base_url()))
    }

    /// Status and body of an order to a function.
    pub async fn order(&self, function: &str, order: Value) -> (StatusCode, String) {
        let answer = self.post(&format!("/{function}")).body(order.to_string()).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// The SDKs' configuration with the stack's own key, for one of the services.
    pub fn sdk(&self, endpoint: &str) -> SdkConfig {
        let aws = self.stack.aws();
        let key = Credentials::new(&aws.access_key_id, &aws.secret_access_key, None, None, "stack");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(aws.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(key))
            .endpoint_url(endpoint)
            .build()
    }
}

pub async fn json_of(answer: reqwest::Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}
