//! Whose data it is: quarantine, and the way out of it.

use futures::FutureExt;
use shared::{
    clock::Clock,
    domain::{connection::Change, metric::AsOf, terra::Event},
    jobs::Job,
};

use super::{delivered, done, ingestion};
use crate::{
    permissions::{
        scenario::{Outcome, Scenario, check},
        stage::Stage,
    },
    support::{
        User,
        wearables::{Watch, days_ago, waiting},
    },
};

pub const CONNECTIONS: &[Scenario] = &[
    Scenario { name: "a delivery that names nobody waits", run: |stage, _| quarantine(stage).boxed() },
    Scenario { name: "what waits is released", run: |stage, _| release(stage).boxed() },
];

async fn quarantine(stage: &Stage) -> Outcome {
    let watch = Watch::of_nobody("OURA");
    done(stage, ingestion(stage, &watch, &watch.steps(days_ago(1), 9_000)).await).await?;
    let waiting = waiting(&stage.stack, &watch).await;
    check(waiting == 1, || format!("{waiting} deliveries wait"))
}

async fn release(stage: &Stage) -> Outcome {
    let user = User::new(&stage.stack);
    let watch = Watch::of(&user, "OURA");
    let body = watch.steps(days_ago(1), 9_000);
    let delivery = delivered(stage, &body).await;
    let now = Clock::System.now();
    let aside = std::slice::from_ref(&delivery);
    stage.ctx.connections.quarantine(&watch.terra_user, aside, now).await.unwrap();
    let body = body.to_string();
    let change = Change::of_data(&Event::parse(body.as_bytes()).unwrap().user.unwrap(), AsOf::new(now, &delivery));
    stage.ctx.connections.change(&watch.terra_user, |connection| connection.apply(&change)).await.unwrap();
    done(stage, Job::ReleaseQuarantine { terra_user_id: watch.terra_user.clone() }).await?;
    let waiting = waiting(&stage.stack, &watch).await;
    check(waiting == 0, || format!("{waiting} deliveries wait"))
}
