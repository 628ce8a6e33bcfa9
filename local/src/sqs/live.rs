//! A queue while the stack runs: its attributes, and who waits for its messages.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use crate::lock::lock;
use crate::system;
use crate::template::Queue;

#[derive(Debug)]
pub struct LiveQueue {
    attributes: Mutex<Arc<Queue>>,
    /// Seconds since 1970.
    pub created_at: i64,
    modified_at: Mutex<i64>,
    /// A message has come, or may be received earlier than thought.
    pub arrived: Notify,
    /// Messages have gone for good.
    pub left: Notify,
}

impl LiveQueue {
    pub fn new(queue: Queue) -> Self {
        let now = system::now_secs();
        let (arrived, left) = Default::default();
        Self { attributes: Mutex::new(Arc::new(queue)), created_at: now, modified_at: Mutex::new(now), arrived, left }
    }

    /// As the attributes are now.
    pub fn queue(&self) -> Arc<Queue> {
        lock(&self.attributes).clone()
    }

    /// Seconds since 1970.
    pub fn modified_at(&self) -> i64 {
        *lock(&self.modified_at)
    }

    pub fn change(&self, queue: Queue) {
        *lock(&self.attributes) = Arc::new(queue);
        *lock(&self.modified_at) = system::now_secs();
    }
}
