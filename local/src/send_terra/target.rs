//! Where webhooks go: a stack that runs, one of our own, or any backend; and what of its insides can be looked at.

use std::fs;
use std::path::Path;

use reqwest::Client;
use serde_json::Value;
use shared::aws::Aws;
use shared::store::connections::Connections;
use shared::store::jobs::Jobs;
use shared::store::metrics::Metrics;
use uuid::Uuid;

use super::{Failure, SendOptions};
use crate::terra::Terra;
use crate::{Binaries, Stack, StackOptions, stack_file};

/// Where a running stack says how it can be reached, unless told otherwise.
const STACK_FILE: &str = "target/local/stack.json";

/// A backend.
pub struct Target {
    pub terra: Terra,
    pub http: Client,
    pub base_url: String,
    /// An admin's.
    pub token: Option<String>,
    /// The user whom bodies are for unless the caller names another.
    pub user: Option<Uuid>,
    /// Of a stack.
    pub tables: Option<Tables>,
    /// A stack that ends with us.
    own: Option<Stack>,
}

/// What a stack has stored.
pub struct Tables {
    pub jobs: Jobs,
    pub connections: Connections,
    pub metrics: Metrics,
}

impl Target {
    pub async fn open(options: &SendOptions) -> Result<Self, Failure> {
        let http = Client::new();
        if let Some(url) = &options.url {
            let secret = options.secret.clone().ok_or("--url needs --secret")?;
            return Ok(Self {
                terra: Terra::new(http.clone(), url, secret),
                http,
                base_url: url.trim_end_matches('/').to_owned(),
                token: options.token.clone(),
                user: None,
                tables: None,
                own: None,
            });
        }
        let path = options.stack_file.clone().unwrap_or_else(|| STACK_FILE.into());
        if options.stack_file.is_some() || path.exists() {
            return Self::of_stack(&stack_json(&path)?, options, None);
        }
        println!("no stack runs: building the functions and starting one …");
        let binaries = if options.release { Binaries::BuildRelease } else { Binaries::default() };
        let stack = Stack::start(StackOptions { binaries, quiet_build: false, ..StackOptions::default() }).await?;
        let json = stack_file::content(&stack);
        Self::of_stack(&json, options, Some(stack))
    }

    /// `stack` as a stack file has it.
    fn of_stack(stack: &Value, options: &SendOptions, own: Option<Stack>) -> Result<Self, Failure> {
        let text =
            |value: &Value, what: &str| value.as_str().map(str::to_owned).ok_or(format!("the stack file lacks {what}"));
        let base_url = text(&stack["base_url"], "base_url")?;
        let secret = options.secret.clone().map_or_else(|| text(&stack["terra_signing_secret"], "a secret"), Ok)?;
        let http = Client::new();
        Ok(Self {
            terra: Terra::new(http.clone(), &base_url, secret),
            http,
            base_url,
            token: options.token.clone().or_else(|| stack["tokens"]["admin"].as_str().map(str::to_owned)),
            user: stack["users"]["user"].as_str().and_then(|id| id.parse().ok()),
            tables: Some(Tables::of(stack)?),
            own,
        })
    }

    pub async fn close(self) {
        if let Some(stack) = self.own {
            stack.shutdown().await;
        }
    }

    /// What a GET of this route answers.
    pub async fn get(&self, route: &str) -> Result<Value, Failure> {
        let get = self.http.get(format!("{}/{route}", self.base_url));
        let get = match &self.token {
            Some(token) => get.bearer_auth(token),
            None => get,
        };
        Ok(serde_json::from_str(&get.send().await?.text().await?)?)
    }
}

impl Tables {
    fn of(stack: &Value) -> Result<Self, Failure> {
        let text = |name: &str| {
            let value = stack["aws"][name].as_str().map(str::to_owned);
            value.ok_or(format!("the stack file lacks aws.{name}"))
        };
        let reachable = crate::Aws {
            dynamodb: text("dynamodb")?,
            sqs: text("sqs")?,
            s3: text("s3")?,
            secrets_manager: text("secrets_manager")?,
            access_key_id: text("access_key_id")?,
            secret_access_key: text("secret_access_key")?,
            region: text("region")?,
        };
        let aws = Aws::from_config(reachable.sdk_config(), shared::telemetry::Metrics::discard());
        let table = |id: &str| stack["tables"][id].as_str().map(str::to_owned).ok_or(format!("the stack has no {id}"));
        Ok(Self {
            jobs: Jobs::new(aws.clone(), table("JobsTable")?),
            connections: Connections::new(aws.clone(), table("ConnectionsTable")?, table("QuarantineTable")?),
            metrics: Metrics::new(aws, table("MetricsTable")?, table("LatestMetricsTable")?),
        })
    }
}

fn stack_json(path: &Path) -> Result<Value, Failure> {
    let text = fs::read_to_string(path).map_err(|err| format!("{}: {err}", path.display()))?;
    Ok(serde_json::from_str(&text).map_err(|err| format!("{}: {err}", path.display()))?)
}
