//! SQS: the operations that are used, by the JSON protocol, on SQLite. Held to AWS's behaviour by `tests/stack/sqs*.rs` through
//! the real SDK. [`Sqs::answer`] takes a request; a file for each family of operations checks it; [`store`] keeps the
//! messages.

mod attributes;
mod batch;
mod checksum;
mod error;
mod internal;
mod live;
mod moves;
mod queues;
mod receive;
mod send;
mod settle;
mod store;
mod take;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use hyper::StatusCode;
use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use checksum::{MessageAttribute, MessageAttributes, of_attributes, of_body};
pub use error::SqsError;
use live::LiveQueue;
use moves::MoveTask;
pub use store::Counts;
pub(crate) use store::Received;
use store::Store;
pub(crate) use take::{Take, Taken};

use crate::front::Service;
use crate::http::{self, Answer};
use crate::lock::lock;
use crate::template::Queue;

type Result<T> = std::result::Result<T, SqsError>;

/// All queues of the stack. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sqs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// By name.
    queues: BTreeMap<String, Arc<LiveQueue>>,
    store: Mutex<Store>,
    /// In the order of their start.
    moves: Mutex<Vec<MoveTask>>,
}

impl Sqs {
    /// The queues of the template, their messages in the file or in memory.
    pub fn open(file: Option<&Path>, queues: &[Queue]) -> rusqlite::Result<Self> {
        let queues = queues.iter().map(|queue| (queue.name.clone(), Arc::new(LiveQueue::new(queue.clone())))).collect();
        let inner = Inner { queues, store: Mutex::new(Store::open(file)?), moves: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub async fn answer(&self, operation: &str, body: &Bytes) -> Answer {
        match self.dispatch(operation, body).await {
            Ok(Value::Null) => http::answer(StatusCode::OK, "application/x-amz-json-1.0", "{}"),
            Ok(value) => http::answer(StatusCode::OK, "application/x-amz-json-1.0", value.to_string()),
            Err(error) => error.refusal().answer(Service::Sqs),
        }
    }

    async fn dispatch(&self, operation: &str, body: &Bytes) -> Result<Value> {
        match operation {
            "GetQueueUrl" => self.queue_url(parse(body)?),
            "ListQueues" => self.list_queues(parse(body)?),
            "ListDeadLetterSourceQueues" => self.list_sources(parse(body)?),
            "GetQueueAttributes" => self.queue_attributes(parse(body)?).await,
            "SetQueueAttributes" => self.set_attributes(parse(body)?).await,
            "PurgeQueue" => self.purge(parse(body)?).await,
            "SendMessage" => self.send(parse(body)?).await,
            "SendMessageBatch" => self.send_batch(parse(body)?).await,
            "ReceiveMessage" => self.receive(parse(body)?).await,
            "DeleteMessage" => self.delete(parse(body)?).await,
            "DeleteMessageBatch" => self.delete_batch(parse(body)?).await,
            "ChangeMessageVisibility" => self.change_visibility(parse(body)?).await,
            "ChangeMessageVisibilityBatch" => self.change_visibility_batch(parse(body)?).await,
            "StartMessageMoveTask" => self.start_move(parse(body)?).await,
            "ListMessageMoveTasks" => self.list_moves(&parse(body)?),
            "CancelMessageMoveTask" => self.cancel_move(&parse(body)?),
            _ => Err(SqsError::UnsupportedOperation(operation.to_owned())),
        }
    }

    /// By name or URL.
    pub(crate) fn live(&self, url: &str) -> Result<&Arc<LiveQueue>> {
        let name = url.rsplit('/').next().unwrap_or_default();
        self.inner.queues.get(name).ok_or(SqsError::QueueDoesNotExist)
    }

    fn queue(&self, url: &str) -> Result<Arc<Queue>> {
        self.live(url).map(|live| live.queue())
    }

    fn by_arn(&self, arn: &str) -> Option<&Arc<LiveQueue>> {
        self.inner.queues.values().find(|live| live.queue().arn == arn)
    }

    /// SQLite blocks, so it has a thread of its own while it works.
    async fn with_store<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    {
        let inner = self.inner.clone();
        let done = tokio::task::spawn_blocking(move || work(&mut lock(&inner.store))).await;
        match done {
            Ok(result) => result.map_err(|error| SqsError::Internal(error.to_string())),
            Err(error) => Err(SqsError::Internal(error.to_string())),
        }
    }
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| SqsError::InvalidParameter(error.to_string()))
}
