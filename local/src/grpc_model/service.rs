//! The service itself: answers as it is told, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use prediction::prediction_service_server::PredictionService;
use prediction::{BatchRulRequest, BatchRulResponse, RulRequest, RulResponse};
use shared::domain::engine::{MAX_READINGS, Reading, in_order};
use tonic::{Code, Request, Response, Status, async_trait};

use super::line::Line;
use super::{Asked, ModelFn, Prediction, Reply};
use crate::lock::lock;

/// What calls and tests share.
#[derive(Debug)]
pub struct Desk {
    model: ModelFn,
    replies: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
}

impl Desk {
    pub fn new(model: ModelFn) -> Self {
        Self { model, replies: Mutex::default(), asked: Mutex::default() }
    }

    pub fn set(&self, replies: impl IntoIterator<Item = Reply>) {
        *lock(&self.replies) = replies.into_iter().collect();
    }

    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.asked).clone()
    }

    fn note<T>(&self, request: &Request<T>, engines: Vec<String>) -> Reply {
        let timeout = request.metadata().get("grpc-timeout").and_then(|value| value.to_str().ok()).map(str::to_owned);
        lock(&self.asked).push(Asked { at: Instant::now(), engines, timeout });
        let mut replies = lock(&self.replies);
        let next = if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() };
        next.unwrap_or(Reply::Right)
    }

    fn predict(&self, request: &RulRequest) -> Result<RulResponse, Status> {
        let history: Vec<Reading> = request.sensor_data.iter().map(Into::into).collect();
        if history.is_empty() || history.len() > MAX_READINGS {
            return Err(Status::invalid_argument(format!("sensor_data must hold 1 to {MAX_READINGS} readings")));
        }
        in_order(&history).map_err(|_| Status::invalid_argument("sensor_data must be in the order of its cycles"))?;
        Ok(response((self.model.0)(&history)))
    }
}

fn response(prediction: Prediction) -> RulResponse {
    let Prediction { rul, confidence, version } = prediction;
    RulResponse { predicted_rul: rul, confidence, model_version: version }
}

/// A connection's way to the desk.
#[derive(Debug)]
pub struct Service {
    desk: Arc<Desk>,
    line: Arc<Line>,
}

impl Service {
    pub fn new(desk: Arc<Desk>, line: Arc<Line>) -> Self {
        Self { desk, line }
    }

    /// One response a request, but for what the reply has gone wrong.
    async fn answer(&self, reply: Reply, requests: &[RulRequest]) -> Result<Vec<RulResponse>, Status> {
        let right = || requests.iter().map(|request| self.desk.predict(request)).collect::<Result<Vec<_>, _>>();
        match reply {
            Reply::Right => right(),
            Reply::Late(time) => {
                tokio::time::sleep(time).await;
                right()
            }
            Reply::Status { code, pushback } => Err(status(code, pushback)),
            Reply::HangUp => {
                self.line.cut();
                std::future::pending().await
            }
            Reply::Wrong(prediction) => Ok(requests.iter().map(|_| response(prediction.clone())).collect()),
            Reply::Short => right().map(|mut responses| {
                responses.pop();
                responses
            }),
        }
    }
}

fn status(code: Code, pushback: Option<u32>) -> Status {
    let mut status = Status::new(code, "as it was told to");
    if let Some(milliseconds) = pushback {
        status.metadata_mut().insert("grpc-retry-pushback-ms", milliseconds.into());
    }
    status
}

#[async_trait]
impl PredictionService for Service {
    async fn predict_rul(&self, request: Request<RulRequest>) -> Result<Response<RulResponse>, Status> {
        let reply = self.desk.note(&request, vec![request.get_ref().engine_id.clone()]);
        let responses = self.answer(reply, &[request.into_inner()]).await?;
        responses.into_iter().next().map(Response::new).ok_or_else(|| Status::internal("no answer"))
    }

    async fn batch_predict_rul(&self, request: Request<BatchRulRequest>) -> Result<Response<BatchRulResponse>, Status> {
        let engines = request.get_ref().requests.iter().map(|request| request.engine_id.clone()).collect();
        let reply = self.desk.note(&request, engines);
        let responses = self.answer(reply, &request.into_inner().requests).await?;
        Ok(Response::new(BatchRulResponse { responses }))
    }
}
