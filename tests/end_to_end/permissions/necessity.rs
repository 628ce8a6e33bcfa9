//! Each permission of a function is taken away, and one of the scenarios that used it must tell.

use std::{collections::BTreeSet, time::Instant};

use local::front::Permission;

use super::{
    NOT_TRIED,
    lived_without::may_be_lived_without,
    scenario::{Outcome, Scenario, Trouble},
    stage::Stage,
};
use crate::support::watch::sum;

/// On a machine that has other things to do.
const ATTEMPTS: usize = 5;

/// A scenario as it went.
struct Run {
    outcome: Outcome,
    /// What allowed the function's calls.
    used: BTreeSet<Permission>,
    /// What it was refused.
    refused: Vec<String>,
}

/// Everything that is wrong with a function's permissions, each fault in a line.
pub async fn faults_of(stage: &Stage, function: &str, scenarios: &[&[Scenario]]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut using = Vec::new();
    for scenario in scenarios.iter().copied().flatten() {
        // A machine that is busy for half a second makes a function give up what nobody refused: then once more.
        let well = |run: &Run| run.outcome.is_ok() || !run.refused.is_empty();
        let Run { outcome, used, refused } = perform_until(well, stage, function, scenario).await;
        if outcome.is_err() || !refused.is_empty() {
            faults.push(format!(
                "{function}: {}, with all its permissions: {outcome:?}, refused {refused:?}",
                scenario.name
            ));
        }
        using.push((scenario, used));
    }
    for permission in stage.permissions_of(function) {
        let users = using.iter().filter(|(_, used)| used.contains(&permission)).map(|(scenario, _)| *scenario);
        let users: Vec<_> = users.collect();
        let is_tried = !NOT_TRIED.iter().any(|(action, _)| permission.action.starts_with(action));
        if is_tried && let Err(fault) = is_missed(stage, &permission, &users).await {
            faults.push(format!("{permission}: {fault}"));
        }
    }
    faults
}

async fn is_missed(stage: &Stage, permission: &Permission, users: &[&Scenario]) -> Result<(), String> {
    if users.is_empty() {
        return Err(
            "no scenario makes a call that needs it: either the code needs it no more, or one is missing".into()
        );
    }
    let Permission { function, action, resource } = permission;
    let withheld = stage.stack.front().without(function, action, resource).expect("it is the template's");
    let mut seen = Vec::new();
    for scenario in users {
        let told = |run: &Run| !run.refused.is_empty();
        let Run { outcome, refused, .. } = perform_until(told, stage, function, scenario).await;
        match outcome {
            _ if refused.is_empty() => seen.push(format!("{}: nothing was refused", scenario.name)),
            Ok(()) => seen.push(format!("{}: it was refused, and nobody noticed", scenario.name)),
            Err(Trouble::Degraded(sign)) if !may_be_lived_without(permission) => {
                return Err(format!("{}: done without it, but for {sign}, and nothing says why", scenario.name));
            }
            Err(_) => return Ok(()),
        }
    }
    drop(withheld);
    Err(format!("not missed: {}", seen.join("; ")))
}

/// The last attempt, or the first that is as expected.
async fn perform_until(expected: impl Fn(&Run) -> bool, stage: &Stage, function: &str, scenario: &Scenario) -> Run {
    let mut run = perform(stage, function, scenario).await;
    for _ in 1..ATTEMPTS {
        if expected(&run) {
            break;
        }
        run = perform(stage, function, scenario).await;
    }
    run
}

async fn perform(stage: &Stage, function: &str, scenario: &Scenario) -> Run {
    let (begun, uncounted) = (Instant::now(), uncounted(stage, function));
    let mut outcome = (scenario.run)(stage, function).await;
    let calls = stage.stack.front().calls_that(|call| call.function == *function && call.start >= begun).0;
    let refused: Vec<_> = calls.iter().filter_map(|call| call.denied.as_ref()).collect();
    if outcome.is_ok() && !refused.is_empty() && self::uncounted(stage, function) > uncounted {
        outcome = Err(Trouble::Degraded("the metric limiter_unavailable".into()));
    }
    Run {
        outcome,
        used: calls.iter().flat_map(|call| &call.permissions).map(|used| (**used).clone()).collect(),
        refused: refused.iter().map(|denied| format!("{} on {}", denied.action, denied.resource)).collect(),
    }
}

/// Requests that the limiter let pass because it could not count them.
fn uncounted(stage: &Stage, function: &str) -> f64 {
    sum(&stage.stack, function, "limiter_unavailable")
}
