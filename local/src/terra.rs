//! Terra's side of a webhook: bodies are signed and sent as Terra does it.

use aws_lc_rs::hmac;
use hyper::body::Bytes;
use reqwest::{Client, RequestBuilder};

use crate::stack::Stack;
use crate::system;

/// What a stack's webhooks are signed with unless its options say otherwise.
pub const SIGNING_SECRET: &str = "local-terra-signing-secret";

/// Sends webhooks to one backend.
#[derive(Debug, Clone)]
pub struct Terra {
    http: Client,
    url: String,
    secret: String,
}

/// A webhook to be sent; the same one may be sent again.
#[derive(Debug, Clone, Default)]
pub struct Webhook {
    pub body: Bytes,
    /// `x-terra-trace-id`: the delivery's id.
    pub trace_id: Option<String>,
    /// `x-terra-ordering-timestamp`, in milliseconds since 1970.
    pub ordered_at: Option<i64>,
}

impl Webhook {
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    pub fn trace_id(self, id: impl Into<String>) -> Self {
        Self { trace_id: Some(id.into()), ..self }
    }

    pub fn ordered_at(self, ms: i64) -> Self {
        Self { ordered_at: Some(ms), ..self }
    }
}

impl Terra {
    /// `base_url` ends with `/functions/v1`.
    pub fn new(http: Client, base_url: &str, secret: impl Into<String>) -> Self {
        Self { http, url: format!("{}/webhook-terra", base_url.trim_end_matches('/')), secret: secret.into() }
    }

    /// Terra as this stack knows it.
    pub fn of(stack: &Stack) -> Self {
        Self::new(Client::new(), &stack.base_url(), stack.terra_signing_secret())
    }

    /// The same secret and address, by another client: limits are counted by where it calls from.
    pub fn with_client(&self, http: Client) -> Self {
        Self { http, ..self.clone() }
    }

    /// The request, signed now.
    pub fn request(&self, webhook: &Webhook) -> RequestBuilder {
        let signature = signature(&self.secret, system::now_secs(), &webhook.body);
        let mut post = self.http.post(&self.url).header("content-type", "application/json");
        post = post.header("terra-signature", signature);
        if let Some(id) = &webhook.trace_id {
            post = post.header("x-terra-trace-id", id);
        }
        if let Some(at) = webhook.ordered_at {
            post = post.header("x-terra-ordering-timestamp", at);
        }
        post.body(webhook.body.clone())
    }

    pub async fn send(&self, webhook: &Webhook) -> reqwest::Result<reqwest::Response> {
        self.request(webhook).send().await
    }
}

/// The value of `terra-signature` for a body that is sent at `at`, in seconds since 1970.
pub fn signature(secret: &str, at: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut tag = hmac::Context::with_key(&key);
    tag.update(format!("{at}.").as_bytes());
    tag.update(body);
    let hex: String = tag.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_terra_makes() {
        // printf '1764000000.{"type":"daily",…}' | openssl dgst -sha256 -hmac whsec_one
        assert_eq!(
            signature("whsec_one", 1_764_000_000, br#"{"type":"daily","user":{"user_id":"u1"},"data":[]}"#),
            "t=1764000000,v1=2d4ee8bc2041f46ab032c5a02c7e31206afe3168df2874cfaac0a580f4d32179"
        );
    }
}
