//! Whether all of it was done, and once.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use local::Stack;
use shared::{Context, ids::UserId, store::control::Counts};
use uuid::Uuid;

use super::stored;

/// Users that are looked at at once.
const AT_ONCE: usize = 16;

/// What is wrong; nothing if all is right.
pub async fn faults(stack: &Stack, drained: bool, jobs: usize, users: &[Uuid]) -> Vec<String> {
    let ctx = stored::context(stack);
    let mut faults = Vec::new();
    if !drained {
        faults.push("the queue was not empty in time".to_owned());
    }
    let states = states(&ctx).await;
    if states != BTreeMap::from([("done".to_owned(), jobs)]) {
        faults.push(format!("{jobs} jobs should be done, and they are {states:?}"));
    }
    let counted: Counts = ctx.control.counts_of_day(ctx.clock.now()).await.unwrap().into_iter().sum();
    if counted.webhooks_done != jobs as u64 || counted.scored == 0 {
        faults.push(format!("{jobs} webhooks should be counted, and these are: {counted:?}"));
    }
    let latest = stream::iter(users).map(async |user| ctx.health.latest(UserId(*user)).await.unwrap().len());
    let without = latest.buffer_unordered(AT_ONCE).filter(|found| std::future::ready(*found == 0)).count().await;
    if without > 0 {
        faults.push(format!("{without} of {} users have no metrics", users.len()));
    }
    faults
}

/// How many jobs are in each state.
async fn states(ctx: &Context) -> BTreeMap<String, usize> {
    let scan = ctx.aws.dynamodb().await.scan().table_name(&ctx.config.jobs_table).consistent_read(true);
    let scan = scan.projection_expression("#state").expression_attribute_names("#state", "state");
    let mut pages = scan.into_paginator().items().send();
    let mut states = BTreeMap::new();
    while let Some(row) = pages.next().await {
        *states.entry(row.unwrap()["state"].as_s().unwrap().clone()).or_default() += 1;
    }
    states
}
