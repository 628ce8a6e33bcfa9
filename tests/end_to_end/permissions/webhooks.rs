//! webhook-terra: a delivery is taken.

use futures::FutureExt;

use super::{
    scenario::{Outcome, Scenario, check, success},
    stage::Stage,
};
use crate::support::{
    terra::{Sender, webhook},
    wearables::{Watch, days_ago, full_day},
};

pub const DELIVERY: &[Scenario] =
    &[Scenario { name: "a delivery too large for a row is taken", run: |stage, _| delivery(stage).boxed() }];

async fn delivery(stage: &Stage) -> Outcome {
    let body = Watch::of_nobody("GARMIN").event("daily", [full_day(days_ago(1))]);
    let answer = success(Sender::new(&stage.stack).send(&webhook(&body)).await)?;
    check(answer.body["status"] == "queued", || answer.body.to_string())
}
