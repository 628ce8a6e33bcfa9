//! From deliveries to metrics, and what these say worked out anew.

use futures::FutureExt;
use serde_json::{Value, json};
use shared::{
    ids::{Ids, UserId},
    jobs::Job,
};

use super::{done, ingestion};
use crate::{
    permissions::{
        scenario::{Outcome, Scenario, check},
        stage::Stage,
    },
    support::{
        User,
        wearables::{Watch, days_ago, observations, of_day},
    },
};

pub const DATA: &[Scenario] = &[
    Scenario { name: "a day becomes metrics", run: |stage, _| day(stage).boxed() },
    Scenario { name: "a day is replaced by one that says less", run: |stage, _| shorter_day(stage).boxed() },
    Scenario { name: "a user's metrics are worked out anew", run: |stage, _| score(stage).boxed() },
    Scenario { name: "all users' metrics are to be worked out anew", run: |stage, _| score_all(stage).boxed() },
];

async fn day(stage: &Stage) -> Outcome {
    let user = User::new(&stage.stack);
    let watch = Watch::of(&user, "GARMIN");
    done(stage, ingestion(stage, &watch, &watch.steps(days_ago(1), 9_000)).await).await?;
    let stored = observations(&stage.stack, user.id).await.len();
    check(stored == 1, || format!("{stored} observations"))
}

/// Of two days, so that what is left must be looked for.
async fn shorter_day(stage: &Stage) -> Outcome {
    let user = User::new(&stage.stack);
    let watch = Watch::of(&user, "GARMIN");
    let day = |ago, distance: Value| {
        watch.event("daily", [json!({ "metadata": of_day(days_ago(ago)), "distance_data": distance })])
    };
    let long = json!({ "steps": 9_000, "distance_meters": 7_000.5 });
    for body in [day(2, json!({ "steps": 8_000 })), day(1, long)] {
        done(stage, ingestion(stage, &watch, &body).await).await?;
    }
    for (ago, left) in [(1, json!({ "steps": 9_100 })), (1, json!({}))] {
        done(stage, ingestion(stage, &watch, &day(ago, left)).await).await?;
    }
    let stored = observations(&stage.stack, user.id).await.len();
    check(stored == 1, || format!("{stored} observations"))
}

async fn score(stage: &Stage) -> Outcome {
    done(stage, Job::ConfidenceScore { user_id: UserId(Ids.uuid()), operation_id: Ids.uuid() }).await
}

async fn score_all(stage: &Stage) -> Outcome {
    done(stage, Job::RecalculateMetrics { operation_id: Ids.uuid(), user_id: None, cursor: None }).await
}
