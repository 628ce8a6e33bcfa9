//! What a function tells about itself: JSON lines for people and queries, EMF records for dashboards and alarms.
//!
//! Both go to stdout, one JSON object a line, and nothing is held back: Lambda freezes an instance the moment its
//! answer is out.

mod emf;
mod invocation;
mod logs;
mod metrics;
mod pending;
mod sdk_timer;

#[cfg(test)]
mod captured_logs;
#[cfg(test)]
pub(crate) mod fake_dynamodb;

#[cfg(test)]
pub(crate) use captured_logs::CapturedLogs;
pub use invocation::{InvocationRecord, JobsRecord};
pub use logs::{describe, init, invocation_span, log_panic, request_span, subscriber};
pub use metrics::{Captured, Metrics, RequestRecord};
pub use sdk_timer::SdkTimer;
