//! A stand-in of the bucket that Terra leaves large deliveries in. Its link is broken until somebody mends it.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use hyper::{StatusCode, body::Bytes};

use super::Failure;
use crate::http::{self, Stopper};

/// One object. Dropped, the bucket ends.
pub struct Bucket {
    host: String,
    object: Arc<Object>,
    _server: Stopper,
}

#[derive(Default)]
struct Object {
    body: OnceLock<Bytes>,
    is_open: AtomicBool,
    refused: AtomicUsize,
}

impl Bucket {
    pub async fn start() -> Result<Self, Failure> {
        let listener = http::bind(0).await?;
        let host = listener.local_addr()?.to_string();
        let object = Arc::new(Object::default());
        let (stopper, stop) = http::stop_signal();
        let served = object.clone();
        tokio::spawn(http::serve(listener, stop, move |_, _| {
            let answer = served.answer();
            async move { Ok(answer) }
        }));
        Ok(Self { host, object, _server: stopper })
    }

    /// Host and port, as the allow-list names them.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Puts the object there, and gives its URL.
    pub fn put(&self, body: impl Into<Bytes>) -> String {
        // There is but one, and it stays.
        self.object.body.set(body.into()).ok();
        format!("http://{}/deliveries/large.json", self.host)
    }

    /// From now on the link works.
    pub fn mend(&self) {
        self.object.is_open.store(true, Ordering::SeqCst);
    }

    /// How often somebody was turned away.
    pub fn refused(&self) -> usize {
        self.object.refused.load(Ordering::SeqCst)
    }
}

impl Object {
    fn answer(&self) -> http::Answer {
        match self.body.get() {
            Some(body) if self.is_open.load(Ordering::SeqCst) => {
                http::answer(StatusCode::OK, "application/json", body.clone())
            }
            _ => {
                self.refused.fetch_add(1, Ordering::SeqCst);
                http::empty(StatusCode::FORBIDDEN)
            }
        }
    }
}
