//! Faults that a test orders: which calls, what happens to them, how often.

use std::time::Duration;

use serde_json::{Value, json};

use super::Service;

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultAction {
    /// It is refused with an AWS error; nothing is done.
    Refuse { status: u16, code: String, message: String },
    /// It is answered with this JSON; nothing is done.
    Answer { status: u16, body: Value },
    /// It is carried out after this time.
    Delay(Duration),
    /// The connection is closed; nothing is done.
    Drop,
    /// It is carried out, and the connection is closed instead of an answer.
    LoseAnswer,
}

/// A fault and the calls that it hits: those that match everything that is set.
#[derive(Debug, Clone)]
pub struct Fault {
    function: Option<String>,
    service: Option<Service>,
    operation: Option<String>,
    resource: Option<String>,
    times: Option<usize>,
    action: FaultAction,
}

impl Fault {
    /// Hits every call until cleared; narrow it down with the methods below.
    pub fn new(action: FaultAction) -> Self {
        Self { function: None, service: None, operation: None, resource: None, times: None, action }
    }

    pub fn refuse(status: u16, code: &str) -> Self {
        let message = format!("{code}, ordered by a test");
        Self::new(FaultAction::Refuse { status, code: code.to_owned(), message })
    }

    /// DynamoDB's answer where a table gets more than it may.
    pub fn throttle() -> Self {
        Self::refuse(400, "ProvisionedThroughputExceededException").service(Service::DynamoDb)
    }

    /// DynamoDB's answer to a transaction that met another one at its first item.
    pub fn transaction_conflict() -> Self {
        let body = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons \
                        [TransactionConflict, None]",
            "CancellationReasons": [
                {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"},
                {"Code": "None"},
            ],
        });
        let fault = Self::new(FaultAction::Answer { status: 400, body });
        fault.service(Service::DynamoDb).operation("TransactWriteItems")
    }

    pub fn internal_error() -> Self {
        Self::refuse(500, "InternalServerError")
    }

    pub fn delay(time: Duration) -> Self {
        Self::new(FaultAction::Delay(time))
    }

    pub fn drop_connection() -> Self {
        Self::new(FaultAction::Drop)
    }

    pub fn lose_answer() -> Self {
        Self::new(FaultAction::LoseAnswer)
    }

    /// Only calls of this function.
    pub fn function(mut self, function: &str) -> Self {
        self.function = Some(function.to_owned());
        self
    }

    pub fn service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    pub fn operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Only calls that name this table, queue or bucket.
    pub fn resource(mut self, name: &str) -> Self {
        self.resource = Some(name.to_owned());
        self
    }

    /// Only the next `count` matching calls.
    pub fn times(mut self, count: usize) -> Self {
        self.times = Some(count);
        self
    }

    fn matches(&self, function: &str, service: Service, operation: &str, resources: &[String]) -> bool {
        self.times != Some(0)
            && self.function.as_deref().is_none_or(|wanted| wanted == function)
            && self.service.is_none_or(|wanted| wanted == service)
            && self.operation.as_deref().is_none_or(|wanted| wanted == operation)
            && self.resource.as_ref().is_none_or(|wanted| resources.contains(wanted))
    }
}

#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The oldest fault that matches, counted down.
    pub fn take(
        &mut self,
        function: &str,
        service: Service,
        operation: &str,
        resources: &[String],
    ) -> Option<FaultAction> {
        let fault = self.0.iter_mut().find(|fault| fault.matches(function, service, operation, resources))?;
        if let Some(left) = &mut fault.times {
            *left -= 1;
        }
        Some(fault.action.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_only_what_it_names_and_only_so_often() {
        let mut faults = Faults::default();
        faults.add(Fault::throttle().function("a").operation("GetItem").resource("t").times(2));
        let tables = ["t".to_owned()];
        let mut take =
            |function: &str, operation: &str| faults.take(function, Service::DynamoDb, operation, &tables).is_some();
        let hits = [
            take("b", "GetItem"),
            take("a", "PutItem"),
            take("a", "GetItem"),
            take("a", "GetItem"),
            take("a", "GetItem"),
        ];
        assert_eq!(hits, [false, false, true, true, false]);
    }
}
