//! Log lines for tests to read.

use std::sync::{Arc, LazyLock, Mutex};

use serde_json::Value;
use tracing::Dispatch;

use super::subscriber;

/// Keeps what is logged by whom it is set for: see [`CapturedLogs::dispatch`].
pub struct CapturedLogs {
    written: Arc<Mutex<Vec<u8>>>,
    dispatch: Dispatch,
}

/// While there is but one dispatcher, a span or an event that any thread comes to first is off for all threads if that
/// thread has no dispatcher, which tests beside this one have not. With these there are always more, and all are asked.
static OTHERS: LazyLock<[Dispatch; 2]> = LazyLock::new(|| [silent(), silent()]);

fn silent() -> Dispatch {
    Dispatch::new(subscriber("start-session", "error", |_: &[u8]| {}))
}

impl CapturedLogs {
    /// What start-session logs at `log_level`.
    pub fn new(log_level: &str) -> Self {
        LazyLock::force(&OTHERS);
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = written.clone();
        let write = move |line: &[u8]| sink.lock().unwrap().extend_from_slice(line);
        Self { written, dispatch: Dispatch::new(subscriber("start-session", log_level, write)) }
    }

    /// To be made the default of the work whose lines are wanted.
    pub fn dispatch(&self) -> Dispatch {
        self.dispatch.clone()
    }

    /// The lines until now.
    pub fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.written.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
