//! What invokes functions beside HTTP: queues ([`poller`]) and schedules ([`schedules`]).
//!
//! A mapping works on the queue in this process, not through the front: on AWS its calls are Lambda's, not the function's.

mod event;
mod poller;
mod schedules;
mod tap;
mod verdict;

use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;
use tracing::warn;

use poller::Poller;
pub(crate) use schedules::event as event_of;
pub use schedules::{FireError, Schedules};
use tap::Tap;

use crate::functions::Functions;
use crate::lock::lock;
use crate::logs::Logs;
use crate::options::StackOptions;
use crate::sqs::Sqs;
use crate::template::Model;

/// All sources of the stack.
#[derive(Debug)]
pub struct Sources {
    pollers: Vec<Arc<Poller>>,
    schedules: Arc<Tap>,
    /// Taken at the end.
    tasks: Mutex<JoinSet<()>>,
}

impl Sources {
    pub(crate) fn start(model: &Model, sqs: &Sqs, functions: &Functions, logs: &Logs, options: &StackOptions) -> Self {
        let mut tasks = JoinSet::new();
        let poller =
            |mapping| Poller::new(mapping, sqs.clone(), functions.clone(), logs.clone(), options.max_instances);
        let pollers: Vec<_> = model.mappings.iter().cloned().map(poller).map(Arc::new).collect();
        for poller in &pollers {
            tasks.spawn(poller.clone().run());
        }
        let tap = Arc::new(Tap::new(true));
        if options.schedules == Schedules::Running {
            for schedule in model.schedules.iter().filter(|schedule| schedule.enabled) {
                let Some(period) = schedule.period else { continue };
                let (schedule, functions, logs) = (Arc::new(schedule.clone()), functions.clone(), logs.clone());
                let fire = move || schedules::fire(schedule.clone(), functions.clone(), logs.clone());
                tasks.spawn(schedules::run(period, tap.clone(), fire));
            }
        }
        Self { pollers, schedules: tap, tasks: Mutex::new(tasks) }
    }

    /// The function's queues are not received from any more when this returns. Batches under way end.
    pub async fn pause(&self, function: &str) {
        for poller in self.of(function) {
            poller.tap.pause().await;
        }
    }

    /// Also for a mapping that the template disables.
    pub fn resume(&self, function: &str) {
        for poller in self.of(function) {
            poller.tap.open();
        }
    }

    fn of(&self, function: &str) -> impl Iterator<Item = &Arc<Poller>> {
        let pollers: Vec<_> = self.pollers.iter().filter(|poller| poller.mapping.function == function).collect();
        if pollers.is_empty() {
            warn!(function, "no queue invokes this function");
        }
        pollers.into_iter()
    }

    /// Nothing is received or fired any more; what waits for its window goes to the function at once.
    pub(crate) fn stop(&self) -> impl Future<Output = ()> + Send + 'static {
        for poller in &self.pollers {
            poller.tap.end();
        }
        self.schedules.end();
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        async move { while tasks.join_next().await.is_some() {} }
    }
}
