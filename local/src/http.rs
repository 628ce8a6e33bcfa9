//! One small HTTP server for everything that the stack offers: gateway, front, runtime API, identity provider.
//! Bodies are whole: nothing here is larger than API Gateway's 10 MB or S3's frames.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::{debug, warn};

pub type Answer = Response<Full<Bytes>>;

/// Given instead of an answer, it closes the connection without one.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub struct HangUp;

/// Tells servers to take no further request. Cloned to whoever waits for it.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// The other end of [`Stop`]. Dropped, it stops as well.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

pub fn stop_signal() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    pub async fn wait(mut self) {
        // An error means that the sender is gone, which is a stop too.
        self.0.wait_for(|stopped| *stopped).await.ok();
    }

    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }
}

/// A free port of loopback, or `port` itself.
pub async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).await
}

/// Serves until `stop`, then lets the requests under way end, and returns.
pub async fn serve<F, Fut>(listener: TcpListener, stop: Stop, handler: F)
where
    F: Fn(Request<Incoming>, SocketAddr) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<Answer, HangUp>> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let stopped = stop.wait();
    tokio::pin!(stopped);
    loop {
        let (socket, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(connection) => connection,
                Err(error) => {
                    // Most likely out of file descriptors, and the kernel notifies nobody when there are some again.
                    warn!(%error, "connection not accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
            () = &mut stopped => break,
        };
        if let Err(error) = socket.set_nodelay(true) {
            debug!(%error, "small packets may wait for each other");
        }
        let handler = handler.clone();
        let service = service_fn(move |request| handler(request, peer));
        let connection = graceful.watch(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "connection ended early");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body is over the limit")]
    TooLarge,
    #[error("the body did not arrive: {0}")]
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

pub async fn read_body(body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Err(error) => Err(BodyError::Broken(error)),
    }
}

pub fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    match serde_json::to_vec(body) {
        Ok(bytes) => answer(status, "application/json", bytes),
        Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string()),
    }
}

pub fn empty(status: StatusCode) -> Answer {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// Percent-decoded; what is no UTF-8 then becomes replacement characters.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high << 4 | low);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_escapes_stay_as_they_are() {
        for (text, expected) in
            [("a%2", "a%2"), ("%zz", "%zz"), ("%E2%82%AC", "€"), ("%ff", "\u{fffd}"), ("100%", "100%")]
        {
            assert_eq!(decoded(text), expected);
        }
    }
}
