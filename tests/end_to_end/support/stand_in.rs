//! A provider's stand-in: it answers as it is told and remembers what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use local::http::{Answer, HangUp, Stop, Stopper, answer, bind, read_body, serve, stop_signal};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::sync::Semaphore;

/// Base64 of the largest frame, and room.
const BODY_LIMIT: usize = 8 << 20;

/// What one request is answered with.
#[derive(Debug, Clone)]
pub enum Reply {
    Body {
        status: u16,
        media_type: &'static str,
        body: Vec<u8>,
        retry_after: Option<u32>,
    },
    /// The connection is closed without an answer.
    HangUp,
    /// Nothing for this long, then a 200 that says `null`.
    Late(Duration),
    /// Nothing until [`StandIn::release`], then that reply.
    Held(Box<Reply>),
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Body { status, media_type: "application/json", body: body.to_string().into(), retry_after: None }
    }

    pub fn jpeg(frame: &[u8]) -> Self {
        Self::Body { status: 200, media_type: "image/jpeg", body: frame.to_vec(), retry_after: None }
    }

    pub fn text(text: &str) -> Self {
        Self::Body { status: 200, media_type: "text/html", body: text.into(), retry_after: None }
    }

    /// The same with a `Retry-After`.
    pub fn after(self, seconds: u32) -> Self {
        match self {
            Self::Body { status, media_type, body, .. } => {
                Self::Body { status, media_type, body, retry_after: Some(seconds) }
            }
            other => other,
        }
    }

    pub fn held(self) -> Self {
        Self::Held(Box::new(self))
    }
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub at: Instant,
    pub path: String,
    pub query: String,
    pub content_type: String,
    pub authorization: String,
    pub body: Vec<u8>,
}

/// A small HTTP server. Dropped, it ends.
pub struct StandIn {
    url: String,
    desk: Arc<Desk>,
    _stopper: Stopper,
}

struct Desk {
    replies: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
    arrived: Semaphore,
    released: Semaphore,
}

impl StandIn {
    pub async fn start(reply: Reply) -> Self {
        let listener = bind(0).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk {
            replies: Mutex::new([reply].into()),
            asked: Mutex::default(),
            arrived: Semaphore::new(0),
            released: Semaphore::new(0),
        });
        let (stopper, stop) = stop_signal();
        let (at_desk, until) = (Arc::clone(&desk), stop.clone());
        tokio::spawn(serve(listener, stop, move |request, _peer| {
            let (desk, stop) = (Arc::clone(&at_desk), until.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = read_body(body, BODY_LIMIT).await.map_err(|_| HangUp)?.to_vec();
                let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
                let (content_type, authorization) = (header("content-type"), header("authorization"));
                let reply = desk.note(Asked {
                    at: Instant::now(),
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    content_type: content_type.unwrap_or_default(),
                    authorization: authorization.unwrap_or_default(),
                    body,
                });
                desk.give(reply, stop).await
            }
        }));
        Self { url, desk, _stopper: stopper }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on each request takes the next of these, and the last one is given for ever.
    pub fn replies(&self, replies: impl IntoIterator<Item = Reply>) {
        *lock(&self.desk.replies) = replies.into_iter().collect();
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.desk.asked).clone()
    }

    /// Waits until one more request is being held.
    pub async fn arrived(&self) {
        self.desk.arrived.acquire().await.unwrap().forget();
    }

    /// Lets one held request go.
    pub fn release(&self) {
        self.desk.released.add_permits(1);
    }
}

impl Desk {
    fn note(&self, asked: Asked) -> Reply {
        lock(&self.asked).push(asked);
        let mut replies = lock(&self.replies);
        if replies.len() > 1 { replies.pop_front().unwrap() } else { replies.front().unwrap().clone() }
    }

    async fn give(&self, reply: Reply, stop: Stop) -> Result<Answer, HangUp> {
        match reply {
            Reply::HangUp => Err(HangUp),
            Reply::Late(time) => {
                tokio::select! {
                    () = tokio::time::sleep(time) => Ok(answer(StatusCode::OK, "application/json", "null")),
                    () = stop.wait() => Err(HangUp),
                }
            }
            Reply::Held(reply) => {
                self.arrived.add_permits(1);
                tokio::select! {
                    permit = self.released.acquire() => permit.unwrap().forget(),
                    () = stop.clone().wait() => return Err(HangUp),
                }
                Box::pin(self.give(*reply, stop)).await
            }
            Reply::Body { status, media_type, body, retry_after } => {
                let mut given = answer(StatusCode::from_u16(status).unwrap(), media_type, body);
                if let Some(seconds) = retry_after {
                    given.headers_mut().insert("retry-after", seconds.into());
                }
                Ok(given)
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
