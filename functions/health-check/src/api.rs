//! What the API's description says of the four routes.

use lambda_http::http::StatusCode;
use shared::{
    Error,
    openapi::{Operation, unavailable},
    rate_limit::Preset,
};

use crate::answer::{Health, Life, Readiness};

const TAG: &str = "health";

pub fn operations() -> [Operation; 4] {
    [public(), live(), ready(), detailed()]
}

fn public() -> Operation {
    let description = "Every dependency is asked at once, for half a second at most; the report is kept for 5 seconds.";
    Operation::get("health-check", "health")
        .says(TAG, "How the backend does", description)
        .for_addresses(Preset::Lenient)
        .answers::<Health>(StatusCode::OK, "It works, as far as it goes.")
        .answers::<Health>(StatusCode::SERVICE_UNAVAILABLE, "Database or queue is away.")
}

fn live() -> Operation {
    Operation::get("health-check/live", "live")
        .says(TAG, "Whether it runs", "No dependency is asked, and the limit is kept in memory.")
        .for_addresses(Preset::Lenient)
        .answers::<Life>(StatusCode::OK, "It runs.")
}

fn ready() -> Operation {
    let description = "Database and queue answer, and so does the gRPC model where one is configured.";
    Operation::get("health-check/ready", "ready")
        .says(TAG, "Whether requests should be sent here", description)
        .for_addresses(Preset::Lenient)
        .answers::<Readiness>(StatusCode::OK, "They should.")
        .answers::<Readiness>(StatusCode::SERVICE_UNAVAILABLE, "They should not.")
}

fn detailed() -> Operation {
    Operation::get("health-check/detailed", "detailedHealth")
        .says(TAG, "How the backend does, with the errors' texts", "For trainers and admins.")
        .for_callers(Preset::Lenient)
        .answers::<Health>(StatusCode::OK, "It works, as far as it goes.")
        .answers::<Health>(StatusCode::SERVICE_UNAVAILABLE, "Database or queue is away.")
        .fails([Error::Forbidden("the detailed report is for trainers and admins"), unavailable()])
}
