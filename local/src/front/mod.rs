//! The front: one reverse proxy before DynamoDB, SQS, S3 and Secrets Manager. It knows each function by its access key, so it can say
//! which calls a request costs, refuse, delay or drop chosen ones, and refuses what the function's policies don't allow.

mod authorise;
mod backend;
mod body;
mod calls;
mod changes;
mod dice;
mod errors;
mod faults;
mod injected;
mod needs;
mod operation;
mod pattern;
mod permissions;
mod proxy;
mod replica;
mod selection;
mod stale;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

pub use calls::{Call, Calls};
pub use faults::{Fault, FaultAction};
pub use injected::FaultHandle;
pub use permissions::{Denied, Permission, Withheld};
pub use stale::{StaleHandle, StaleReads};

pub(crate) use backend::Backend;
pub(crate) use errors::Refusal;
pub(crate) use proxy::serve;

use crate::dynamodb::DynamoError;
use crate::lock::lock;
use crate::logs::Logs;
use crate::template::{Model, Site};
use injected::{Faults, Hit};
use permissions::Permissions;
use replica::Replica;

/// The caller's name where the key is none of a function: tests and developers.
pub const EVERYBODY_ELSE: &str = "root";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    DynamoDb,
    Sqs,
    S3,
    SecretsManager,
}

/// Calls and faults of the front. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Front {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Who has which access key.
    callers: BTreeMap<String, String>,
    permissions: Arc<Permissions>,
    site: Site,
    /// Refusals are told there.
    logs: Logs,
    calls: Mutex<Vec<Call>>,
    /// Another call has ended.
    ended: Notify,
    faults: Mutex<Faults>,
    latency: Mutex<Duration>,
    /// Where there is a DynamoDB behind it.
    replica: Option<Arc<Replica>>,
}

impl Front {
    /// `callers` maps access keys to functions.
    pub(crate) fn new(
        callers: BTreeMap<String, String>,
        model: &Model,
        site: Site,
        backends: &[Backend],
        logs: Logs,
    ) -> Self {
        let (calls, ended, faults, latency) = Default::default();
        let replica = backends.iter().find_map(Backend::replica).cloned();
        let permissions = Arc::new(Permissions::new(&model.functions, &site));
        Self { inner: Arc::new(Inner { callers, permissions, site, logs, calls, ended, faults, latency, replica }) }
    }

    /// All calls so far that have ended, in the order of their beginning.
    pub fn calls(&self) -> Calls {
        self.calls_that(|_| true)
    }

    /// The same, only those that `wanted` accepts.
    pub fn calls_that(&self, wanted: impl Fn(&Call) -> bool) -> Calls {
        let mut calls: Vec<_> = lock(&self.inner.calls).iter().filter(|call| wanted(call)).cloned().collect();
        calls.sort_by_key(|call| call.start);
        Calls(calls)
    }

    /// Waits for a call that `wanted` accepts to end; one that has ended already counts.
    pub async fn wait_for(&self, wanted: impl Fn(&Call) -> bool) -> Call {
        loop {
            let ended = self.inner.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if let Some(call) = lock(&self.inner.calls).iter().find(|call| wanted(call)) {
                return call.clone();
            }
            ended.await;
        }
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        lock(&self.inner.calls).clear();
    }

    /// Makes every call last this long at least. The APIs answer within a fraction of a millisecond here, so calls that
    /// a function makes at once may not overlap; with 20 ms they do, and [`Calls::depth`] says what it would be on AWS.
    pub fn set_latency(&self, latency: Duration) {
        *lock(&self.inner.latency) = latency;
    }

    /// From now on matching calls meet this fault, until it has happened as often as it says or is removed. Of several,
    /// the oldest that matches and is drawn hits.
    pub fn inject(&self, fault: Fault) -> FaultHandle {
        let (id, tally) = lock(&self.inner.faults).add(fault);
        FaultHandle { front: self.clone(), id, tally }
    }

    pub fn clear_faults(&self) {
        lock(&self.inner.faults).clear();
    }

    /// From now on reads that DynamoDB does not promise to be consistent may give the state of a moment ago, which begins
    /// as what is in the tables now. Other stale reads end. While there are any, writes wait for each other.
    pub async fn stale_reads(&self, reads: StaleReads) -> Result<StaleHandle, DynamoError> {
        self.inner.replica.as_ref().ok_or(DynamoError::Ended)?.begin(reads).await
    }

    /// All reads are consistent again, as they are at the beginning.
    pub fn end_stale_reads(&self) {
        if let Some(replica) = &self.inner.replica {
            replica.end(None);
        }
    }

    fn caller(&self, access_key: &str) -> Option<&str> {
        self.inner.callers.get(access_key).map(String::as_str)
    }

    fn latency(&self) -> Duration {
        *lock(&self.inner.latency)
    }

    fn record(&self, call: Call) {
        lock(&self.inner.calls).push(call);
        self.inner.ended.notify_waiters();
    }

    fn fault(&self, call: &Call) -> Option<Hit> {
        lock(&self.inner.faults).take(call)
    }

    fn remove_fault(&self, id: u64) {
        lock(&self.inner.faults).remove(id);
    }

    /// Of a read that may be.
    async fn is_stale(&self, call: &Call) -> bool {
        match &self.inner.replica {
            Some(replica) => replica.answers(call).await,
            None => false,
        }
    }
}
