//! Speaks to the API as an app would.

use std::time::Duration;

use hyper::body::Bytes;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use uuid::Uuid;

use super::Failure;
use crate::Stack;

/// Longer than any function may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A user with a token.
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    token: String,
    pub user: Uuid,
}

impl Client {
    /// `name` is one of the stack's users: `user`, `admin`.
    pub fn new(stack: &Stack, name: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            base_url: stack.base_url(),
            token: stack.token(name).to_owned(),
            user: stack.users().get(name).copied().unwrap_or_default(),
        }
    }

    /// A user of any backend. `base_url` ends with `/functions/v1`.
    pub fn at(base_url: &str, token: String, user: Uuid) -> Result<Self, Failure> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { http, base_url: base_url.trim_end_matches('/').to_owned(), token, user })
    }

    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    pub async fn get(&self, route: &str) -> Result<Value, Failure> {
        answer(route, self.request(Method::GET, route)).await
    }

    pub async fn post(&self, route: &str, body: &Value) -> Result<Value, Failure> {
        answer(route, self.post_request(route, body)).await
    }

    /// Status and body of whatever is answered.
    pub async fn ask(&self, route: &str, body: &Value) -> Result<(u16, Value), Failure> {
        let response = self.post_request(route, body).send().await?;
        Ok((response.status().as_u16(), serde_json::from_str(&response.text().await?)?))
    }

    fn post_request(&self, route: &str, body: &Value) -> RequestBuilder {
        let post = self.request(Method::POST, route).header("content-type", "application/json");
        post.body(body.to_string())
    }

    /// Without a token.
    pub fn post_as_nobody(&self, route: &str, body: impl Into<Bytes>) -> RequestBuilder {
        let post = self.http.post(format!("{}/{route}", self.base_url)).header("content-type", "application/json");
        post.body(body.into())
    }

    /// What lies behind a signed URL.
    pub async fn fetch(&self, url: &str) -> Result<String, Failure> {
        let response = self.http.get(url).send().await?.error_for_status().map_err(reqwest::Error::without_url)?;
        Ok(response.text().await?)
    }

    fn request(&self, method: Method, route: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/{route}", self.base_url)).bearer_auth(&self.token)
    }
}

/// The answer's body; anything but a success is an error that shows the problem.
pub async fn answer(route: &str, request: RequestBuilder) -> Result<Value, Failure> {
    let response = request.send().await?;
    let status = response.status();
    let text = response.text().await?;
    if !status.is_success() {
        return Err(format!("{route}: {status}: {text}").into());
    }
    Ok(serde_json::from_str(&text)?)
}
