//! What the stack itself asks of queues, without HTTP: event source mappings receive and settle here, tests count and wait.

use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::store::Counts;
use super::take::{Take, Taken};
use super::{Result, Sqs};
use crate::template::Queue;

impl Sqs {
    /// Takes what can be taken now.
    pub(crate) async fn take(&self, queue: &Queue, take: Take) -> Result<Taken> {
        let dead_letters = queue.redrive.as_ref().and_then(|redrive| self.by_arn(&redrive.dead_letter_arn));
        let live = self.live(&queue.name)?;
        let (queue, dead) = (queue.clone(), dead_letters.as_ref().map(|live| live.queue()));
        let taken = self.with_store(move |store| store.receive(&queue, dead.as_deref(), &take)).await?;
        if taken.buried
            && let Some(dead_letters) = dead_letters
        {
            live.left.notify_waiters();
            dead_letters.arrived.notify_waiters();
        }
        Ok(taken)
    }

    /// Deletes messages by number and receipt.
    pub(crate) async fn delete_taken(&self, queue: &str, receipts: Vec<(i64, String)>) -> Result<()> {
        let live = self.live(queue)?;
        let name = live.queue().name.clone();
        self.with_store(move |store| store.delete(&name, &receipts)).await?;
        live.left.notify_waiters();
        Ok(())
    }

    /// By the queue's name or URL.
    pub async fn counts(&self, queue: &str) -> Result<Counts> {
        let name = self.queue(queue)?.name.clone();
        self.with_store(move |store| store.counts(&name)).await
    }

    /// Waits until nothing is left in the queue, visible or not. False when the time is over before.
    pub async fn drained(&self, queue: &str, limit: Duration) -> Result<bool> {
        let live = self.live(queue)?;
        let deadline = Instant::now() + limit;
        loop {
            let left = live.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            let name = live.queue().name.clone();
            if self.with_store(move |store| store.is_empty(&name)).await? {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            // When the time is over, once more: nobody says when a message expires.
            timeout_at(deadline.into(), left).await.ok();
        }
    }
}
