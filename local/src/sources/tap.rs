//! Whether a mapping may receive. Closing it holds for certain: when [`Tap::pause`] returns, no receive is under way.

use tokio::sync::{Mutex, MutexGuard, watch};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Paused,
    /// For good.
    Ended,
}

#[derive(Debug)]
pub struct Tap {
    state: watch::Sender<State>,
    receiving: Mutex<()>,
}

/// Held while messages are received.
pub struct Receiving<'a>(#[expect(dead_code, reason = "what counts is that it is held")] MutexGuard<'a, ()>);

impl Tap {
    pub fn new(open: bool) -> Self {
        let state = if open { State::Open } else { State::Paused };
        Self { state: watch::Sender::new(state), receiving: Mutex::default() }
    }

    pub fn state(&self) -> State {
        *self.state.borrow()
    }

    /// None unless it is open.
    pub async fn receiving(&self) -> Option<Receiving<'_>> {
        let guard = self.receiving.lock().await;
        (self.state() == State::Open).then(|| Receiving(guard))
    }

    pub async fn pause(&self) {
        self.set(State::Paused);
        drop(self.receiving.lock().await);
    }

    pub fn open(&self) {
        self.set(State::Open);
    }

    pub fn end(&self) {
        self.set(State::Ended);
    }

    fn set(&self, state: State) {
        self.state.send_if_modified(|current| {
            let changes = *current != State::Ended && *current != state;
            if changes {
                *current = state;
            }
            changes
        });
    }

    /// Waits for a state that `wanted` accepts; the one that there is counts.
    pub async fn wait_for(&self, wanted: impl FnMut(&State) -> bool) {
        let mut state = self.state.subscribe();
        // The sender lives in `self`, so there is no error.
        state.wait_for(wanted).await.ok();
    }
}
