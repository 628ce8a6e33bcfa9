//! What users and admins ask of metrics and jobs.

use futures::FutureExt;
use serde_json::json;
use shared::{
    clock::Clock,
    ids::{Ids, JobId},
    store::jobs::Payload,
};

use super::{
    scenario::{Outcome, Scenario, check, success},
    stage::Stage,
};
use crate::support::User;

pub const LATEST: &[Scenario] = &[Scenario { name: "metrics are read", run: |stage, _| latest(stage).boxed() }];
pub const DEAD: &[Scenario] = &[Scenario { name: "dead jobs are listed", run: |stage, _| dead(stage).boxed() }];
pub const RETRY: &[Scenario] = &[Scenario { name: "a dead job is retried", run: |stage, _| retry(stage).boxed() }];
pub const RECALCULATE: &[Scenario] =
    &[Scenario { name: "a recalculation is ordered", run: |stage, _| recalculate(stage).boxed() }];

async fn latest(stage: &Stage) -> Outcome {
    let user = User::new(&stage.stack);
    success(user.get(&format!("latest-metrics/{}", user.id)).await).map(drop)
}

async fn dead(stage: &Stage) -> Outcome {
    success(User::with_role(&stage.stack, Some("admin")).get("dead-jobs").await).map(drop)
}

/// One that is certainly dead is a message that was no job.
async fn retry(stage: &Stage) -> Outcome {
    let payload = Payload::Text("no job".into());
    let now = Clock::System.now();
    stage.ctx.jobs.put_unparsable(JobId(Ids.uuid()), &payload, "for a test", now).await.unwrap();
    let body = json!({ "job_type": "unparsable" });
    let answer = success(User::with_role(&stage.stack, Some("admin")).post("retry-jobs", &body).await)?;
    check(answer.body["retried"].as_u64() > Some(0), || answer.body.to_string())
}

async fn recalculate(stage: &Stage) -> Outcome {
    let admin = User::with_role(&stage.stack, Some("admin"));
    success(admin.post("recalculate-metrics", &json!({ "user_id": admin.id })).await).map(drop)
}
