//! Operations on queues: URL, lists, purge.

use serde::Deserialize;
use serde_json::{Value, json};

use super::batch::in_range;
use super::{Result, Sqs, SqsError};

/// Queues in one answer.
const MAX_LISTED: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueueName {
    queue_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NamePrefix {
    #[serde(default)]
    queue_name_prefix: String,
    #[serde(flatten)]
    page: Page,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SourcesOf {
    queue_url: String,
    #[serde(flatten)]
    page: Page,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Page {
    max_results: Option<usize>,
    /// How many were given before.
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueueUrl {
    queue_url: String,
}

impl Sqs {
    pub fn queue_url(&self, request: QueueName) -> Result<Value> {
        Ok(json!({"QueueUrl": self.queue(&request.queue_name)?.url}))
    }

    pub fn list_queues(&self, request: NamePrefix) -> Result<Value> {
        let queues = self.inner.queues.values().map(|live| live.queue());
        let queues = queues.filter(|queue| queue.name.starts_with(&request.queue_name_prefix));
        request.page.answer("QueueUrls", queues.map(|queue| queue.url.clone()).collect())
    }

    pub fn list_sources(&self, request: SourcesOf) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?;
        // The only name of the API that begins with a small letter.
        request.page.answer("queueUrls", self.sources_of(&queue.arn))
    }

    /// URLs of the queues whose dead letters go to the queue of this ARN.
    pub(super) fn sources_of(&self, arn: &str) -> Vec<String> {
        let queues = self.inner.queues.values().map(|live| live.queue());
        let sources =
            queues.filter(|queue| queue.redrive.as_ref().is_some_and(|redrive| redrive.dead_letter_arn == arn));
        sources.map(|queue| queue.url.clone()).collect()
    }

    pub async fn purge(&self, request: QueueUrl) -> Result<Value> {
        let live = self.live(&request.queue_url)?;
        let name = live.queue().name.clone();
        self.with_store(move |store| store.purge(&name)).await?;
        live.left.notify_waiters();
        Ok(Value::Null)
    }
}

impl Page {
    /// Pages only where the request says how long one is.
    fn answer(&self, name: &str, urls: Vec<String>) -> Result<Value> {
        let Some(limit) = self.max_results else { return Ok(json!({name: urls})) };
        let limit = in_range("MaxResults", limit, 1, MAX_LISTED)?;
        let begin = match &self.next_token {
            None => 0,
            Some(token) => token.parse().map_err(|_| SqsError::InvalidParameter("Invalid NextToken.".to_owned()))?,
        };
        let end = urls.len().min(begin + limit);
        let mut answer = json!({name: urls.get(begin..end).unwrap_or_default()});
        if end < urls.len() {
            answer["NextToken"] = json!(end.to_string());
        }
        Ok(answer)
    }
}
