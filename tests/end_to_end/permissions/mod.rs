//! Least privilege: what the template allows a function is what its code needs, nothing less and nothing more.
//!
//! The stack refuses what the policies don't allow, so every other test proves that they suffice. Here every permission is
//! taken away in turn, and somebody must miss it: each function has [scenarios](scenario) that make all its calls.

mod callers;
mod engines;
mod health;
mod jobs;
mod lived_without;
mod necessity;
mod scenario;
mod sessions;
mod stage;
mod webhooks;
mod worker;

use std::{cmp::Reverse, fs, path::Path};

use futures::{StreamExt, stream};
use local::StackOptions;

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
    ("predict", &[engines::PREDICT, callers::BLOCKED]),
    ("engines", &[engines::ENGINES, callers::BLOCKED]),
    ("fleet", &[engines::FLEET, callers::BLOCKED]),
];

/// Permissions for what the local stack has no service for, by the beginning of the action; and why nobody can miss them here.
const NOT_TRIED: &[(&str, &str)] = &[
    ("logs:", "what functions write is read from their pipes"),
    ("xray:", "nothing takes traces"),
    ("secretsmanager:", "secrets are parameters of the template"),
];

/// Functions that are tried at the same time. Their instances are started again and again: of too many at once some would take
/// longer than their deadlines allow.
const AT_ONCE: usize = 4;

#[test]
fn every_permission_is_missed_when_it_is_taken_away_and_all_of_them_suffice() {
    run(async {
        let stage = Stage::start().await;
        let names = stage.stack.model().functions.iter().map(|function| function.name.clone());
        // Who has most to do begins.
        let mut names: Vec<_> = names.collect();
        names.sort_by_key(|name| Reverse(stage.permissions_of(name).len()));
        let faults = stream::iter(&names).map(async |name| {
            let own = SCENARIOS.iter().find(|(function, _)| function == name);
            faults_of(&stage, name, own.map_or(&[], |(_, lists)| lists)).await
        });
        let faults = faults.buffer_unordered(AT_ONCE).concat().await;
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        stage.stack.shutdown().await;
    });
}

/// What the test above is worth: a template that allows one function too much and another too little.
#[test]
fn what_is_too_much_and_what_is_too_little_is_named() {
    run(async {
        let template = fs::read_to_string(StackOptions::default().template).unwrap();
        let (before, functions) = template.split_once("  LatestMetricsFunction:").unwrap();
        let changed = functions.replacen("[dynamodb:Query]", "[dynamodb:Query, dynamodb:Scan]", 1);
        let changed = changed.replacen("Sub ${JobsTable.Arn}/index/dead", "Sub ${JobsTable.Arn}/index/queued", 1);
        // Below the workspace, where cargo finds what it is to build.
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("other-permissions.yaml");
        fs::write(&path, format!("{before}  LatestMetricsFunction:{changed}")).unwrap();
        let stage = Stage::of(StackOptions { template: path, ..StackOptions::default() }).await;
        let (much, little) = futures::join!(
            faults_of(&stage, "latest-metrics", &[jobs::LATEST]),
            faults_of(&stage, "dead-jobs", &[jobs::DEAD]),
        );
        let names = |faults: &[String], texts: [&str; 2]| {
            faults.iter().any(|fault| texts.iter().all(|text| fault.contains(text)))
        };
        let table =
            "latest-metrics dynamodb:Scan on arn:aws:dynamodb:us-east-1:000000000000:table/local-LatestMetricsTable";
        assert!(names(&much, [table, "no scenario makes a call that needs it"]), "{much:#?}");
        assert!(names(&much, ["dynamodb:GetItem on", "it was refused, and nobody noticed"]), "{much:#?}");
        assert!(
            names(&little, ["dead jobs are listed, with all its permissions", "local-JobsTable/index/dead"]),
            "{little:#?}"
        );
        assert!(names(&little, ["local-JobsTable/index/queued", "no scenario makes a call"]), "{little:#?}");
        stage.stack.shutdown().await;
    });
}
