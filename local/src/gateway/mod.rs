//! API Gateway's HTTP API: routes, payload 2.0 events, answers, CORS, limits.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

mod answer;
mod cors;
pub mod docs;
mod event;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Request, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;

use crate::functions::{FunctionError, Functions, Invocation, InvokeError};
use crate::http::{self, Answer, BodyError, HangUp, Stop};
use crate::logs::Logs;
use crate::system;
use crate::template::{Cors, Route};
use event::Context;
use routes::{Match, Routes};

/// API Gateway's limit for a request.
const BODY_LIMIT: usize = 10 << 20;
/// It waits no longer for a function.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Gateway {
    routes: Routes,
    cors: Option<Cors>,
    functions: Functions,
    logs: Logs,
    account: String,
    api_id: String,
}

impl Gateway {
    pub fn new(routes: &[Route], cors: Option<Cors>, functions: Functions, logs: Logs) -> Self {
        let (account, api_id) = (crate::ACCOUNT.to_owned(), crate::API_ID.to_owned());
        Self { routes: Routes::new(routes), cors, functions, logs, account, api_id }
    }

    pub async fn serve(self, listener: TcpListener, stop: Stop) {
        let gateway = Arc::new(self);
        let handler = move |request, peer| gateway.clone().answer(request, peer);
        http::serve(listener, stop, handler).await;
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>, peer: SocketAddr) -> Result<Answer, HangUp> {
        let start = Instant::now();
        let (parts, body) = request.into_parts();
        let request_id = system::new_id().to_string();
        let mut answer = match cors::preflight(self.cors.as_ref(), &parts) {
            Some(preflight) => preflight,
            None => self.routed(&parts, body, peer, &request_id).await?,
        };
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            answer.headers_mut().insert("apigw-requestid", id);
        }
        cors::apply(self.cors.as_ref(), &parts, answer.headers_mut());
        let took = start.elapsed().as_millis();
        self.logs.note(&format!("{} {} → {} in {took} ms", parts.method, parts.uri.path(), answer.status().as_u16()));
        Ok(answer)
    }

    async fn routed(
        &self,
        parts: &Parts,
        body: Incoming,
        peer: SocketAddr,
        request_id: &str,
    ) -> Result<Answer, HangUp> {
        // The body is read in any case: a client that still sends would not see the answer.
        let body = match http::read_body(body, BODY_LIMIT).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => return Ok(message(StatusCode::PAYLOAD_TOO_LARGE)),
            Err(BodyError::Broken(_)) => return Err(HangUp),
        };
        if let Some(page) = docs::answer(&parts.method, parts.uri.path()) {
            return Ok(page);
        }
        let Some(found) = self.routes.find(parts.method.as_str(), parts.uri.path()) else {
            return Ok(message(StatusCode::NOT_FOUND));
        };
        Ok(self.invoke(parts, &body, peer, request_id, &found).await)
    }

    async fn invoke(
        &self,
        parts: &Parts,
        body: &Bytes,
        peer: SocketAddr,
        request_id: &str,
        found: &Match<'_>,
    ) -> Answer {
        let context = Context { peer, request_id, account: &self.account, api_id: &self.api_id };
        let (event, trace) = event::event(parts, body, found, &context);
        let invocation = self.functions.invoke(&found.route.function, event, Some(trace));
        let (status, problem) = match tokio::time::timeout(INTEGRATION_LIMIT, invocation).await {
            Ok(Ok(Invocation { payload, error: None, .. })) => match answer::answer(&payload) {
                Ok(answer) => return answer,
                Err(problem) => (StatusCode::INTERNAL_SERVER_ERROR, problem),
            },
            Ok(Ok(Invocation { payload, error: Some(error), .. })) => {
                let status = match error {
                    FunctionError::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
                    FunctionError::AnswerTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                (status, String::from_utf8_lossy(&payload).into_owned())
            }
            Ok(Err(error)) => {
                let status = match error {
                    InvokeError::EventTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    InvokeError::Throttled | InvokeError::Ending => StatusCode::SERVICE_UNAVAILABLE,
                    InvokeError::Unknown(_) | InvokeError::Start { .. } => StatusCode::INTERNAL_SERVER_ERROR,
                };
                (status, error.to_string())
            }
            Err(limit) => (StatusCode::SERVICE_UNAVAILABLE, limit.to_string()),
        };
        // A caller learns no more than from API Gateway; the reason is for the terminal.
        self.logs.note(&format!("{}: {problem}", found.route.function));
        message(status)
    }
}

/// API Gateway's own answers.
fn message(status: StatusCode) -> Answer {
    let text = match status {
        // The reason phrase has been renamed since.
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        other => other.canonical_reason().unwrap_or_default(),
    };
    http::json(status, &json!({"message": text}))
}
