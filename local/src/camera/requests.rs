//! The camera's routes.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use super::Desk;
use super::faults::{Fault, FaultBody};
use super::studio::RenderError;
use crate::http::{Answer, HangUp, Stop, answer as respond, empty, json as respond_json, read_body};
use crate::system;

/// Orders and faults are a few hundred bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// What a route answers: an answer, or why not.
type Routed = Result<Answer, Refusal>;

/// Why a request is not answered as it was meant.
enum Refusal {
    Status(StatusCode, String),
    HangUp,
}

pub async fn answer(desk: Arc<Desk>, stop: Stop, request: Request<Incoming>) -> Result<Answer, HangUp> {
    match route(&desk, stop, request).await {
        Ok(answer) => Ok(answer),
        Err(Refusal::Status(status, reason)) => Ok(respond_json(status, &json!({ "error": reason }))),
        Err(Refusal::HangUp) => Err(HangUp),
    }
}

async fn route(desk: &Desk, stop: Stop, request: Request<Incoming>) -> Routed {
    authorise(desk, &request)?;
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["v1", "frames", number]) => frame(desk, stop, query_id(&request)?, parse(number)?).await,
        (&Method::PUT, ["v1", "scenes", session]) => {
            let session = parse(session)?;
            let order = body(request).await?;
            desk.studio.set_scene(session, order).map_err(|err| bad_request(&err))?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
        (&Method::GET, ["v1", "scenes", session, "truth"]) => {
            let number = query(&request, "frame_number").ok_or_else(|| bad_request(&"frame_number is missing"))?;
            let truth = desk.studio.truth(parse(session)?, parse(number)?).ok_or_else(no_frame)?;
            Ok(respond_json(StatusCode::OK, &truth))
        }
        (&Method::PUT, ["v1", "faults"]) => {
            desk.faults.set(body(request).await?);
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Refusal::Status(StatusCode::NOT_FOUND, "no such route".to_owned())),
    }
}

fn authorise(desk: &Desk, request: &Request<Incoming>) -> Result<(), Refusal> {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = given.and_then(|value| value.strip_prefix("Bearer "));
    if key == Some(desk.key.as_str()) {
        return Ok(());
    }
    Err(Refusal::Status(StatusCode::UNAUTHORIZED, "wrong key".to_owned()))
}

async fn frame(desk: &Desk, stop: Stop, session: Uuid, number: u32) -> Routed {
    let fault = desk.faults.take();
    if let Some(fault) = &fault {
        misbehave(fault, stop).await?;
    }
    if let Some(refused) = fault.as_ref().and_then(refusal) {
        return Ok(refused);
    }
    let spoilt = fault.and_then(|fault| fault.body);
    let bytes = match spoilt {
        Some(FaultBody::Png) => desk.studio.png(session, number).await,
        _ => desk.studio.frame(session, number).await,
    };
    let bytes = bytes.map_err(not_rendered)?.ok_or_else(no_frame)?;
    let mut answer = match spoilt {
        Some(spoilt) => respond(StatusCode::OK, spoilt.media_type(), spoilt.spoil(&bytes)),
        None => respond(StatusCode::OK, "image/jpeg", bytes),
    };
    if let Ok(now) = HeaderValue::from_str(&system::now().to_rfc3339()) {
        answer.headers_mut().insert("x-frame-timestamp", now);
    }
    Ok(answer)
}

/// Waits as long as the fault says, though not beyond the camera's end, and drops the connection if it says so.
async fn misbehave(fault: &Fault, stop: Stop) -> Result<(), Refusal> {
    let late = tokio::time::sleep(Duration::from_millis(fault.delay_ms));
    tokio::select! {
        () = late => {}
        () = stop.wait() => return Err(Refusal::HangUp),
    }
    if fault.gone { Err(Refusal::HangUp) } else { Ok(()) }
}

fn refusal(fault: &Fault) -> Option<Answer> {
    let status = StatusCode::from_u16(fault.status?).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = respond_json(status, &json!({ "error": "as ordered" }));
    if let Some(seconds) = fault.retry_after {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Some(answer)
}

async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Refusal> {
    let bytes = read_body(request.into_body(), BODY_LIMIT).await.map_err(|err| bad_request(&err))?;
    serde_json::from_slice(&bytes).map_err(|err| bad_request(&err))
}

fn query_id(request: &Request<Incoming>) -> Result<Uuid, Refusal> {
    parse(query(request, "session_id").ok_or_else(|| bad_request(&"session_id is missing"))?)
}

/// A query parameter as it stands; ids and numbers need no percent signs.
fn query<'a>(request: &'a Request<Incoming>, name: &str) -> Option<&'a str> {
    let pairs = request.uri().query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| bad_request(&format!("{text} is not what is expected there")))
}

fn bad_request(reason: &dyn std::fmt::Display) -> Refusal {
    Refusal::Status(StatusCode::BAD_REQUEST, reason.to_string())
}

fn no_frame() -> Refusal {
    Refusal::Status(StatusCode::NOT_FOUND, "no such frame".to_owned())
}

fn not_rendered(err: RenderError) -> Refusal {
    Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR, err.to_string())
}
