//! What the functions share: configuration and clients, the HTTP edge, authentication and limits, the stores, the
//! outward calls, and the rules of the domain. What only one function needs lives with that function.

pub mod access;
pub mod auth;
pub mod aws;
pub mod breaker;
pub mod clock;
pub mod config;
pub mod context;
pub mod domain;
pub mod error;
pub mod http;
pub mod ids;
pub mod jobs;
pub mod openapi;
pub mod provider;
pub mod rate_limit;
pub mod secrets;
mod shutdown;
pub mod store;
pub mod telemetry;

pub use context::Context;
pub use error::{Error, Result};
