//! Which calls a fault or a stale read is meant for.

use super::{Call, Service};

/// The calls that match everything that is set.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub function: Option<String>,
    pub service: Option<Service>,
    /// Any of them; all where it is empty.
    pub operations: Vec<String>,
    pub resource: Option<String>,
    pub index: Option<String>,
}

impl Selection {
    pub fn matches(&self, call: &Call) -> bool {
        self.function.as_ref().is_none_or(|wanted| *wanted == call.function)
            && self.service.is_none_or(|wanted| wanted == call.service)
            && (self.operations.is_empty() || self.operations.contains(&call.operation))
            && self.resource.as_ref().is_none_or(|wanted| call.resources.contains(wanted))
            && (self.index.is_none() || self.index == call.index)
    }
}
