//! Bodies that lie in the bucket, or still in Terra's.

use futures::FutureExt;
use serde_json::json;
use shared::{ids::DeliveryId, jobs::Job, store::objects::webhook_key};

use super::{delivered, done, ingestion, standing};
use crate::{
    permissions::{
        scenario::{Outcome, Scenario, Trouble, check},
        stage::{Stage, number, text},
    },
    support::{
        User,
        stand_in::Reply,
        storage::{Row, item, put},
        terra,
        wearables::{Watch, days_ago, full_day},
    },
};

pub const LARGE: &[Scenario] = &[
    Scenario { name: "a delivery whose body lies in the bucket is read", run: |stage, _| in_bucket(stage).boxed() },
    Scenario { name: "a delivery that was never stored whole is let go", run: |stage, _| never_stored(stage).boxed() },
    Scenario { name: "a large delivery is fetched", run: |stage, _| fetched(stage).boxed() },
    Scenario { name: "a breaker closes for all instances", run: |stage, function| breaker(stage, function).boxed() },
];

async fn in_bucket(stage: &Stage) -> Outcome {
    let user = User::new(&stage.stack);
    let watch = Watch::of(&user, "GARMIN");
    done(stage, ingestion(stage, &watch, &watch.event("daily", [full_day(days_ago(1))])).await).await
}

async fn never_stored(stage: &Stage) -> Outcome {
    let watch = Watch::of_nobody("GARMIN");
    let delivery_id = delivered(stage, &watch.event("daily", [full_day(days_ago(1))])).await;
    let bucket = stage.stack.bucket("Bucket").unwrap();
    let delete = stage.ctx.aws.s3().await.delete_object().bucket(bucket).key(webhook_key(None, &delivery_id));
    delete.send().await.unwrap();
    let standing = standing(stage, Job::TerraIngest { delivery_id, terra_user_id: watch.terra_user }).await?;
    check(standing.state == "gone", || format!("the job is {standing:?}"))
}

async fn fetched(stage: &Stage) -> Outcome {
    let user = User::new(&stage.stack);
    fetch(stage, &Watch::of(&user, "GARMIN")).await.map(drop)
}

/// Has a day's delivery fetched that is too large for a row.
async fn fetch(stage: &Stage, watch: &Watch) -> Result<DeliveryId, Trouble> {
    stage.payloads.replies([Reply::json(200, &watch.event("daily", [full_day(days_ago(1))]))]);
    let url = format!("{}/daily.json", stage.payloads.url());
    let ping = json!({ "type": "s3_payload", "status": "success", "url": url, "expires_in": 300 });
    let delivery_id = delivered(stage, &ping).await;
    done(stage, Job::FetchLargeDelivery { delivery_id: delivery_id.clone() }).await?;
    Ok(delivery_id)
}

/// It is half open, and one success short of closed.
async fn breaker(stage: &Stage, function: &str) -> Outcome {
    const KEY: &str = "breaker:terra_payload";
    let half_open = [("key", text(KEY)), ("state", text("half_open")), ("epoch", number(7)), ("successes", number(2))];
    let half_open: Row = half_open.map(|(name, value)| (name.to_owned(), value)).into();
    put(&stage.stack, "ControlTable", half_open).await;
    // An instance remembers what it has read for some seconds.
    stage.restart(function).await;
    fetch(stage, &Watch::of_nobody("GARMIN")).await?;
    let row = item(&stage.stack, "ControlTable", &[("key", KEY)]).await.unwrap_or_default();
    match terra::text(&row, "state").as_deref() {
        Some("closed") => Ok(()),
        state => Err(Trouble::Degraded(format!("the breaker is {state:?} to all others"))),
    }
}
