//! Speaks to the API as an app would.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use shared::domain::target::TargetType;
use uuid::Uuid;

use super::Failure;
use crate::Stack;

/// Of the stack's users.
const USER: &str = "user";

/// A user with a token.
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    token: String,
    user: Uuid,
}

impl Client {
    pub fn new(stack: &Stack) -> Self {
        Self {
            http: reqwest::Client::new(),
            base_url: stack.base_url(),
            token: stack.token(USER).to_owned(),
            user: stack.users().get(USER).copied().unwrap_or_default(),
        }
    }

    /// Starts a session and returns its id.
    pub async fn start(&self, target: TargetType) -> Result<Uuid, Failure> {
        let metadata = json!({ "equipment": "pistol", "target_type": target });
        let body = json!({ "user_id": self.user, "session_type": "practice", "metadata": metadata });
        let started = self.post("start-session", &body).await?;
        Ok(started["session"]["id"].as_str().ok_or("no session id")?.parse()?)
    }

    /// Posts a body and returns the answer's; anything but a success is an error that shows the problem.
    pub async fn post(&self, route: &str, body: &Value) -> Result<Value, Failure> {
        let url = format!("{}/{route}", self.base_url);
        let post = self.http.post(url).bearer_auth(&self.token).header("content-type", "application/json");
        let response = post.body(body.to_string()).send().await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            return Err(format!("{route}: {status}: {text}").into());
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// The report behind the signed URL of an ended session.
    pub async fn report(&self, ended: &Value) -> Result<String, Failure> {
        let url = ended["session"]["report_url"].as_str().ok_or("no report_url")?;
        let response = self.http.get(url).send().await?.error_for_status().map_err(reqwest::Error::without_url)?;
        Ok(response.text().await?)
    }
}

/// The pictures of a folder, by name.
pub fn pictures(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut pictures: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(|err| format!("{}: {err}", folder.display()))?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            ["jpg", "jpeg", "png"].contains(&extension.to_ascii_lowercase().as_str())
        })
        .collect();
    pictures.sort();
    if pictures.is_empty() {
        return Err(format!("{}: no JPEG or PNG there", folder.display()).into());
    }
    Ok(pictures)
}

/// A picture's bytes as base64.
pub fn base64_of(path: &Path) -> Result<String, Failure> {
    Ok(STANDARD.encode(fs::read(path).map_err(|err| format!("{}: {err}", path.display()))?))
}
