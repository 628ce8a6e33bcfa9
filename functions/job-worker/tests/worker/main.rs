//! What the worker's jobs do, on a real DynamoDB API and with a queue of the test's own: what is stored in the end is a
//! function of the set of deliveries, in whatever order and batches they come.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

mod bodies;
mod connections;
mod convergence;
#[path = "../../../../shared/tests/stores/database.rs"]
#[expect(dead_code, reason = "the tests of the stores use more of it")]
mod database;
mod ingest;
mod large_deliveries;
mod queue;
mod recalculation;
mod stale_sessions;
mod world;
