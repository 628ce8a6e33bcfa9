//! How a camera goes wrong when it is told to.

use std::sync::{Mutex, PoisonError};

use hyper::body::Bytes;
use serde::{Deserialize, Serialize};

/// Over the 4.5 MB that a frame may have on its way to a function.
const HUGE_BYTES: usize = 5_000_000;

/// What happens to the next requests for frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// How late the answer comes.
    pub delay_ms: u64,
    /// Answered instead of the frame.
    pub status: Option<u16>,
    /// `Retry-After` in seconds, beside `status`.
    pub retry_after: Option<u32>,
    /// The connection is closed without an answer.
    pub gone: bool,
    /// Sent with status 200 in place of the frame.
    pub body: Option<FaultBody>,
    /// Requests that go wrong; 0 ends the fault before.
    pub times: u32,
}

/// What comes in place of a JPEG frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// Bytes that are no picture, said to be one.
    Junk,
    /// The first half of the frame.
    Truncated,
    /// The frame, padded to more than it may have.
    Huge,
    /// The same picture as a PNG.
    Png,
    /// A text, as proxies send it.
    Text,
    Empty,
}

impl Default for Fault {
    fn default() -> Self {
        Self { delay_ms: 0, status: None, retry_after: None, gone: false, body: None, times: 1 }
    }
}

impl FaultBody {
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Text => "text/plain",
            Self::Junk | Self::Truncated | Self::Huge | Self::Empty => "image/jpeg",
        }
    }

    /// What the frame becomes; a PNG has to be rendered and is not made here.
    pub fn spoil(self, frame: &Bytes) -> Bytes {
        match self {
            Self::Junk => (0..frame.len()).map(junk).collect(),
            Self::Truncated => frame.slice(..frame.len() / 2),
            Self::Huge => {
                let mut padded = frame.to_vec();
                padded.resize(HUGE_BYTES.max(frame.len()), 0);
                padded.into()
            }
            Self::Png => frame.clone(),
            Self::Text => Bytes::from_static(b"the camera is being serviced\n"),
            Self::Empty => Bytes::new(),
        }
    }
}

/// Bytes without a pattern, the same each time.
fn junk(index: usize) -> u8 {
    let [byte, ..] = (index as u64 ^ 0x5EED).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    byte
}

/// The fault that is set, if any.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Option<Fault>>);

impl Faults {
    pub fn set(&self, fault: Fault) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    /// The fault for a request that came in, which uses it up by one.
    pub fn take(&self) -> Option<Fault> {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = set.as_mut().filter(|fault| fault.times > 0)?;
        fault.times -= 1;
        Some(fault.clone())
    }

    #[cfg(test)]
    pub fn is_pending(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|fault| fault.times > 0)
    }
}
