//! What a function says of its routes for the OpenAPI document: each [`Operation`] reads like a summary of its handler.
//!
//! Schemas come from the types that are answered with and stand beside the parsers of what is asked for; examples of errors
//! are the errors themselves. Only the local stack and the tests call any of this, so no deployed binary holds it.

mod answers;
mod headers;
mod operation;
mod problems;
mod schemas;

pub use headers::components as headers;
pub use operation::{Described, Operation};
pub use problems::{common_schemas, internal, unavailable};
pub use schemas::{Body, Parameter, name, number, one_of, text, time, uuid, whole};

/// The one way to say who calls, as the document names it.
pub const BEARER: &str = "bearer";
