//! The local stack held to AWS's behaviour, with a function of its own and through the real SDKs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod faults;
mod front;
mod functions;
mod gateway;
mod identity;
mod lifecycle;
mod permissions;
mod secrets;
mod sources;
mod sqs;
mod sqs_attributes;
mod sqs_moves;
mod stale;
mod support;
