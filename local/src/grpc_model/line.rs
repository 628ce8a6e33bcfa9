//! The server's connections: they can be cut, and fall silent.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use prediction::prediction_service_server::PredictionServiceServer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tracing::{debug, warn};

use super::service::{Desk, Service};
use crate::http::Stop;

/// What became of the connections, by their numbers.
#[derive(Debug)]
pub struct Line(watch::Sender<State>);

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// The next connection's number.
    next: u64,
    /// Those below this number are cut.
    cut: u64,
    /// Those below this number are silent.
    silent: u64,
}

impl Default for Line {
    fn default() -> Self {
        Self(watch::Sender::new(State::default()))
    }
}

impl Line {
    pub fn connections(&self) -> u64 {
        self.0.borrow().next
    }

    pub fn cut(&self) {
        self.0.send_modify(|state| state.cut = state.next);
    }

    pub fn silence(&self) {
        self.0.send_modify(|state| state.silent = state.next);
    }

    /// The number of a connection that begins.
    fn begin(&self) -> u64 {
        let mut number = 0;
        self.0.send_modify(|state| {
            number = state.next;
            state.next += 1;
        });
        number
    }
}

/// Takes connections until `stop`; those that there are go on until they are cut.
pub async fn serve(listener: TcpListener, stop: Stop, desk: Arc<Desk>, line: Arc<Line>) {
    let stopped = stop.wait();
    tokio::pin!(stopped);
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => socket,
                Err(error) => {
                    // As in crate::http: nobody says when there are file descriptors again.
                    warn!(%error, "connection not accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
            () = &mut stopped => return,
        };
        let number = line.begin();
        tokio::spawn(attend(socket, number, Arc::clone(&desk), Arc::clone(&line)));
    }
}

async fn attend(socket: TcpStream, number: u64, desk: Arc<Desk>, line: Arc<Line>) {
    if let Err(error) = socket.set_nodelay(true) {
        debug!(%error, "small packets may wait for each other");
    }
    let (mut cut, mut silent) = (line.0.subscribe(), line.0.subscribe());
    let service = TowerToHyperService::new(PredictionServiceServer::new(Service::new(desk, line)));
    let connection = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service);
    tokio::pin!(connection);
    let cut = told(&mut cut, |state| number < state.cut);
    tokio::pin!(cut);
    tokio::select! {
        result = &mut connection => {
            if let Err(error) = result {
                debug!(%error, "connection ended early");
            }
        }
        () = &mut cut => {}
        // Held open and not attended to.
        () = told(&mut silent, |state| number < state.silent) => cut.await,
    }
}

async fn told(state: &mut watch::Receiver<State>, when: impl FnMut(&State) -> bool) {
    // An error means that the server is gone, which ends its connections too.
    state.wait_for(when).await.ok();
}
