//! Lambda: the real binaries, each instance a process of its own that asks the Runtime API for work.
//!
//! [`Functions::invoke`] → [`pool::Pool`] (an idle instance, a new one, or a throttle) → [`instance::Instance`] (process,
//! time limit) → [`runtime_api`] (what the process sees).

mod build;
mod environment;
mod group;
mod instance;
mod launcher;
mod pipes;
mod pool;
mod runtime_api;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::body::Bytes;
use tokio::task::JoinSet;

pub use build::{Binaries, BuildError, build};
pub use environment::{Credentials, Endpoints};
pub(crate) use group::ProcessGroup;
pub(crate) use launcher::Launcher;
use pool::Pool;

use crate::template::Function;

/// Lambda's limit for an event and for an answer, as serialised JSON.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const PAYLOAD_LIMIT: usize = 6_291_456;

/// What an invocation gave, as Lambda's `Invoke` would answer.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub request_id: String,
    /// The function's answer, or `{"errorType", "errorMessage"}` where `error` is set.
    pub payload: Bytes,
    pub error: Option<FunctionError>,
    /// Whether an instance was started for it.
    pub cold: bool,
}

/// How an invocation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionError {
    /// The function reported an error.
    Reported,
    /// It did not get as far as asking for events.
    Init,
    /// Its process ended meanwhile.
    Crashed,
    TimedOut,
    /// The answer is over [`PAYLOAD_LIMIT`].
    AnswerTooLarge,
}

/// Why an invocation was not begun.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    #[error("there is no function {0}")]
    Unknown(String),
    #[error("the event is over {PAYLOAD_LIMIT} bytes")]
    EventTooLarge,
    #[error("the reserved concurrency is used up")]
    Throttled,
    #[error("{binary} cannot be started: {source}")]
    Start { binary: PathBuf, source: std::io::Error },
    #[error("the stack is ending")]
    Ending,
}

/// All functions of the stack. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Functions {
    pools: Arc<BTreeMap<String, Arc<Pool>>>,
}

impl Functions {
    pub(crate) fn new(functions: &[Function], launcher: &Arc<Launcher>, max_instances: usize) -> Self {
        let pool = |function: &Function| {
            (function.name.clone(), Arc::new(Pool::new(function.clone(), launcher.clone(), max_instances)))
        };
        Self { pools: Arc::new(functions.iter().map(pool).collect()) }
    }

    /// Invokes a function by its [`Function::name`]. Goes on when the caller loses interest, as on Lambda.
    pub async fn invoke(&self, function: &str, event: Bytes, trace: Option<String>) -> Result<Invocation, InvokeError> {
        let pool = self.pools.get(function).ok_or_else(|| InvokeError::Unknown(function.to_owned()))?.clone();
        let invocation = tokio::spawn(async move { pool.invoke(event, trace).await });
        invocation.await.unwrap_or(Err(InvokeError::Ending))
    }

    /// Kills the instances of a function, whatever they do.
    pub async fn kill(&self, function: &str) {
        if let Some(pool) = self.pools.get(function) {
            pool.kill().await;
        }
    }

    /// Ends idle instances at once and busy ones after their invocation, so that the next call meets a new build.
    pub async fn replace(&self) {
        self.on_all(|pool| async move { pool.replace().await }).await;
    }

    /// Takes no further invocation, asks every instance to end, and kills those that do not.
    pub(crate) async fn end(&self) {
        self.on_all(|pool| async move { pool.end().await }).await;
    }

    async fn on_all<F: Future<Output = ()> + Send + 'static>(&self, action: impl Fn(Arc<Pool>) -> F) {
        let mut tasks: JoinSet<()> = self.pools.values().cloned().map(action).collect();
        while tasks.join_next().await.is_some() {}
    }
}
