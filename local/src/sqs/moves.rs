//! Message move tasks: dead letters go back to where they came from, or elsewhere. Tasks are forgotten with the stack.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html>

use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use super::batch::in_range;
use super::store::Moved;
use super::{Result, Sqs, SqsError};
use crate::lock::lock;
use crate::system;

/// Messages per second, where a request asks for a rate at all.
const MAX_RATE: u32 = 500;
/// Messages in one step where it does not.
const STEP: usize = 100;
/// Tasks in one answer.
const MAX_LISTED: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartMove {
    source_arn: String,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListMoves {
    source_arn: String,
    max_results: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CancelMove {
    task_handle: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Running,
    Completed,
    Cancelling,
    Cancelled,
    Failed,
}

#[derive(Debug, Clone)]
pub struct MoveTask {
    handle: String,
    source_arn: String,
    destination_arn: Option<String>,
    /// Messages per second.
    rate: Option<u32>,
    status: Status,
    moved: usize,
    to_move: usize,
    failure: Option<&'static str>,
    /// Milliseconds since 1970.
    started_at: i64,
    cancelled: Arc<Notify>,
}

impl MoveTask {
    fn is_active(&self) -> bool {
        matches!(self.status, Status::Running | Status::Cancelling)
    }
}

impl Sqs {
    pub async fn start_move(&self, request: StartMove) -> Result<Value> {
        let source = self.by_arn(&request.source_arn).ok_or(SqsError::ResourceNotFound("SourceArn"))?.queue();
        if self.sources_of(&source.arn).is_empty() {
            let problem = "Source queue must be configured as a Dead Letter Queue.";
            return Err(SqsError::InvalidParameter(problem.to_owned()));
        }
        if let Some(destination) = &request.destination_arn {
            self.by_arn(destination).ok_or(SqsError::ResourceNotFound("DestinationArn"))?;
        }
        if let Some(rate) = request.max_number_of_messages_per_second {
            in_range("MaxNumberOfMessagesPerSecond", rate, 1, MAX_RATE)?;
        }
        let to_move = usize::try_from(self.counts(&source.name).await?.visible).unwrap_or(0);
        let handle = json!({"taskId": system::new_id(), "sourceArn": source.arn}).to_string();
        let task = MoveTask {
            handle: BASE64_STANDARD.encode(handle),
            source_arn: request.source_arn,
            destination_arn: request.destination_arn,
            rate: request.max_number_of_messages_per_second,
            status: Status::Running,
            moved: 0,
            to_move,
            failure: None,
            started_at: system::now_ms(),
            cancelled: Arc::default(),
        };
        let handle = task.handle.clone();
        self.add_move(&task)?;
        let sqs = self.clone();
        tokio::spawn(async move { sqs.run_move(task).await });
        Ok(json!({"TaskHandle": handle}))
    }

    fn add_move(&self, task: &MoveTask) -> Result<()> {
        let mut moves = lock(&self.inner.moves);
        if moves.iter().any(|other| other.source_arn == task.source_arn && other.is_active()) {
            let problem = "There is already a task running. Only one active task is allowed for a source queue arn at a given time.";
            return Err(SqsError::InvalidParameter(problem.to_owned()));
        }
        moves.push(task.clone());
        Ok(())
    }

    /// The newest first.
    pub fn list_moves(&self, request: &ListMoves) -> Result<Value> {
        let limit = in_range("MaxResults", request.max_results.unwrap_or(1), 1, MAX_LISTED)?;
        self.by_arn(&request.source_arn).ok_or(SqsError::ResourceNotFound("SourceArn"))?;
        let moves = lock(&self.inner.moves);
        let of_source = moves.iter().rev().filter(|task| task.source_arn == request.source_arn);
        Ok(json!({"Results": of_source.take(limit).map(listed).collect::<Vec<_>>()}))
    }

    pub fn cancel_move(&self, request: &CancelMove) -> Result<Value> {
        let invalid = || SqsError::InvalidParameter("Value for parameter TaskHandle is invalid.".to_owned());
        let handle = BASE64_STANDARD.decode(&request.task_handle).map_err(|_| invalid())?;
        serde_json::from_slice::<Value>(&handle).map_err(|_| invalid())?;
        let mut moves = lock(&self.inner.moves);
        let task = moves.iter_mut().find(|task| task.handle == request.task_handle);
        let task = task.ok_or(SqsError::NoSuchTask)?;
        if task.status != Status::Running {
            return Err(SqsError::InvalidParameter("Only active tasks can be cancelled.".to_owned()));
        }
        task.status = Status::Cancelling;
        task.cancelled.notify_one();
        Ok(json!({"ApproximateNumberOfMessagesMoved": task.moved}))
    }

    /// Moves as many messages as were visible at the start, as fast as the task may.
    async fn run_move(&self, task: MoveTask) {
        let (pace, step) = match task.rate {
            Some(rate) => (Duration::from_secs(1) / rate, 1),
            None => (Duration::from_micros(1), STEP),
        };
        let mut ticks = tokio::time::interval(pace);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut moved = 0;
        let (status, failure) = loop {
            if moved >= task.to_move {
                break (Status::Completed, None);
            }
            tokio::select! {
                biased;
                () = task.cancelled.notified() => break (Status::Cancelled, None),
                _ = ticks.tick() => {}
            }
            let Ok(step) = self.move_some(&task, step.min(task.to_move - moved)).await else {
                break (Status::Failed, Some("InternalError"));
            };
            moved += step.count;
            self.change_move(&task.handle, |task| task.moved = moved);
            if step.lost {
                break (Status::Failed, Some("CouldNotDetermineMessageSource"));
            }
            // Those that are left are in flight; whoever has them may still settle them.
            if step.count == 0 {
                break (Status::Completed, None);
            }
        };
        self.change_move(&task.handle, |task| (task.status, task.failure) = (status, failure));
    }

    async fn move_some(&self, task: &MoveTask, limit: usize) -> Result<Moved> {
        let source = self.by_arn(&task.source_arn).ok_or(SqsError::QueueDoesNotExist)?;
        let queues: Vec<_> = self.inner.queues.values().map(|live| live.queue()).collect();
        let (name, destination) = (source.queue().name.clone(), task.destination_arn.clone());
        let find = move |message_source: Option<&str>| {
            let arn = destination.as_deref().or(message_source)?;
            queues.iter().find(|queue| queue.arn == arn).cloned()
        };
        let moved = self.with_store(move |store| store.move_visible(&name, limit, &find)).await?;
        for queue in &moved.destinations {
            self.live(queue)?.arrived.notify_waiters();
        }
        source.left.notify_waiters();
        Ok(moved)
    }

    fn change_move(&self, handle: &str, change: impl FnOnce(&mut MoveTask)) {
        if let Some(task) = lock(&self.inner.moves).iter_mut().find(|task| task.handle == handle) {
            change(task);
        }
    }
}

fn listed(task: &MoveTask) -> Value {
    let status = match task.status {
        Status::Running => "RUNNING",
        Status::Completed => "COMPLETED",
        Status::Cancelling => "CANCELLING",
        Status::Cancelled => "CANCELLED",
        Status::Failed => "FAILED",
    };
    let mut listed = json!({
        "Status": status,
        "SourceArn": task.source_arn,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "StartedTimestamp": task.started_at,
    });
    // A task that cannot be cancelled any more needs no handle.
    let handle = (task.status == Status::Running).then(|| json!(task.handle));
    let optional = [
        ("TaskHandle", handle),
        ("DestinationArn", task.destination_arn.as_ref().map(|arn| json!(arn))),
        ("MaxNumberOfMessagesPerSecond", task.rate.map(|rate| json!(rate))),
        ("FailureReason", task.failure.map(|failure| json!(failure))),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            listed[name] = value;
        }
    }
    listed
}
