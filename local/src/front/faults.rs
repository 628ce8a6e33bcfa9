//! Faults that a test orders: which calls, what happens to them, how often.

use std::time::Duration;

use serde_json::{Value, json};

use super::Service;
use super::dice::Chance;
use super::selection::Selection;

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultAction {
    /// It is refused with an AWS error; nothing is done.
    Refuse { status: u16, code: String, message: String },
    /// It is answered with this JSON; nothing is done.
    Answer { status: u16, body: Value },
    /// It is carried out after a time between these two.
    Delay { min: Duration, max: Duration },
    /// The connection is closed; nothing is done.
    Drop,
    /// It is carried out, and the connection is closed instead of an answer.
    LoseAnswer,
}

/// A fault and the calls that it hits: those that match everything that is set, or the share of them that is drawn.
#[derive(Debug, Clone)]
pub struct Fault {
    pub(super) selection: Selection,
    pub(super) times: Option<usize>,
    pub(super) chance: Chance,
    pub(super) action: FaultAction,
}

impl Fault {
    /// Hits every call until cleared; narrow it down with the methods below.
    pub fn new(action: FaultAction) -> Self {
        Self { selection: Selection::default(), times: None, chance: Chance::default(), action }
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

    /// DynamoDB's answer to the write of a single item that a transaction is at work on. Hits `PutItem`, `UpdateItem`
    /// and `DeleteItem` unless one of them is named.
    pub fn write_conflict() -> Self {
        let mut fault = Self::new(FaultAction::Refuse {
            status: 400,
            code: "TransactionConflictException".to_owned(),
            message: "Transaction is ongoing for the item".to_owned(),
        });
        fault.selection.operations = ["PutItem", "UpdateItem", "DeleteItem"].map(str::to_owned).to_vec();
        fault.service(Service::DynamoDb)
    }

    pub fn internal_error() -> Self {
        Self::refuse(500, "InternalServerError")
    }

    pub fn delay(time: Duration) -> Self {
        Self::delay_between(time, time)
    }

    /// Each call's own time is drawn from the seed, evenly.
    pub fn delay_between(min: Duration, max: Duration) -> Self {
        Self::new(FaultAction::Delay { min, max })
    }

    pub fn drop_connection() -> Self {
        Self::new(FaultAction::Drop)
    }

    pub fn lose_answer() -> Self {
        Self::new(FaultAction::LoseAnswer)
    }

    /// Only calls of this function.
    pub fn function(mut self, function: &str) -> Self {
        self.selection.function = Some(function.to_owned());
        self
    }

    pub fn service(mut self, service: Service) -> Self {
        self.selection.service = Some(service);
        self
    }

    pub fn operation(mut self, operation: &str) -> Self {
        self.selection.operations = vec![operation.to_owned()];
        self
    }

    /// Only calls that name this table, queue or bucket.
    pub fn resource(mut self, name: &str) -> Self {
        self.selection.resource = Some(name.to_owned());
        self
    }

    /// Only the first `count` calls that it would hit.
    pub fn times(mut self, count: usize) -> Self {
        self.times = Some(count);
        self
    }

    /// Only this share of the matching calls, 0 to 1, drawn one by one in the order in which they come.
    pub fn rate(mut self, share: f64) -> Self {
        self.chance.share = share;
        self
    }

    /// Decides which of the matching calls are hit where there is a [`rate`](Self::rate), and every length of
    /// [`delay_between`](Self::delay_between). 0 unless said otherwise. Different faults may share a seed and still draw
    /// apart; the same fault draws the same again.
    pub fn seed(mut self, seed: u64) -> Self {
        self.chance.seed = seed;
        self
    }
}
