use std::collections::HashMap;

use chrono::TimeDelta;
use proptest::{prelude::*, sample::Index};
use serde_json::json;

use super::*;
use crate::{domain::metric::UploadType, ids::DeliveryId};

fn evidence(stretch: Stretch) -> Evidence {
    Evidence {
        provider: "OURA".to_owned(),
        upload_type: UploadType::Automatic,
        stretch,
        fields_present: 8,
        fields_expected: 8,
        coverage: None,
        samples: 1,
        contradictions: 0,
    }
}

/// A day's value, observed at its `hour`, by the user's own days from 2026-01-01 on.
fn observed(metric: Metric, day: u32, hour: i64, value: f64) -> Observation {
    let local_date = NaiveDate::from_yo_opt(2026, 1).unwrap() + Days::new(day.into());
    Observation {
        metric,
        value,
        observed_at: local_date.and_hms_opt(0, 0, 0).unwrap().and_utc() + TimeDelta::hours(hour),
        local_date,
        ordinal: 0,
        evidence: evidence(Stretch::Day),
        usual: true,
        current: true,
    }
}

fn observation(day: u32, hour: i64, value: f64) -> Observation {
    observed(Metric::RestingHr, day, hour, value)
}

fn as_of(version: u32) -> AsOf {
    AsOf::new(DateTime::default() + TimeDelta::seconds(version.into()), &DeliveryId("d".to_owned()))
}

fn latest(offers: &[(&str, Observation, u32)]) -> Latest {
    let mut latest = Latest::new(Metric::RestingHr);
    for (row, observation, version) in offers {
        assert_eq!(latest.offer(row, observation, &as_of(*version)), Fit::Whole);
    }
    latest
}

fn newest(latest: &Latest) -> Option<f64> {
    latest.newest.as_ref().map(|newest| newest.value)
}

fn usual(latest: &Latest) -> Vec<f64> {
    latest.daily.values().map(|daily| daily.value).collect()
}

#[test]
fn the_newest_is_the_last_observed_and_of_two_at_once_the_one_said_last() {
    let (early, late) = (observation(3, 8, 1.0), observation(3, 9, 2.0));
    assert_eq!(newest(&latest(&[("a", late.clone(), 1), ("b", early, 2)])), Some(2.0));
    let twin = Observation { value: 3.0, ..late.clone() };
    for offers in [[("a", late.clone(), 1), ("b", twin.clone(), 2)], [("b", twin.clone(), 2), ("a", late.clone(), 1)]] {
        assert_eq!(newest(&latest(&offers)), Some(3.0));
    }
    // Said in the same delivery: the greater key.
    assert_eq!(newest(&latest(&[("b", twin, 1), ("a", late, 1)])), Some(3.0));
}

#[test]
fn a_day_has_one_usual_value_and_the_newest_28_days_are_kept() {
    let mut latest = latest(&[("night", observation(40, 7, 50.0), 1), ("day", observation(40, 24, 52.0), 1)]);
    assert_eq!(usual(&latest), [52.0]);
    for day in (0..=39).rev() {
        latest.offer(&format!("{day}"), &observation(day, 24, f64::from(day)), &as_of(1));
    }
    let expected: Vec<f64> = (13..=39).map(f64::from).chain([52.0]).collect();
    assert_eq!(usual(&latest), expected);
}

#[test]
fn activities_are_current_but_not_usual_and_naps_are_neither() {
    let day = observation(1, 8, 60.0);
    let run = Observation { usual: false, ..observation(1, 12, 150.0) };
    let nap = Observation { usual: false, current: false, ..observation(1, 15, 55.0) };
    let latest = latest(&[("day", day, 1), ("run", run, 1), ("nap", nap, 1)]);
    assert_eq!((newest(&latest), usual(&latest)), (Some(150.0), vec![60.0]));
}

#[test]
fn a_newer_version_replaces_its_row_and_an_older_changes_nothing() {
    let mut latest = latest(&[("a", observation(1, 10, 1.0), 5), ("b", observation(0, 10, 9.0), 5)]);
    assert_eq!(latest.offer("a", &observation(1, 12, 7.0), &as_of(4)), Fit::Whole);
    assert_eq!((newest(&latest), usual(&latest)), (Some(1.0), vec![9.0, 1.0]));
    assert_eq!(latest.offer("a", &observation(1, 11, 2.0), &as_of(6)), Fit::Whole);
    assert_eq!((newest(&latest), usual(&latest)), (Some(2.0), vec![9.0, 2.0]));
    // The same again, as it is read now.
    assert_eq!(latest.offer("a", &observation(1, 11, 3.0), &as_of(6)), Fit::Whole);
    assert_eq!((newest(&latest), usual(&latest)), (Some(3.0), vec![9.0, 3.0]));
}

#[test]
fn what_moves_back_or_goes_leaves_a_place_that_only_all_rows_can_fill() {
    let stands = || latest(&[("a", observation(1, 10, 1.0), 5), ("b", observation(2, 10, 2.0), 5)]);
    let with = |row: &str, observation: Observation| stands().offer(row, &observation, &as_of(6));
    for (row, observation, fit) in [
        ("b", observation(2, 11, 3.0), Fit::Whole),
        ("b", observation(2, 9, 3.0), Fit::Lacking),
        ("b", observation(3, 9, 3.0), Fit::Lacking),
        ("a", observation(0, 9, 3.0), Fit::Lacking),
        ("a", observation(1, 10, 3.0), Fit::Whole),
        ("b", Observation { usual: false, ..observation(2, 10, 3.0) }, Fit::Lacking),
        ("b", Observation { current: false, ..observation(2, 10, 3.0) }, Fit::Lacking),
        ("c", observation(1, 9, 3.0), Fit::Whole),
        ("c", observation(3, 9, 3.0), Fit::Whole),
    ] {
        assert_eq!(with(row, observation.clone()), fit, "{row} {observation:?}");
    }
    for (row, fit) in [("a", Fit::Lacking), ("b", Fit::Lacking), ("c", Fit::Whole)] {
        assert_eq!(stands().retract(row), fit, "{row}");
    }
}

#[test]
fn what_was_taken_out_is_gone() {
    let mut latest = latest(&[("a", observation(1, 10, 1.0), 5)]);
    assert_eq!(latest.retract("a"), Fit::Lacking);
    assert_eq!(latest, Latest::new(Metric::RestingHr));
    assert_eq!(latest.components(), None);
}

/// The plausibility of the newest, after 20 days at `value` of `stretch` and one day with 95 at last.
fn plausibility(metric: Metric, value: f64, stretch: Stretch, last: Observation) -> f64 {
    let mut latest = Latest::new(metric);
    for day in 0..20 {
        let observation = Observation { evidence: evidence(stretch), ..observed(metric, day, 24, value) };
        latest.offer(&format!("{day}"), &observation, &as_of(1));
    }
    latest.offer("last", &last, &as_of(1));
    latest.components().unwrap().plausibility
}

#[test]
fn the_newest_is_held_against_the_days_before_its_own() {
    let last = |day| observation(day, 10, 95.0);
    let usual = plausibility(Metric::RestingHr, 95.0, Stretch::Day, last(21));
    let unusual = plausibility(Metric::RestingHr, 50.0, Stretch::Day, last(21));
    assert!(usual > 0.99 && unusual < 0.5, "{usual} {unusual}");
    // After a long pause nobody knows any more what is usual.
    let later = plausibility(Metric::RestingHr, 50.0, Stretch::Day, last(60));
    assert!(unusual < later && later < usual, "{later}");
}

#[test]
fn a_night_is_held_against_nights_and_an_activity_against_nothing() {
    let last = |metric, stretch| Observation { evidence: evidence(stretch), ..observed(metric, 21, 10, 95.0) };
    let against_days = |metric, stretch| plausibility(metric, 50.0, Stretch::Day, last(metric, stretch));
    assert!(against_days(Metric::AvgHr, Stretch::Day) < 0.5);
    assert!(against_days(Metric::AvgHr, Stretch::Night) > 0.9);
    assert!(against_days(Metric::AvgHr, Stretch::Activity) > 0.9);
    // The pulse at rest is the same whoever measured it.
    assert!(against_days(Metric::RestingHr, Stretch::Night) < 0.5);
}

#[test]
fn what_is_stored_is_small_and_reads_back_the_same() {
    let latest = latest(&[("2026-01-02#0", observation(1, 10, 52.3), 5)]);
    let (newest, daily) = (latest.newest.unwrap(), latest.daily.into_values().next().unwrap());
    let text = json!(daily).to_string();
    assert!(text.len() < 120, "{text}");
    assert_eq!(serde_json::from_str::<Daily>(&text).unwrap(), daily);
    assert_eq!(serde_json::from_str::<Newest>(&json!(newest).to_string()).unwrap(), newest);
}

/// A version of a row: which row, how new, and what it says.
type Version = (u32, u32, Observation);

prop_compose! {
    /// Few rows, days and hours, so that they meet often.
    fn versions(rows: u32, days: u32)(
        row in 0..rows, version in 0..6_u32, day in 0..days, hour in 0..4_i64, value in 40..60_u32,
        (usual, current) in (prop::bool::weighted(0.8), prop::bool::weighted(0.9)),
    ) -> Version {
        (row, version, Observation { usual, current, ..observation(day, hour, value.into()) })
    }
}

/// What all the newest versions come to.
fn of_rows(rows: &HashMap<u32, (u32, Observation)>) -> Latest {
    let mut latest = Latest::new(Metric::RestingHr);
    for (row, (version, observation)) in rows {
        latest.offer(&row.to_string(), observation, &as_of(*version));
    }
    latest
}

/// Of two of the same version the first counts: a version says one thing.
fn distinct(versions: Vec<Version>) -> Vec<Version> {
    let mut seen = std::collections::HashSet::new();
    versions.into_iter().filter(|(row, version, _)| seen.insert((*row, *version))).collect()
}

proptest! {
    /// Versions of a row that keep its day and only ever move ahead, as a day's sums do: no order needs the other rows.
    #[test]
    fn offers_in_any_order_any_number_of_times_end_as_the_same(
        offers in proptest::collection::vec(versions(50, 40), 1..120),
        picks in proptest::collection::vec(any::<Index>(), 0..200),
    ) {
        let offers: Vec<Version> = distinct(offers).into_iter().map(|(row, version, given)| {
            let same_day = observation(row % 40, i64::from(row % 3) + i64::from(version / 2), given.value);
            (row, version, Observation { usual: row % 7 != 0, current: row % 5 != 0, ..same_day })
        }).collect();
        let offer = |latest: &mut Latest, (row, version, observation): &Version| {
            latest.offer(&row.to_string(), observation, &as_of(*version))
        };
        let mut forwards = Latest::new(Metric::RestingHr);
        let mut otherwise = Latest::new(Metric::RestingHr);
        for version in &offers {
            prop_assert_eq!(offer(&mut forwards, version), Fit::Whole);
        }
        for version in picks.iter().map(|pick| pick.get(&offers)).chain(offers.iter().rev()) {
            prop_assert_eq!(offer(&mut otherwise, version), Fit::Whole);
        }
        prop_assert_eq!(forwards, otherwise);
    }

    /// Versions that say anything, and rows that go, in the order that the documents' guard lets them through: what was
    /// made of all rows whenever one was lacking is what all rows come to.
    #[test]
    fn with_all_rows_asked_where_they_are_lacking_it_is_always_what_the_rows_come_to(
        offers in proptest::collection::vec((versions(12, 35), prop::bool::weighted(0.2)), 1..80),
    ) {
        let mut rows: HashMap<u32, (u32, Observation)> = HashMap::new();
        let mut latest = Latest::new(Metric::RestingHr);
        let mut newest_version: HashMap<u32, u32> = HashMap::new();
        for ((row, version, observation), goes) in offers {
            let guard = newest_version.entry(row).or_default();
            if version < *guard || rows.get(&row).is_some_and(|(known, _)| *known == version) {
                continue;
            }
            *guard = version;
            let fit = if goes {
                rows.remove(&row);
                latest.retract(&row.to_string())
            } else {
                rows.insert(row, (version, observation.clone()));
                latest.offer(&row.to_string(), &observation, &as_of(version))
            };
            if fit == Fit::Lacking {
                latest = of_rows(&rows);
            }
            prop_assert_eq!(&latest, &of_rows(&rows));
        }
    }
}
