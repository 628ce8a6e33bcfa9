//! The tables and the bucket: one file per aggregate, concrete structs over the SDK's clients.

pub mod control;
pub mod objects;
pub mod sessions;
