//! The front: one reverse proxy before DynamoDB, SQS and S3. It knows each function by its access key, so it can say
//! which calls a request costs, refuse, delay or drop chosen ones, and is where permissions are checked.

mod backend;
mod calls;
mod errors;
mod faults;
mod operation;
mod proxy;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

pub use calls::{Call, Calls};
pub use faults::{Fault, FaultAction};

pub(crate) use backend::Backend;
pub(crate) use errors::Refusal;
pub(crate) use proxy::serve;

use crate::lock::lock;
use faults::Faults;

/// The caller's name where the key is none of a function: tests and developers.
pub const EVERYBODY_ELSE: &str = "root";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    DynamoDb,
    Sqs,
    S3,
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
    calls: Mutex<Vec<Call>>,
    /// Another call has ended.
    ended: Notify,
    faults: Mutex<Faults>,
    latency: Mutex<Duration>,
}

impl Front {
    /// `callers` maps access keys to functions.
    pub(crate) fn new(callers: BTreeMap<String, String>) -> Self {
        let (calls, ended, faults, latency) = Default::default();
        Self { inner: Arc::new(Inner { callers, calls, ended, faults, latency }) }
    }

    /// All calls so far that have ended, in the order of their beginning.
    pub fn calls(&self) -> Calls {
        let mut calls = lock(&self.inner.calls).clone();
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

    /// From now on matching calls meet this fault, until it has happened as often as it says or is cleared.
    pub fn inject(&self, fault: Fault) {
        lock(&self.inner.faults).add(fault);
    }

    pub fn clear_faults(&self) {
        lock(&self.inner.faults).clear();
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

    fn fault(&self, function: &str, service: Service, operation: &str, resources: &[String]) -> Option<FaultAction> {
        lock(&self.inner.faults).take(function, service, operation, resources)
    }
}
