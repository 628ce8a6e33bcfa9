//! Pure rules: arithmetic on values, no async, no clients, no clock reads.

pub mod advice;
pub mod connection;
pub mod engine;
pub mod frame;
pub mod invalid;
pub mod matching;
pub mod metric;
pub mod position;
pub mod session;
pub mod shot;
pub mod statistics;
pub mod target;
pub mod terra;
