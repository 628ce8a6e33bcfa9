//! DeleteMessage and ChangeMessageVisibility, alone and in batches.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::batch::{Batch, Entry, One, check_batch, failure, in_range};
use super::receive::MAX_VISIBILITY;
use super::{Result, Sqs, SqsError};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Handle {
    receipt_handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Visibility {
    receipt_handle: String,
    visibility_timeout: Option<u64>,
}

impl Sqs {
    pub async fn delete(&self, request: One<Handle>) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?.name.clone();
        self.delete_one(queue, &request.inner.receipt_handle).await?;
        Ok(Value::Null)
    }

    pub async fn delete_batch(&self, request: Batch<Handle>) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?.name.clone();
        check_batch(&request.entries, "DeleteMessageBatchRequestEntry")?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for Entry { id, inner } in request.entries {
            match self.delete_one(queue.clone(), &inner.receipt_handle).await {
                Ok(()) => successful.push(json!({"Id": id})),
                Err(error) => failed.push(failure(&id, &error)),
            }
        }
        Ok(json!({"Successful": successful, "Failed": failed}))
    }

    async fn delete_one(&self, queue: String, handle: &str) -> Result<()> {
        let (id, receipt) = receipt(handle)?;
        self.delete_taken(&queue, vec![(id, receipt)]).await
    }

    pub async fn change_visibility(&self, request: One<Visibility>) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?.name.clone();
        self.change_one(queue, request.inner).await?;
        Ok(Value::Null)
    }

    pub async fn change_visibility_batch(&self, request: Batch<Visibility>) -> Result<Value> {
        let queue = self.queue(&request.queue_url)?.name.clone();
        check_batch(&request.entries, "ChangeMessageVisibilityBatchRequestEntry")?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for Entry { id, inner } in request.entries {
            match self.change_one(queue.clone(), inner).await {
                Ok(()) => successful.push(json!({"Id": id})),
                Err(error) => failed.push(failure(&id, &error)),
            }
        }
        Ok(json!({"Successful": successful, "Failed": failed}))
    }

    async fn change_one(&self, queue: String, request: Visibility) -> Result<()> {
        let seconds = request.visibility_timeout.ok_or(SqsError::MissingParameter("VisibilityTimeout"))?;
        let visibility = Duration::from_secs(in_range("VisibilityTimeout", seconds, 0, MAX_VISIBILITY)?);
        let (id, latest) = receipt(&request.receipt_handle)?;
        let live = self.live(&queue)?;
        let changed = self.with_store(move |store| store.change_visibility(&queue, id, &latest, visibility)).await?;
        live.arrived.notify_waiters();
        if changed { Ok(()) } else { Err(SqsError::NotInFlight(request.receipt_handle)) }
    }
}

/// The other way round: [`Received::handle`](super::Received::handle).
fn receipt(handle: &str) -> Result<(i64, String)> {
    let (id, receipt) = handle.split_once('.').ok_or(SqsError::InvalidReceiptHandle)?;
    Ok((id.parse().map_err(|_| SqsError::InvalidReceiptHandle)?, receipt.to_owned()))
}
