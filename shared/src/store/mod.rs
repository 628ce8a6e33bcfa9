//! The tables and the bucket: one file per aggregate, concrete structs over the SDK's clients.

pub(crate) mod batch_get;
pub mod connections;
pub mod control;
pub mod engines;
pub mod jobs;
pub mod metrics;
pub mod objects;
pub mod sessions;
pub mod webhooks;
