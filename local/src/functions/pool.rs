//! A function's instances: as many as calls overlap, up to the local cap; each takes one event at a time.

use std::sync::{Arc, Mutex, Weak};

use hyper::body::Bytes;
use serde_json::json;
use tokio::sync::{Semaphore, oneshot};

use super::instance::{Failure, Instance};
use super::launcher::Launcher;
use super::runtime_api::{Event, Outcome};
use super::{FunctionError, Invocation, InvokeError, PAYLOAD_LIMIT};
use crate::lock::lock;
use crate::system;
use crate::template::Function;

#[derive(Debug)]
pub struct Pool {
    function: Function,
    launcher: Arc<Launcher>,
    /// Calls beyond wait: a laptop has fewer cores than Lambda has instances.
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Arc<Instance>>,
    /// Every instance that may still run, for those who end them.
    all: Vec<Weak<Instance>>,
    in_flight: usize,
    /// Instances of an older build do not come back from their invocation.
    build: u64,
}

/// A checked-out instance, and whether it was started for this call.
struct Checkout {
    instance: Arc<Instance>,
    build: u64,
    cold: bool,
}

impl Pool {
    pub fn new(function: Function, launcher: Arc<Launcher>, max_instances: usize) -> Self {
        Self { function, launcher, permits: Semaphore::new(max_instances.max(1)), state: Mutex::default() }
    }

    pub async fn invoke(&self, payload: Bytes, trace: Option<String>) -> Result<Invocation, InvokeError> {
        if payload.len() > PAYLOAD_LIMIT {
            return Err(InvokeError::EventTooLarge);
        }
        let _in_flight = self.begin()?;
        let _permit = self.permits.acquire().await.map_err(|_| InvokeError::Ending)?;
        let request_id = system::new_id().to_string();
        let trace = trace.unwrap_or_else(|| format!("Root={}", system::trace_root()));
        let (outcome, mut waiting) = oneshot::channel();
        let mut event = Event {
            request_id: request_id.clone(),
            payload,
            deadline_ms: 0,
            function_arn: self.launcher.arn(&self.function),
            trace,
            outcome,
        };
        loop {
            let checkout = self.check_out().await?;
            let cold = checkout.cold;
            if let Err(failure) = checkout.instance.ready().await {
                checkout.instance.kill().await;
                return Ok(failed(request_id, failure, &self.function, cold));
            }
            event.deadline_ms = system::deadline_ms(self.function.timeout);
            match checkout.instance.run(event, waiting, self.function.timeout).await {
                Ok(outcome) => {
                    self.check_in(checkout).await;
                    return Ok(finished(request_id, outcome, cold));
                }
                // It ended while it was idle; nothing has happened yet.
                Err(Failure::NotTaken(returned)) => {
                    (event, waiting) = renewed(returned);
                }
                Err(failure) => return Ok(failed(request_id, failure, &self.function, cold)),
            }
        }
    }

    /// Counts the call, or throttles it where the reserved concurrency is used up.
    fn begin(&self) -> Result<InFlight<'_>, InvokeError> {
        let mut state = lock(&self.state);
        if self.function.reserved_concurrency.is_some_and(|reserved| state.in_flight >= reserved) {
            return Err(InvokeError::Throttled);
        }
        state.in_flight += 1;
        Ok(InFlight(&self.state))
    }

    async fn check_out(&self) -> Result<Checkout, InvokeError> {
        let build = {
            let mut state = lock(&self.state);
            while let Some(instance) = state.idle.pop() {
                if instance.is_alive() {
                    return Ok(Checkout { instance, build: state.build, cold: false });
                }
            }
            state.build
        };
        let instance = Arc::new(self.launcher.start(&self.function).await?);
        let mut state = lock(&self.state);
        state.all.retain(|instance| instance.strong_count() > 0);
        state.all.push(Arc::downgrade(&instance));
        Ok(Checkout { instance, build, cold: true })
    }

    async fn check_in(&self, checkout: Checkout) {
        let outdated = {
            let mut state = lock(&self.state);
            let outdated = state.build != checkout.build || self.permits.is_closed();
            if !outdated {
                state.idle.push(checkout.instance.clone());
            }
            outdated
        };
        if outdated {
            checkout.instance.end().await;
        }
    }

    pub async fn kill(&self) {
        lock(&self.state).idle.clear();
        for instance in self.running() {
            instance.kill().await;
        }
    }

    pub async fn replace(&self) {
        let idle = {
            let mut state = lock(&self.state);
            state.build += 1;
            std::mem::take(&mut state.idle)
        };
        futures::future::join_all(idle.iter().map(|instance| instance.end())).await;
    }

    pub async fn end(&self) {
        self.permits.close();
        futures::future::join_all(self.running().iter().map(|instance| instance.end())).await;
        lock(&self.state).idle.clear();
    }

    fn running(&self) -> Vec<Arc<Instance>> {
        lock(&self.state).all.iter().filter_map(Weak::upgrade).collect()
    }
}

/// A call that counts towards the reserved concurrency.
struct InFlight<'a>(&'a Mutex<State>);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        lock(self.0).in_flight -= 1;
    }
}

/// The event with a new way for its outcome.
fn renewed(event: Event) -> (Event, oneshot::Receiver<Outcome>) {
    let (outcome, waiting) = oneshot::channel();
    (Event { outcome, ..event }, waiting)
}

fn finished(request_id: String, outcome: Outcome, cold: bool) -> Invocation {
    let (payload, error) = match outcome {
        Outcome::Answer(payload) => (payload, None),
        Outcome::Error(payload) => (payload, Some(FunctionError::Reported)),
        Outcome::AnswerTooLarge => {
            let message =
                format!("Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes).");
            (error_payload("Function.ResponseSizeTooLarge", &message), Some(FunctionError::AnswerTooLarge))
        }
    };
    Invocation { request_id, payload, error, cold }
}

fn failed(request_id: String, failure: Failure, function: &Function, cold: bool) -> Invocation {
    let exited = |status: &str| {
        error_payload(
            "Runtime.ExitError",
            &format!("RequestId: {request_id} Error: Runtime exited with error: {status}"),
        )
    };
    let (payload, error) = match failure {
        Failure::Init { status, report } => (report.unwrap_or_else(|| exited(&status)), FunctionError::Init),
        Failure::Crashed { status } => (exited(&status), FunctionError::Crashed),
        Failure::NotTaken(_) => (exited("before it took the event"), FunctionError::Crashed),
        Failure::TimedOut => {
            let message = format!("{request_id} Task timed out after {:.2} seconds", function.timeout.as_secs_f64());
            (error_payload("Sandbox.Timedout", &message), FunctionError::TimedOut)
        }
    };
    Invocation { request_id, payload, error: Some(error), cold }
}

fn error_payload(kind: &str, message: &str) -> Bytes {
    json!({"errorType": kind, "errorMessage": message}).to_string().into()
}
