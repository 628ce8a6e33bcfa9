//! Terra's webhooks: which are accepted, what becomes of each kind, and that none is lost or counted twice.

mod duplicates;
mod events;
mod failures;
mod fixtures;
mod metrics;
mod signature;
