//! A range camera's HTTP stand-in: it renders what a real camera would photograph, so that what was found on a frame can
//! be held against what is true.
//!
//! Every request carries `Authorization: Bearer <key>`; 401 without it. Errors are `{"error":"…"}`.
//!
//! - `GET /v1/frames/{frame_number}?session_id=<uuid>` → 200 `image/jpeg` and `X-Frame-Timestamp` (RFC 3339); 404 where
//!   there is no such frame. Frame n shows the first n − 1 shots; the last two frames show all of them, so a scene of ten
//!   shots has frames 1 to 12. The camera moves a little from frame to frame.
//! - `PUT /v1/scenes/{session_id}` with a [`SceneOrder`] → 204: what the session's frames show. A session that nobody
//!   ordered a scene for gets one of its own, from the camera's seed and the session's id.
//! - `GET /v1/scenes/{session_id}/truth?frame_number=n` → 200 `{"session_id","frame_number","target_type","shots":
//!   [{"index","x_mm","y_mm","diameter_mm","score","visible"}]}`: all shots fired by then. A shot with `visible: false`
//!   was ordered as hidden: fired, and never drawn.
//! - `PUT /v1/faults` with a [`Fault`] → 204: how the next `times` requests for frames go wrong. It takes the place of
//!   the fault before; `{"times":0}` ends it.

mod faults;
mod requests;
mod studio;

use std::io;
use std::sync::Arc;

use hyper::body::Bytes;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub use faults::{Fault, FaultBody};
pub use range_camera::{Backing, Subject, TargetType};
pub use studio::{OrderError, RenderError, SceneOrder, TrueShot};

use crate::http::{Stopper, bind, serve, stop_signal};
use faults::Faults;
use studio::Studio;

/// What a camera shows to sessions that nobody ordered a scene for.
#[derive(Debug, Clone, Default)]
pub struct CameraOptions {
    /// Where to listen on loopback; 0 takes a free port.
    pub port: u16,
    pub seed: u64,
    pub scene: SceneOrder,
}

/// A camera that is running. Dropped, it stops.
#[derive(Debug)]
pub struct RangeCamera {
    url: String,
    key: String,
    desk: Arc<Desk>,
    stopper: Stopper,
    server: JoinHandle<()>,
}

/// What requests and tests share.
#[derive(Debug)]
struct Desk {
    key: String,
    studio: Studio,
    faults: Faults,
}

impl RangeCamera {
    /// Starts a camera that takes requests with `key`.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(key: impl Into<String>, options: CameraOptions) -> io::Result<Self> {
        let key = key.into();
        let listener = bind(options.port).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let studio = Studio::new(options.seed, options.scene);
        let desk = Arc::new(Desk { key: key.clone(), studio, faults: Faults::default() });
        let (stopper, stop) = stop_signal();
        let (at_desk, until) = (Arc::clone(&desk), stop.clone());
        let server = tokio::spawn(serve(listener, stop, move |request, _peer| {
            requests::answer(Arc::clone(&at_desk), until.clone(), request)
        }));
        Ok(Self { url, key, desk, stopper, server })
    }

    /// `CAMERA_API_URL`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `CAMERA_API_KEY`
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Sets what a session's frames show.
    ///
    /// # Errors
    /// The order asks for what can't be rendered.
    pub fn set_scene(&self, session: Uuid, order: SceneOrder) -> Result<(), OrderError> {
        self.desk.studio.set_scene(session, order)
    }

    /// All shots of a session that were fired before a frame; `None` where there is no such frame.
    pub fn truth(&self, session: Uuid, frame_number: u32) -> Option<Vec<TrueShot>> {
        self.desk.studio.truth(session, frame_number).map(|truth| truth.shots)
    }

    /// Sets how the next requests for frames go wrong.
    pub fn set_fault(&self, fault: Fault) {
        self.desk.faults.set(fault);
    }

    /// A frame as the camera would send it; `None` where there is no such frame.
    ///
    /// # Errors
    /// The frame could not be encoded.
    pub async fn frame(&self, session: Uuid, frame_number: u32) -> Result<Option<Bytes>, RenderError> {
        self.desk.studio.frame(session, frame_number).await
    }

    /// Ends the camera and waits for the requests under way.
    pub async fn stop(self) {
        self.stopper.stop();
        // An error means that the server has ended by itself, which is as well.
        self.server.await.ok();
    }
}

#[cfg(test)]
mod tests;
