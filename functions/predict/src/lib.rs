//! `POST predict`: the remaining useful life of an engine, out of its sensors' history.

pub mod model;
