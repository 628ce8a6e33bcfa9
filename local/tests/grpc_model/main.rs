//! The client of a planner's own model against a server over a real connection.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod connections;
mod rig;
mod tls;
