//! What the functions write: kept line by line for tests, and shown on the terminal for developers.
//!
//! When an invocation's answer is there, its lines are too: an instance's pipes are read to the end before the answer is
//! passed on (see `functions::pipes`).

mod show;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::Notify;

use crate::lock::lock;

pub use show::Echo;

/// Lines kept per stack; older ones are forgotten.
const KEPT_LINES: usize = 50_000;

/// One line of a function's standard output or error.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// [`Function::name`](crate::template::Function::name)
    pub function: Arc<str>,
    /// The invocation under way when it was written; none while the instance starts.
    pub request_id: Option<String>,
    pub text: String,
}

impl LogLine {
    /// The line as JSON, where it is some.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.text).ok()
    }

    /// Whether the line is an embedded metric (EMF) rather than a log entry.
    pub fn is_metric(&self) -> bool {
        self.text.contains("\"_aws\"") && self.json().is_some_and(|json| json.get("_aws").is_some())
    }
}

/// All functions' lines. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Logs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    lines: Mutex<VecDeque<LogLine>>,
    added: Notify,
    echo: Echo,
}

impl Logs {
    pub(crate) fn new(echo: Echo) -> Self {
        Self { inner: Arc::new(Inner { lines: Mutex::default(), added: Notify::new(), echo }) }
    }

    pub(crate) fn push(&self, line: LogLine) {
        self.inner.echo.line(&line);
        let mut lines = lock(&self.inner.lines);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
        drop(lines);
        self.inner.added.notify_waiters();
    }

    /// A line of the stack itself, for the terminal only.
    pub(crate) fn note(&self, text: &str) {
        self.inner.echo.note(text);
    }

    /// All lines of a function, oldest first.
    pub fn of(&self, function: &str) -> Vec<LogLine> {
        lock(&self.inner.lines).iter().filter(|line| *line.function == *function).cloned().collect()
    }

    /// Log entries of a function: lines that are JSON and no metrics.
    pub fn entries(&self, function: &str) -> Vec<Value> {
        self.of(function).iter().filter(|line| !line.is_metric()).filter_map(LogLine::json).collect()
    }

    /// EMF documents of a function.
    pub fn metrics(&self, function: &str) -> Vec<Value> {
        self.of(function).iter().filter(|line| line.is_metric()).filter_map(LogLine::json).collect()
    }

    /// Waits for a line of the function that `wanted` accepts; one that is already there counts.
    pub async fn wait_for(&self, function: &str, wanted: impl Fn(&LogLine) -> bool) -> LogLine {
        loop {
            let added = self.inner.added.notified();
            tokio::pin!(added);
            added.as_mut().enable();
            if let Some(line) = lock(&self.inner.lines).iter().find(|line| *line.function == *function && wanted(line))
            {
                return line.clone();
            }
            added.await;
        }
    }

    pub fn clear(&self) {
        lock(&self.inner.lines).clear();
    }
}
