//! The whole backend as its users meet it: the real binaries behind the local stack, over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy exempts test functions only, not what they share"
)]

mod alarms;
mod answers;
mod batches;
mod camera;
mod chaos;
mod connections;
mod counting;
mod demo;
mod description;
mod engines;
mod failures;
mod frames;
mod headers;
mod health;
mod jobs;
mod large_deliveries;
mod latest_metrics;
mod limits;
mod ownership;
mod permissions;
mod recalculation;
mod retries;
mod roboflow;
mod round_trips;
mod schedules;
mod secrets;
mod sessions;
mod smoke;
mod support;
mod telemetry;
mod tokens;
mod webhooks;
