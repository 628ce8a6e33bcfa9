//! The client of a planner's own model against a server over a real connection.

mod answers;
mod connections;
mod rig;
mod tls;
