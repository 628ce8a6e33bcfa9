//! The whole backend as its users meet it: the real binaries behind the local stack, over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy exempts test functions only, not what they share"
)]

mod answers;
mod camera;
mod counting;
mod demo;
mod failures;
mod frames;
mod headers;
mod health;
mod limits;
mod ownership;
mod roboflow;
mod round_trips;
mod sessions;
mod support;
mod telemetry;
mod tokens;
