//! What the API's description says of `GET latest-metrics/{user_id}`.

use lambda_http::http::StatusCode;
use shared::{
    Error,
    domain::{invalid::Invalid, metric::Metric},
    openapi::{Operation, Parameter, internal, text, unavailable, uuid},
    rate_limit::Preset,
};

use crate::answer::Answer;

pub fn operations() -> [Operation; 1] {
    let names = Metric::ALL.map(Metric::name).join(", ");
    let wanted = format!("Only these, as `resting_hr,steps`; of {names}.");
    let description = "Of each metric what is newest by the user's own days; of a day, what is to be trusted most. For the \
                       user, trainers and admins.";
    let latest = Operation::get("latest-metrics/{user_id}", "latestMetrics")
        .says("wearables", "A user's newest metrics", description)
        .for_callers(Preset::Lenient)
        .with(Parameter::path("user_id", "Whose.", uuid()))
        .with(Parameter::query("metrics", &wanted, text()))
        .answers::<Answer>(StatusCode::OK, "The metrics, each with its confidence.")
        .tagged()
        .fails([
            Error::Forbidden("another user's metrics are for trainers and admins"),
            Invalid::at("/user_id", "must be a UUID").into(),
            internal(),
            unavailable(),
        ]);
    [latest]
}
