//! The Runtime API (and as much of the Extensions API as the runtime's graceful shutdown registers with), one server for
//! each instance. <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::sync::{Arc, Mutex};

use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};

use super::PAYLOAD_LIMIT;
use crate::http::{self, Answer, BodyError, HangUp};
use crate::lock::lock;
use crate::system;

/// An event on its way to the process.
#[derive(Debug)]
pub struct Event {
    pub request_id: String,
    pub payload: Bytes,
    /// Milliseconds since 1970.
    pub deadline_ms: u128,
    pub function_arn: String,
    pub trace: String,
    pub outcome: oneshot::Sender<Outcome>,
}

/// What the process made of an event.
#[derive(Debug)]
pub enum Outcome {
    Answer(Bytes),
    Error(Bytes),
    AnswerTooLarge,
}

/// One instance's side of the API.
#[derive(Debug)]
pub struct RuntimeApi {
    events: tokio::sync::Mutex<mpsc::Receiver<Event>>,
    current: Mutex<Option<(String, oneshot::Sender<Outcome>)>>,
    init_error: Mutex<Option<Bytes>>,
    /// Whether the process has asked for its first event, which ends its init phase.
    ready: watch::Sender<bool>,
}

const BASE: &str = "/2018-06-01/runtime/";

impl RuntimeApi {
    pub fn new(events: mpsc::Receiver<Event>) -> Self {
        Self {
            events: events.into(),
            current: Mutex::default(),
            init_error: Mutex::default(),
            ready: watch::Sender::new(false),
        }
    }

    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// What the process reported to `/init/error`.
    pub fn init_error(&self) -> Option<Bytes> {
        lock(&self.init_error).clone()
    }

    /// The event that the process has not taken, if there is one.
    pub async fn take_back(&self) -> Option<Event> {
        self.events.lock().await.try_recv().ok()
    }

    pub async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, HangUp> {
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        if let Some(extension) = path.strip_prefix("/2020-01-01/extension/") {
            return self.extension(extension).await;
        }
        let Some(path) = path.strip_prefix(BASE) else { return Ok(not_found(&path)) };
        let parts: Vec<&str> = path.split('/').collect();
        match (method, parts.as_slice()) {
            (Method::GET, ["invocation", "next"]) => self.next().await,
            (Method::POST, ["invocation", id, "response"]) => Ok(self.response(id, request.into_body()).await),
            (Method::POST, ["invocation", id, "error"]) => Ok(self.error(id, request.into_body()).await),
            (Method::POST, ["init", "error"]) => {
                let body = http::read_body(request.into_body(), PAYLOAD_LIMIT).await.unwrap_or_default();
                *lock(&self.init_error) = Some(body);
                Ok(accepted())
            }
            _ => Ok(not_found(path)),
        }
    }

    async fn next(&self) -> Result<Answer, HangUp> {
        self.ready.send_replace(true);
        // No more events will come: the closed connection makes the runtime end.
        let event = self.events.lock().await.recv().await.ok_or(HangUp)?;
        let mut answer = http::answer(StatusCode::OK, "application/json", event.payload);
        let headers = [
            ("lambda-runtime-aws-request-id", event.request_id.clone()),
            ("lambda-runtime-deadline-ms", event.deadline_ms.to_string()),
            ("lambda-runtime-invoked-function-arn", event.function_arn),
            ("lambda-runtime-trace-id", event.trace),
        ];
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value).map_err(|_| HangUp)?;
            answer.headers_mut().insert(HeaderName::from_static(name), value);
        }
        *lock(&self.current) = Some((event.request_id, event.outcome));
        Ok(answer)
    }

    async fn response(&self, id: &str, body: Incoming) -> Answer {
        let (answer, outcome) = match http::read_body(body, PAYLOAD_LIMIT).await {
            Ok(body) => (accepted(), Outcome::Answer(body)),
            Err(BodyError::TooLarge) => {
                let message = format!("Exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes).");
                (refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message), Outcome::AnswerTooLarge)
            }
            Err(error) => return refusal(StatusCode::BAD_REQUEST, "InvalidRequest", &error.to_string()),
        };
        self.finish(id, outcome).unwrap_or(answer)
    }

    async fn error(&self, id: &str, body: Incoming) -> Answer {
        let body = http::read_body(body, PAYLOAD_LIMIT).await.unwrap_or_default();
        self.finish(id, Outcome::Error(body)).unwrap_or_else(accepted)
    }

    /// Passes the outcome on, or gives the refusal for an id that is not under way.
    fn finish(&self, id: &str, outcome: Outcome) -> Option<Answer> {
        let mut current = lock(&self.current);
        match current.take_if(|(current, _)| current == id) {
            Some((_, waiting)) => {
                // Nobody waits any more where the time limit has just passed.
                waiting.send(outcome).ok();
                None
            }
            None => Some(refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")),
        }
    }

    /// An internal extension that subscribes to no events is what makes Lambda send SIGTERM; here SIGTERM comes anyway.
    async fn extension(&self, path: &str) -> Result<Answer, HangUp> {
        match path {
            "register" => {
                let mut answer = http::json(
                    StatusCode::OK,
                    &json!({"functionName": "", "functionVersion": "$LATEST", "handler": "bootstrap"}),
                );
                let id = HeaderValue::from_str(&system::new_id().to_string()).map_err(|_| HangUp)?;
                answer.headers_mut().insert("lambda-extension-identifier", id);
                Ok(answer)
            }
            "event/next" => std::future::pending().await,
            _ => Ok(accepted()),
        }
    }
}

fn accepted() -> Answer {
    http::json(StatusCode::ACCEPTED, &json!({"status": "OK"}))
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Answer {
    http::json(status, &json!({"errorType": kind, "errorMessage": message}))
}

fn not_found(path: &str) -> Answer {
    refusal(StatusCode::NOT_FOUND, "NotFound", &format!("the runtime API has no {path}"))
}
