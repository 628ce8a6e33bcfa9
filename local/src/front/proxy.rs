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
    let Operation { name, resources, index, eventual } = operation(service, &parts, &body);
    let (operation, end, status, stale) = (name, start, None, false);
    let call = Call { function, service, operation, resources, index, start, end, status, presigned, stale };
    let mut recording = Recording { front: front.clone(), call };
    let call = &mut recording.call;
    // Permissions are to be checked here: caller, operation and resources are known, nothing has been done.
    let hit = front.fault(call);
    let lost = hit.as_ref().is_some_and(|hit| hit.action == FaultAction::LoseAnswer);
    let answer = match instead(hit, service).await? {
        Some(answer) => answer,
        None => {
            call.stale = eventual && front.is_stale(call).await;
            backend.call(parts, body, call).await
        }
    };
    last_at_least(front.latency(), start).await;
    if lost {
        return Err(HangUp);
    }
    call.status = Some(answer.status().as_u16());
    Ok(answer)
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
