//! A planner's own model: a `PredictionService` over gRPC, to which any model may be given, and which goes wrong as it is
//! told to.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use local::grpc_model::{GrpcModel, ModelFn, Prediction, Reply};
//!
//! let model = ModelFn::new(|readings| Prediction::new(if readings.len() > 200 { 7 } else { 112 }, 0.9, "two-1"));
//! let server = GrpcModel::start(model, 0).await?;
//! println!("ML_SERVICE_URL={}", server.url());
//! server.replies([Reply::HangUp, Reply::Right]);
//! # Ok(())
//! # }
//! ```

mod line;
mod service;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::domain::engine::Reading;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
pub use tonic::Code;

use crate::http::{Stopper, bind, stop_signal};
use line::Line;
use service::Desk;

/// What a model says of a history, as it goes over the wire: nothing here is checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Cycles.
    pub rul: i32,
    /// 0 to 1.
    pub confidence: f32,
    pub version: String,
}

impl Prediction {
    pub fn new(rul: i32, confidence: f32, version: impl Into<String>) -> Self {
        Self { rul, confidence, version: version.into() }
    }
}

type Model = dyn Fn(&[Reading]) -> Prediction + Send + Sync;

/// A model.
#[derive(Clone)]
pub struct ModelFn(Arc<Model>);

impl ModelFn {
    pub fn new(model: impl Fn(&[Reading]) -> Prediction + Send + Sync + 'static) -> Self {
        Self(Arc::new(model))
    }

    /// The model that predict has built in, as a planner's own would serve it.
    pub fn builtin() -> Self {
        Self::new(|readings| {
            let estimate = predict::model::estimate(readings);
            #[expect(clippy::cast_possible_truncation, reason = "0 to 125, and 0 to 1")]
            let (rul, confidence) = (estimate.rul.round() as i32, estimate.confidence as f32);
            Prediction::new(rul, confidence, predict::model::version())
        })
    }
}

impl fmt::Debug for ModelFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ModelFn")
    }
}

/// What a call is answered with.
#[derive(Debug, Clone)]
pub enum Reply {
    /// What the model says.
    Right,
    /// The same, this much later.
    Late(Duration),
    /// An error, and when it wants to be asked again, in milliseconds.
    Status { code: Code, pushback: Option<u32> },
    /// All connections end, this call's under it.
    HangUp,
    /// This, for each engine.
    Wrong(Prediction),
    /// A batch's answers but for the last.
    Short,
}

/// A call that came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub at: Instant,
    /// In the order of the request.
    pub engines: Vec<String>,
    /// What the caller waits for, as `grpc-timeout` has it.
    pub timeout: Option<String>,
}

/// A server that is running. Dropped, it ends.
#[derive(Debug)]
pub struct GrpcModel {
    port: u16,
    desk: Arc<Desk>,
    line: Arc<Line>,
    /// The runtime that it was started on.
    runtime: Handle,
    /// None while it is away.
    door: Mutex<Option<(Stopper, JoinHandle<()>)>>,
}

impl GrpcModel {
    /// Starts a server on this port of loopback; 0 takes a free one.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(model: ModelFn, port: u16) -> io::Result<Self> {
        let listener = bind(port).await?;
        let server = Self {
            port: listener.local_addr()?.port(),
            desk: Arc::new(Desk::new(model)),
            line: Arc::default(),
            runtime: Handle::current(),
            door: Mutex::default(),
        };
        server.open(listener).await;
        Ok(server)
    }

    /// `ML_SERVICE_URL`
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on each call takes the next of these, and the last one is given for ever.
    pub fn replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.desk.set(replies);
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.desk.asked()
    }

    /// How many connections there were so far.
    pub fn connections(&self) -> u64 {
        self.line.connections()
    }

    /// The connections that there are hear nothing more, and do not end: what is left of one whose other side is gone
    /// without a word. New ones work.
    pub fn silence(&self) {
        self.line.silence();
    }

    /// Gone: connections end, and new ones are refused.
    pub async fn leave(&self) {
        if let Some((stopper, door)) = self.door.lock().await.take() {
            stopper.stop();
            // An error means that it has ended by itself, which is as well.
            door.await.ok();
        }
        self.line.cut();
    }

    /// There again, on the same port.
    ///
    /// # Errors
    /// Somebody else has taken the port.
    pub async fn come_back(&self) -> io::Result<()> {
        let listener = self.runtime.spawn(bind(self.port)).await.map_err(io::Error::other)??;
        self.open(listener).await;
        Ok(())
    }

    async fn open(&self, listener: TcpListener) {
        let (stopper, stop) = stop_signal();
        let (desk, line) = (Arc::clone(&self.desk), Arc::clone(&self.line));
        let door = self.runtime.spawn(line::serve(listener, stop, desk, line));
        *self.door.lock().await = Some((stopper, door));
    }
}

impl Drop for GrpcModel {
    fn drop(&mut self) {
        self.line.cut();
    }
}
