//! A request's way through the front: who, what, may it, does a fault hit it, then the service behind.

use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use tokio::net::TcpListener;

use super::injected::Hit;
use super::operation::{Operation, Signer, operation, signer};
use super::{Backend, Call, FaultAction, Front, Refusal, Service};
use crate::http::{self, Answer, HangUp, Stop};

/// More than any request of ours: DynamoDB takes 16 MB, a frame has at most 20 MB.
const BODY_LIMIT: usize = 32 << 20;

pub async fn serve(listener: TcpListener, stop: Stop, front: Front, backend: Backend) {
    let handler = move |request, _| pass(front.clone(), backend.clone(), request);
    http::serve(listener, stop, handler).await;
}

async fn pass(front: Front, backend: Backend, request: Request<Incoming>) -> Result<Answer, HangUp> {
    let start = Instant::now();
    let service = backend.service();
    let (parts, body) = request.into_parts();
    let Some(Signer { access_key, presigned }) = signer(&parts) else {
        return Ok(Refusal::unsigned(service).answer(service));
    };
    let Some(function) = front.caller(&access_key).map(str::to_owned) else {
        return Ok(Refusal::unknown_key(service).answer(service));
    };
    let body = http::read_body(body, BODY_LIMIT).await.map_err(|_| HangUp)?;
    let operation = operation(service, &parts, &body);
    let call = call_of(function, service, &operation, presigned, start);
    let mut recording = Recording { front: front.clone(), call };
    let call = &mut recording.call;
    if let Some(refusal) = front.refuse(call, &operation) {
        last_at_least(front.latency(), start).await;
        return Ok(ended(call, refusal.answer(service)));
    }
    let hit = front.fault(call);
    let lost = hit.as_ref().is_some_and(|hit| hit.action == FaultAction::LoseAnswer);
    let answer = match instead(hit, service).await? {
        Some(answer) => answer,
        None => {
            call.stale = operation.eventual && front.is_stale(call).await;
            let answer = backend.call(parts, body, call).await;
            front.refuse_to_miss(call, &answer).map_or(answer, |refusal| refusal.answer(service))
        }
    };
    last_at_least(front.latency(), start).await;
    if lost {
        return Err(HangUp);
    }
    Ok(ended(call, answer))
}

fn call_of(function: String, service: Service, operation: &Operation, presigned: bool, start: Instant) -> Call {
    Call {
        function,
        service,
        operation: operation.name.clone(),
        resources: operation.resources.clone(),
        index: operation.index.clone(),
        start,
        end: start,
        status: None,
        presigned,
        stale: false,
        permissions: Vec::new(),
        denied: None,
    }
}

fn ended(call: &mut Call, answer: Answer) -> Answer {
    call.status = Some(answer.status().as_u16());
    answer
}

/// What a call gets instead of being carried out, if that is what a fault does to it; a delay passes in here.
async fn instead(hit: Option<Hit>, service: Service) -> Result<Option<Answer>, HangUp> {
    let Some(hit) = hit else { return Ok(None) };
    match &hit.action {
        FaultAction::Drop => Err(HangUp),
        FaultAction::Refuse { status, code, message } => {
            Ok(Some(Refusal::new(status_code(*status), code, message).answer(service)))
        }
        FaultAction::Answer { status, body } => {
            Ok(Some(http::answer(status_code(*status), "application/x-amz-json-1.0", body.to_string())))
        }
        FaultAction::Delay { min, max } => {
            tokio::time::sleep(hit.pause(*min, *max)).await;
            Ok(None)
        }
        FaultAction::LoseAnswer => Ok(None),
    }
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn last_at_least(latency: Duration, start: Instant) {
    if !latency.is_zero() {
        tokio::time::sleep_until((start + latency).into()).await;
    }
}

/// Records its call when it ends, however it ends: a caller that gives up takes the rest of `pass` with it.
struct Recording {
    front: Front,
    call: Call,
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.call.end = Instant::now();
        self.front.record(self.call.clone());
    }
}
