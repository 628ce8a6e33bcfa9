//! What was called, and what it cost: number of calls, and their depth.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::{Denied, Permission, Service};

/// A call of an AWS API that has ended.
#[derive(Debug, Clone)]
pub struct Call {
    /// [`Function::name`](crate::template::Function::name), or [`EVERYBODY_ELSE`](super::EVERYBODY_ELSE).
    pub function: String,
    pub service: Service,
    /// As in IAM actions, such as `UpdateItem`, `SendMessage`, `PutObject`.
    pub operation: String,
    /// Tables, the queue's name, the bucket or the secret's ARN, where known.
    pub resources: Vec<String>,
    /// Of a query or scan.
    pub index: Option<String>,
    pub start: Instant,
    pub end: Instant,
    /// None where the connection was dropped, by a fault or by a caller that gave up.
    pub status: Option<u16>,
    /// By a presigned URL: the function signed it, but somebody else calls.
    pub presigned: bool,
    /// Answered with the state of a moment ago, by [`StaleReads`](super::StaleReads).
    pub stale: bool,
    /// What of its function's policies allowed it; nothing for the stack's own key, which may do everything.
    pub permissions: Vec<Arc<Permission>>,
    /// What it was refused for want of.
    pub denied: Option<Denied>,
}

/// Calls in the order of their beginning.
#[derive(Debug, Clone, Default)]
pub struct Calls(pub Vec<Call>);

impl Calls {
    /// The calls that a function made itself.
    pub fn by(&self, function: &str) -> Self {
        self.filtered(|call| call.function == function && !call.presigned)
    }

    pub fn of(&self, service: Service) -> Self {
        self.filtered(|call| call.service == service)
    }

    pub fn named(&self, operation: &str) -> Self {
        self.filtered(|call| call.operation == operation)
    }

    /// Those that the caller's policies did not allow.
    pub fn denied(&self) -> Self {
        self.filtered(|call| call.denied.is_some())
    }

    pub fn filtered(&self, wanted: impl Fn(&Call) -> bool) -> Self {
        Self(self.0.iter().filter(|call| wanted(call)).cloned().collect())
    }

    /// Round trips.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Round trips in sequence: the longest chain of calls that do not overlap. See [`Front::set_latency`](super::Front::set_latency).
    pub fn depth(&self) -> usize {
        // Always the next call that ends first, among those that begin when the last one has ended.
        let mut by_end: Vec<&Call> = self.0.iter().collect();
        by_end.sort_by_key(|call| call.end);
        let mut chain: Vec<&Call> = Vec::new();
        for call in by_end {
            if chain.last().is_none_or(|last| call.start >= last.end) {
                chain.push(call);
            }
        }
        chain.len()
    }

    /// How often each operation was called.
    pub fn operations(&self) -> BTreeMap<&str, usize> {
        let mut operations = BTreeMap::new();
        for call in &self.0 {
            *operations.entry(call.operation.as_str()).or_default() += 1;
        }
        operations
    }
}

#[cfg(test)]
pub mod tests {
    use std::time::Duration;

    use super::*;

    /// Of the table `t`.
    pub fn call(function: &str, operation: &str) -> Call {
        let now = Instant::now();
        Call {
            function: function.to_owned(),
            service: Service::DynamoDb,
            operation: operation.to_owned(),
            resources: vec!["t".to_owned()],
            index: None,
            start: now,
            end: now,
            status: Some(200),
            presigned: false,
            stale: false,
            permissions: Vec::new(),
            denied: None,
        }
    }

    fn calls(spans: &[(u64, u64)]) -> Calls {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let call = |&(start, end): &(u64, u64)| Call { start: at(start), end: at(end), ..call("echo", "GetItem") };
        Calls(spans.iter().map(call).collect())
    }

    #[test]
    fn depth_is_the_longest_chain_without_overlap() {
        let cases: &[(&[(u64, u64)], usize)] = &[
            (&[], 0),
            (&[(0, 10)], 1),
            (&[(0, 10), (5, 12), (1, 20)], 1),
            (&[(0, 10), (10, 20)], 2),
            (&[(0, 30), (0, 10), (11, 20), (21, 29), (31, 40)], 4),
        ];
        for (spans, depth) in cases {
            assert_eq!(calls(spans).depth(), *depth, "{spans:?}");
        }
    }
}
