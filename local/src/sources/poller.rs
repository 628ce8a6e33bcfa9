//! An event source mapping at work: it collects a batch, has the function invoked with it, and deletes what is done.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tracing::warn;

use super::event;
use super::tap::{State, Tap};
use super::verdict::Verdict;
use crate::functions::{Functions, Invocation, InvokeError, PAYLOAD_LIMIT};
use crate::logs::Logs;
use crate::sqs::{Received, Sqs, Take, Taken};
use crate::system;
use crate::template::QueueMapping;

/// After the first failed invocation; twice as long after each further one in a row, up to the second.
const BACKOFF: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(5)];
/// Of the event, what stands around the records.
const EVENT_OVERHEAD: usize = 64;
/// When a receive that went wrong is tried again.
const AFTER_AN_ERROR: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Poller {
    pub mapping: QueueMapping,
    pub tap: Tap,
    sqs: Sqs,
    functions: Functions,
    logs: Logs,
    /// One for each invocation at once. A batch is collected only once there is one, so that no message waits unseen.
    slots: Arc<Semaphore>,
    /// Invocations in a row.
    failures: AtomicU32,
}

/// What is collected so far.
#[derive(Default)]
struct Batch {
    /// By number. One whose visibility is over before the window is, is received once more and counts once.
    messages: BTreeMap<i64, Received>,
    bytes: usize,
    deadline: Option<Instant>,
}

impl Poller {
    pub fn new(mapping: QueueMapping, sqs: Sqs, functions: Functions, logs: Logs, max_instances: usize) -> Self {
        let slots = mapping.maximum_concurrency.map_or(max_instances, |most| most.min(max_instances)).max(1);
        let (tap, slots) = (Tap::new(mapping.enabled), Arc::new(Semaphore::new(slots)));
        Self { mapping, tap, sqs, functions, logs, slots, failures: AtomicU32::default() }
    }

    /// Until the tap is closed for good and the batches under way have ended.
    pub async fn run(self: Arc<Self>) {
        let mut under_way = JoinSet::new();
        while let Some(slot) = self.slot().await {
            let batch = self.collect().await;
            if batch.is_empty() {
                break;
            }
            let poller = self.clone();
            under_way.spawn(async move {
                poller.deliver(batch).await;
                drop(slot);
            });
            while under_way.try_join_next().is_some() {}
        }
        while under_way.join_next().await.is_some() {}
    }

    /// Leave for one invocation more, after a rest where the last ones failed. None at the end.
    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        let ready = async {
            let slot = self.slots.clone().acquire_owned().await.ok();
            tokio::time::sleep(backoff(self.failures.load(Ordering::Relaxed))).await;
            slot
        };
        tokio::select! {
            slot = ready => slot,
            () = self.tap.wait_for(|state| *state == State::Ended) => None,
        }
    }

    /// The next batch: full, or with what came until its window was over or the tap was closed. Empty only at the end.
    async fn collect(&self) -> Vec<Received> {
        let mut batch = Batch::default();
        let Ok(live) = self.sqs.live(&self.mapping.queue) else { return Vec::new() };
        loop {
            let arrived = live.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            let Some(taken) = self.receive(&batch).await else {
                if !batch.messages.is_empty() || self.tap.state() == State::Ended {
                    return batch.messages.into_values().collect();
                }
                self.tap.wait_for(|state| *state != State::Paused).await;
                continue;
            };
            let next = taken.next_visible.map(system::instant_at);
            if batch.add(taken, &self.mapping) {
                return batch.messages.into_values().collect();
            }
            let until = [next, batch.deadline].into_iter().flatten().min();
            tokio::select! {
                () = arrived => {}
                () = sleep_until(until) => {}
                () = self.tap.wait_for(|state| *state != State::Open) => {}
            }
        }
    }

    /// None while the tap is closed.
    async fn receive(&self, batch: &Batch) -> Option<Taken> {
        let _receiving = self.tap.receiving().await?;
        let queue = self.sqs.live(&self.mapping.queue).ok()?.queue();
        let take = Take {
            limit: self.mapping.batch_size.saturating_sub(batch.messages.len()),
            visibility: queue.visibility_timeout,
            bytes: PAYLOAD_LIMIT.saturating_sub(EVENT_OVERHEAD + batch.bytes),
            size: event::size,
            at_least_one: batch.messages.is_empty(),
        };
        let taken = self.sqs.take(&queue, take).await;
        Some(taken.unwrap_or_else(|error| {
            warn!(%error, queue = queue.name, "messages not received");
            let again = system::deadline_ms(AFTER_AN_ERROR);
            Taken { next_visible: i64::try_from(again).ok(), ..Taken::default() }
        }))
    }

    /// What is not done stays as visible as it is: the function may have changed when it comes again.
    async fn deliver(&self, messages: Vec<Received>) {
        let Ok(queue) = self.sqs.live(&self.mapping.queue).map(|live| live.queue()) else { return };
        let event = event::of(&messages, &queue.arn);
        let outcome = self.functions.invoke(&self.mapping.function, event.into(), None).await;
        let verdict = self.verdict(&messages, outcome);
        let done: Vec<_> = messages.into_iter().filter(|message| verdict.is_done(&message.message_id)).collect();
        if done.is_empty() {
            return;
        }
        let receipts = done.into_iter().map(|message| (message.id, message.receipt)).collect();
        if let Err(error) = self.sqs.delete_taken(&queue.name, receipts).await {
            warn!(%error, queue = queue.name, "messages not deleted");
        }
    }

    fn verdict(&self, messages: &[Received], outcome: Result<Invocation, InvokeError>) -> Verdict {
        let (why, begun) = match outcome {
            Ok(Invocation { error: None, payload, .. }) => {
                self.failures.store(0, Ordering::Relaxed);
                return match self.mapping.reports_failures {
                    true => {
                        Verdict::of(&payload, &messages.iter().map(|message| message.message_id.as_str()).collect())
                    }
                    false => Verdict::AllDone,
                };
            }
            Ok(Invocation { error: Some(error), .. }) => (format!("{error:?}"), true),
            Err(error) => (error.to_string(), false),
        };
        let QueueMapping { id, function, .. } = &self.mapping;
        self.logs.note(&format!("{id} → {function}: {} messages come again: {why}", messages.len()));
        // With ReportBatchItemFailures, AWS's pollers do not slow down for invocations that fail.
        if !(begun && self.mapping.reports_failures) {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        Verdict::AllFailed
    }
}

impl Batch {
    /// Whether the batch is to be handed over.
    fn add(&mut self, taken: Taken, mapping: &QueueMapping) -> bool {
        self.bytes += taken.messages.iter().map(event::size).sum::<usize>();
        self.messages.extend(taken.messages.into_iter().map(|message| (message.id, message)));
        if self.messages.is_empty() {
            return false;
        }
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + mapping.window);
        taken.full || self.messages.len() >= mapping.batch_size || Instant::now() >= deadline
    }
}

fn backoff(failures: u32) -> Duration {
    let [first, most] = BACKOFF;
    match failures {
        0 => Duration::ZERO,
        count => most.min(first * 2_u32.saturating_pow(count.min(16) - 1)),
    }
}

async fn sleep_until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::event::tests::message;

    #[test]
    fn a_message_received_twice_counts_once_and_by_its_latest_receipt() {
        let mapping = QueueMapping {
            id: String::new(),
            function: String::new(),
            queue: String::new(),
            batch_size: 2,
            window: Duration::from_secs(300),
            reports_failures: false,
            maximum_concurrency: None,
            enabled: true,
        };
        let [old, latest] = [message("m", "{}"), message("m", "{}")];
        let other = Received { id: old.id - 1, ..old.clone() };
        let taken = |message: &Received| Taken { messages: vec![message.clone()], ..Taken::default() };
        let mut batch = Batch::default();
        assert!(!batch.add(taken(&old), &mapping));
        assert!(!batch.add(taken(&latest), &mapping));
        assert!(batch.add(taken(&other), &mapping));
        assert_eq!(batch.messages[&old.id].receipt, latest.receipt);
    }

    #[test]
    fn the_rest_after_failures_doubles_up_to_a_limit() {
        let rests: Vec<u128> = [0, 1, 2, 3, 8, 1_000].map(|failures| backoff(failures).as_millis()).to_vec();
        assert_eq!(rests, [0, 50, 100, 200, 5_000, 5_000]);
    }
}
