//! Every alarm and every widget on our own metrics, held to what the functions record: name, dimensions and unit are those of
//! the records, each alarm goes off when it should, and all are silent while nothing is wrong.
//!
//! A scenario drives some alarms across their thresholds and says which. An alarm that no scenario drives fails the first
//! test; the alarms of a new function or route are driven by [`refused`] and [`slow`] as soon as [`traffic`] calls it.

use std::collections::BTreeMap;

use local::{
    StackOptions,
    template::{Alarm, Observed, Query, Site, Template},
};

mod expression;
mod healthy;
mod intruders;
mod judge;
mod providers;
mod refused;
mod slow;
mod traffic;
mod work;

/// The namespace of our own metrics.
const OURS: &str = "Backend";

/// What the template says is looked at.
fn observed() -> Observed {
    let options = StackOptions::default();
    let site = Site {
        region: local::REGION.to_owned(),
        account: local::ACCOUNT.to_owned(),
        stack: local::STACK_NAME.to_owned(),
        api_id: local::API_ID.to_owned(),
        sqs_url: "http://127.0.0.1".to_owned(),
    };
    let template = Template::read(&options.template).unwrap();
    template.observed(options.template.parent().unwrap(), &site, &BTreeMap::new()).unwrap()
}

/// The alarms on our own metrics.
fn alarms() -> Vec<Alarm> {
    let ours = |alarm: &Alarm| {
        alarm.queries.iter().any(|query| matches!(query, Query::Stat { stat, .. } if stat.namespace == OURS))
    };
    observed().alarms.into_iter().filter(ours).collect()
}

/// Those of them that a scenario drives: by id, or by the end of it.
fn driven_by(scenario: &[&str]) -> Vec<Alarm> {
    let driven: Vec<Alarm> =
        alarms().into_iter().filter(|alarm| scenario.iter().any(|end| alarm.id.ends_with(end))).collect();
    for end in scenario {
        assert!(driven.iter().any(|alarm| alarm.id.ends_with(end)), "the template has no alarm {end}");
    }
    driven
}

#[test]
fn every_alarm_on_our_own_metrics_is_driven_by_a_scenario() {
    let scenarios = [refused::DRIVES, slow::DRIVES, intruders::DRIVES, work::DRIVES, providers::DRIVES].concat();
    let forgotten: Vec<String> = alarms()
        .into_iter()
        .filter(|alarm| !scenarios.iter().any(|end| alarm.id.ends_with(end)))
        .map(|alarm| alarm.id)
        .collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}
