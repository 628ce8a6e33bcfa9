//! A planner's own model of an engine's remaining useful life, over gRPC: the protocol's code, the client that predict
//! asks and that health-check looks after, and what the local stack's server needs.
//!
//! A crate of its own: only these three build tonic and prost, and no other function links them.
//!
//! ```no_run
//! # async fn example(ctx: &shared::Context, url: &str, readings: &[shared::domain::engine::Reading]) -> shared::Result<()> {
//! use prediction::{History, RemoteModel};
//!
//! // Once an instance: it keeps its connection.
//! let model = RemoteModel::new(url);
//! // The gate beside the request's first reads.
//! let gate = ctx.breakers.gate(prediction::NAME).await;
//! let answer = model.predict(ctx, &gate, History { engine_id: "FD001-7", readings }).await?;
//! println!("{} cycles, {} sure, by {}", answer.rul, answer.confidence, answer.version);
//! # Ok(())
//! # }
//! ```

mod answer;
mod calls;
mod connection;
mod failure;
// As tonic-prost-build wrote it.
#[rustfmt::skip]
#[expect(unused_qualifications, clippy::allow_attributes, clippy::too_many_lines, reason = "generated code")]
mod generated;
mod health;
mod reading;

pub use answer::{Answer, CAP, MAX_VERSION_CHARS};
pub use calls::{History, MAX_MESSAGE_BYTES, NAME};
pub use connection::{RemoteModel, Timing};
pub use generated::{
    BatchRulRequest, BatchRulResponse, RulRequest, RulResponse, SensorReading, prediction_service_server,
};
