//! Least privilege: what the template allows a function is what its code needs, nothing less and nothing more.
//!
//! The stack refuses what the policies don't allow, so every other test proves that they suffice. Here every permission is
//! taken away in turn, and somebody must miss it: each function has [scenarios](scenario) that make all its calls.

mod callers;
mod health;
mod jobs;
mod lived_without;
mod necessity;
mod scenario;
mod sessions;
mod stage;
mod webhooks;
mod worker;

use futures::future::join_all;

use crate::support::run;
use necessity::faults_of;
use scenario::Scenario;
use stage::Stage;

/// What each function's scenarios are. A function that is not here, or a call that no scenario makes, is a fault that the test
/// names.
const SCENARIOS: &[(&str, &[&[Scenario]])] = &[
    ("health-check", &[health::REPORT, callers::BLOCKED]),
    ("start-session", &[sessions::START, callers::BLOCKED]),
    ("camera-proxy", &[sessions::CAMERA, callers::BLOCKED]),
    ("analyze-frame", &[sessions::ANALYZE, callers::BLOCKED]),
    ("end-session", &[sessions::END, callers::BLOCKED]),
    ("webhook-terra", &[webhooks::DELIVERY, callers::OVER_THE_LIMIT]),
    ("job-worker", &[worker::DATA, worker::CONNECTIONS, worker::LARGE, worker::MESSAGES, worker::SCHEDULES]),
    ("latest-metrics", &[jobs::LATEST, callers::BLOCKED]),
    ("dead-jobs", &[jobs::DEAD, callers::BLOCKED]),
    ("retry-jobs", &[jobs::RETRY, callers::BLOCKED]),
    ("recalculate-metrics", &[jobs::RECALCULATE, callers::BLOCKED]),
];

/// Permissions for what the local stack has no service for, by the beginning of the action; and why nobody can miss them here.
const NOT_TRIED: &[(&str, &str)] = &[
    ("logs:", "what functions write is read from their pipes"),
    ("xray:", "nothing takes traces"),
    ("secretsmanager:", "secrets are parameters of the template"),
];

#[test]
fn every_permission_is_missed_when_it_is_taken_away_and_all_of_them_suffice() {
    run(async {
        let stage = Stage::start().await;
        let names: Vec<_> = stage.stack.model().functions.iter().map(|function| function.name.clone()).collect();
        let faults = join_all(names.iter().map(async |name| {
            let own = SCENARIOS.iter().find(|(function, _)| function == name);
            let scenarios: Vec<&Scenario> = own.iter().flat_map(|(_, lists)| lists.iter().copied().flatten()).collect();
            faults_of(&stage, name, &scenarios).await
        }));
        let faults = faults.await.concat();
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        stage.stack.shutdown().await;
    });
}
