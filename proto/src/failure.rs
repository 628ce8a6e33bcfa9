//! What a gRPC status says of the model's health. Codes are given by the HTTP status that google/rpc/code.proto puts
//! beside them, so that a log reads the same for all providers.

use std::{error::Error, time::Duration};

use shared::provider::Failure;
use tonic::{Code, Status, TimeoutExpired};

/// What the model says is cut to this: it goes to the log.
const MAX_MESSAGE_CHARS: usize = 200;
/// When the server wants to be asked again (gRFC A6), in milliseconds.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// Out of a call's status.
pub fn of(status: &Status) -> Failure {
    // Only what went wrong on the way has a cause; what the server says has none.
    if let Some(cause) = status.source() {
        return on_the_way(cause);
    }
    let message = || status.message().chars().take(MAX_MESSAGE_CHARS).collect();
    let refused = |status| Failure::Refused { status, message: message() };
    match status.code() {
        Code::DeadlineExceeded => Failure::Timeout,
        Code::Unavailable => Failure::Overloaded { status: 503, retry_after: pushback(status) },
        Code::ResourceExhausted => Failure::Overloaded { status: 429, retry_after: pushback(status) },
        Code::InvalidArgument | Code::FailedPrecondition => refused(400),
        Code::Unauthenticated => refused(401),
        Code::PermissionDenied => refused(403),
        Code::NotFound => refused(404),
        Code::Unimplemented => refused(501),
        // Of tonic itself: the answer is larger than any that is right.
        Code::OutOfRange => Failure::Unusable(message()),
        Code::AlreadyExists | Code::Aborted => Failure::Broken { status: 409 },
        Code::Cancelled => Failure::Broken { status: 499 },
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => Failure::Broken { status: 500 },
    }
}

/// Out of an error before anything was sent.
pub fn before(err: &tonic::transport::Error) -> Failure {
    Failure::Unreachable(chain(err))
}

fn on_the_way(cause: &(dyn Error + 'static)) -> Failure {
    let late = std::iter::successors(Some(cause), |&err| err.source()).any(|err| err.is::<TimeoutExpired>());
    if late { Failure::Timeout } else { Failure::Unreachable(chain(cause)) }
}

/// A transport error's own text says nothing; its causes do.
fn chain(err: &(dyn Error + 'static)) -> String {
    let texts = std::iter::successors(Some(err), |&err| err.source()).map(ToString::to_string);
    texts.collect::<Vec<_>>().join(": ").chars().take(MAX_MESSAGE_CHARS).collect()
}

fn pushback(status: &Status) -> Option<Duration> {
    status.metadata().get(PUSHBACK)?.to_str().ok()?.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_that_is_overloaded_is_asked_again_and_when_it_says() {
        let mut busy = Status::unavailable("later");
        assert!(matches!(of(&busy), Failure::Overloaded { status: 503, retry_after: None }));
        for (said, pause) in [("250", Some(Duration::from_millis(250))), ("-1", None), ("soon", None)] {
            busy.metadata_mut().insert(PUSHBACK, said.parse().unwrap());
            assert!(matches!(of(&busy), Failure::Overloaded { retry_after, .. } if retry_after == pause), "{said}");
        }
        assert!(matches!(of(&Status::resource_exhausted("")), Failure::Overloaded { status: 429, .. }));
        assert!(matches!(of(&Status::deadline_exceeded("")), Failure::Timeout));
    }

    #[test]
    fn what_is_wrong_with_the_request_is_no_fault_of_the_models() {
        for (code, http) in [
            (Code::InvalidArgument, 400),
            (Code::Unauthenticated, 401),
            (Code::PermissionDenied, 403),
            (Code::NotFound, 404),
            (Code::Unimplemented, 501),
        ] {
            let failure = of(&Status::new(code, "x".repeat(1_000)));
            let Failure::Refused { status, message } = failure else { panic!("{code:?}: {failure:?}") };
            assert_eq!((status, message.len()), (http, MAX_MESSAGE_CHARS), "{code:?}");
        }
        for code in [Code::Internal, Code::Unknown, Code::DataLoss, Code::Cancelled, Code::Aborted] {
            assert!(matches!(of(&Status::new(code, "")), Failure::Broken { .. }), "{code:?}");
        }
    }
}
