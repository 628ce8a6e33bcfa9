//! health-check: a report with every figure in it.

use futures::FutureExt;
use serde_json::Value;
use shared::clock::Clock;

use super::{
    scenario::{Outcome, Scenario, Trouble, success},
    stage::{Stage, number, text},
};
use crate::support::{
    User,
    storage::{Row, put},
};

pub const REPORT: &[Scenario] =
    &[Scenario { name: "the report is whole", run: |stage, function| report(stage, function).boxed() }];

/// What is there whatever the backend does.
const FIGURES: [&str; 4] =
    ["/checks/pendingJobs", "/checks/failedJobs", "/checks/avgConfidence", "/system/active_sessions"];

async fn report(stage: &Stage, function: &str) -> Outcome {
    put(&stage.stack, "ControlTable", counted()).await;
    // An instance keeps its report for some seconds.
    stage.restart(function).await;
    let anybody = User::stranger(&stage.stack);
    // A report gives its dependencies half a second, which a new instance may need to find them.
    anybody.get("health-check/detailed").await;
    let report = success(anybody.get("health-check").await)?.body;
    if report["services"]["storage"]["status"] != "operational" {
        return Err(Trouble::Degraded("storage has failed".into()));
    }
    let missing = FIGURES.iter().filter(|figure| report.pointer(figure).is_none_or(Value::is_null));
    let missing: Vec<_> = missing.collect();
    if missing.is_empty() { Ok(()) } else { Err(Trouble::Degraded(format!("there is no {missing:?}"))) }
}

/// One observation that was scored this hour.
fn counted() -> Row {
    let hour = Clock::System.now().timestamp() / 3_600;
    Row::from([
        ("key".to_owned(), text(format!("count:{hour}#0"))),
        ("scored".to_owned(), number(1)),
        ("confidence_tenths".to_owned(), number(900)),
    ])
}
