//! The stores, the limiter and the breakers on a real DynamoDB API: each test has a database of its own on loopback,
//! and a clock that it moves by hand.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod breaker;
mod connections;
#[expect(dead_code, reason = "job-worker's tests include this file, too, and use the rest of it")]
mod database;
mod jobs;
mod jobs_runner;
mod limiter;
mod metrics;
mod sessions;
mod webhooks;
