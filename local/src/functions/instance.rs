//! One instance: a process, its Runtime API, and one event at a time.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::body::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tracing::warn;

use super::pipes::{CurrentRequest, Pipe};
use super::runtime_api::{Event, Outcome, RuntimeApi};
use crate::http::Stopper;
use crate::lock::lock;

/// Lambda's limit for the init phase.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// Between SIGTERM and SIGKILL, as Lambda leaves a function with extensions.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(2);

/// A running instance. Dropped, its process is killed.
#[derive(Debug)]
pub struct Instance {
    pub(super) events: mpsc::Sender<Event>,
    pub(super) api: Arc<RuntimeApi>,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) exit: watch::Receiver<Option<String>>,
    pub(super) pipes: [Pipe; 2],
    pub(super) current: CurrentRequest,
    /// Ends the Runtime API's server with the instance.
    pub(super) _server: Stopper,
}

#[derive(Debug)]
pub enum Order {
    Terminate,
    Kill,
}

/// Why an event has no outcome.
#[derive(Debug)]
pub enum Failure {
    /// The process ended before it took the event: another instance may have it.
    NotTaken(Event),
    /// It ended in the init phase. With what it reported, if anything.
    Init {
        status: String,
        report: Option<Bytes>,
    },
    Crashed {
        status: String,
    },
    TimedOut,
}

impl Instance {
    pub fn is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Waits for the end of the init phase.
    pub async fn ready(&self) -> Result<(), Failure> {
        let mut ready = self.api.ready();
        let status = tokio::select! {
            biased;
            Ok(_) = ready.wait_for(|ready| *ready) => return Ok(()),
            status = self.exited() => status,
            () = tokio::time::sleep(INIT_LIMIT) => format!("no answer within {} s", INIT_LIMIT.as_secs()),
        };
        self.flush_logs().await;
        Err(Failure::Init { status, report: self.api.init_error() })
    }

    /// Hands the event over and waits for its outcome. The logs are complete when it returns.
    pub async fn run(
        &self,
        event: Event,
        outcome: oneshot::Receiver<Outcome>,
        limit: Duration,
    ) -> Result<Outcome, Failure> {
        *lock(&self.current) = Some(event.request_id.clone());
        if let Err(mpsc::error::SendError(event)) = self.events.send(event).await {
            return Err(Failure::NotTaken(event));
        }
        let result = tokio::select! {
            biased;
            Ok(outcome) = outcome => Ok(outcome),
            status = self.exited() => match self.api.take_back().await {
                Some(event) => Err(Failure::NotTaken(event)),
                None => Err(Failure::Crashed { status }),
            },
            () = tokio::time::sleep(limit) => Err(Failure::TimedOut),
        };
        if matches!(result, Err(Failure::TimedOut)) {
            self.kill().await;
        }
        self.flush_logs().await;
        *lock(&self.current) = None;
        result
    }

    pub async fn kill(&self) {
        self.order(Order::Kill).await;
        self.exited().await;
    }

    /// SIGTERM, and SIGKILL for one that does not end.
    pub async fn end(&self) {
        self.order(Order::Terminate).await;
        if timeout(SHUTDOWN_LIMIT, self.exited()).await.is_err() {
            self.kill().await;
        }
        self.flush_logs().await;
    }

    async fn order(&self, order: Order) {
        // An error means that the process has ended already.
        self.orders.send(order).await.ok();
    }

    /// How the process ended, once it has.
    async fn exited(&self) -> String {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(status) => status.clone().unwrap_or_default(),
            Err(_) => "unknown".to_owned(),
        }
    }

    async fn flush_logs(&self) {
        for pipe in &self.pipes {
            pipe.flush().await;
        }
    }
}

/// Owns the process until it has ended, so that no signal can reach a stranger with the same number.
pub async fn supervise(mut child: Child, mut orders: mpsc::Receiver<Order>, exit: watch::Sender<Option<String>>) {
    let mut dropped = false;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            order = orders.recv(), if !dropped => {
                dropped = order.is_none();
                if let Err(error) = signal(&mut child, &order.unwrap_or(Order::Kill)) {
                    warn!(%error, "signal not sent");
                }
            }
        }
    };
    let status = status.map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string());
    exit.send_replace(Some(status));
}

fn signal(child: &mut Child, order: &Order) -> std::io::Result<()> {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    match (order, pid) {
        (Order::Terminate, Some(pid)) => Ok(kill_process(pid, Signal::TERM)?),
        _ => child.start_kill(),
    }
}

/// The marker of the invocation under way, for the pipes of a new instance.
pub fn no_request() -> CurrentRequest {
    Arc::new(Mutex::new(None))
}
