//! Stale reads that a test orders: which reads, how far they lag, how often.

use std::sync::Arc;
use std::time::Duration;

use super::dice::{Chance, Tally};
use super::replica::Replica;
use super::selection::Selection;

/// Reads that give the state of a moment ago, as DynamoDB may for whatever is read without `ConsistentRead`: `GetItem`,
/// `BatchGetItem`, `Query` and `Scan`, of tables and of indexes. A transaction and a consistent read are never stale; nor is
/// a `BatchGetItem` that reads any of its tables consistently, a table made since, or anything by PartiQL.
///
/// An item whose time to live is over stays in the past until it is written again; DynamoDB too promises no time for it.
#[derive(Debug, Clone)]
pub struct StaleReads {
    pub(super) selection: Selection,
    pub(super) lag: Duration,
    pub(super) chance: Chance,
}

impl StaleReads {
    /// A stale read sees what was written this long ago or longer. Hits every read that it may; narrow it down with the
    /// methods below.
    pub fn lag(lag: Duration) -> Self {
        Self { selection: Selection::default(), lag, chance: Chance::default() }
    }

    /// A stale read sees the state of the moment at which this begins, until [`StaleHandle::release`].
    pub fn frozen() -> Self {
        Self::lag(Duration::MAX)
    }

    /// Only reads of this function.
    pub fn function(mut self, function: &str) -> Self {
        self.selection.function = Some(function.to_owned());
        self
    }

    pub fn operation(mut self, operation: &str) -> Self {
        self.selection.operations = vec![operation.to_owned()];
        self
    }

    /// Only reads that name this table.
    pub fn resource(mut self, table: &str) -> Self {
        self.selection.resource = Some(table.to_owned());
        self
    }

    /// Only reads of this index.
    pub fn index(mut self, index: &str) -> Self {
        self.selection.index = Some(index.to_owned());
        self
    }

    /// Only this share of these reads, 0 to 1, drawn one by one in the order in which they come.
    pub fn rate(mut self, share: f64) -> Self {
        self.chance.share = share;
        self
    }

    /// Decides which of them where there is a rate. 0 unless said otherwise.
    pub fn seed(mut self, seed: u64) -> Self {
        self.chance.seed = seed;
        self
    }
}

/// Stale reads in force. They stay when the handle goes.
#[derive(Debug, Clone)]
pub struct StaleHandle {
    pub(super) replica: Arc<Replica>,
    pub(super) id: u64,
    pub(super) tally: Tally,
}

impl StaleHandle {
    /// How many reads were answered from the past, whether or not anything had changed since.
    pub fn hits(&self) -> usize {
        self.tally.hits()
    }

    /// How many reads it was drawn for.
    pub fn matched(&self) -> usize {
        self.tally.matched()
    }

    /// Stale reads see all that has been written so far. What is written from now on waits again: for the lag, or where
    /// they are frozen for the next release.
    pub async fn release(&self) {
        Replica::release(&self.replica, self.id).await;
    }

    /// All reads are consistent again.
    pub fn end(&self) {
        self.replica.end(Some(self.id));
    }
}
