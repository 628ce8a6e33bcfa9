//! The local stack held to AWS's behaviour, with a function of its own and through the real SDKs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod front;
mod functions;
mod gateway;
mod identity;
mod lifecycle;
mod sqs;
mod support;
