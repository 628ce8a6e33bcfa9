//! From an element of an event's `data` to observations.
//!
//! [`rules`] says what is taken from where; nothing else is.

use serde_json::Value;

use super::{Document, Evidence, Observation, Stretch, Unplaced, UploadType};
use crate::domain::terra::DataType;

mod contradictions;
mod place;
mod read;
mod rules;
mod samples;

use contradictions::Contradictions;
use place::Place;
use read::{at, number, time};
use rules::{Expected, Rule};
use samples::{Sampled, Series};

/// What a document's observations tell apart by, so that documents of several types may share a key: a body's date is a
/// daily's, too, and some providers name a night or a training by its date.
const DAILY: u32 = 0;
const BODY: u32 = 1;
const ACTIVITY: u32 = 1; // nothing of it is a body's
const SLEEP: u32 = 2;

/// The observations of one element. `provider` as in the event's user.
pub fn normalise(data_type: DataType, provider: &str, item: &Value) -> Result<Document, Unplaced> {
    let place = Place::of(data_type, item)?;
    let source = Source { provider, upload_type: upload_type(item), contradictions: Contradictions::of(item, &place) };
    let reading = |stretch, ordinal| Reading { item, place: &place, source: &source, stretch, ordinal };
    let observations = match data_type {
        DataType::Daily => reading(Stretch::Day, DAILY).observations(rules::DAILY, rules::DAILY_EXPECTED),
        DataType::Sleep => reading(Stretch::Night, SLEEP).observations(rules::SLEEP, rules::SLEEP_EXPECTED),
        DataType::Activity => {
            reading(Stretch::Activity, ACTIVITY).observations(rules::ACTIVITY, rules::ACTIVITY_EXPECTED)
        }
        DataType::Body => {
            let mut all = reading(Stretch::Day, BODY).observations(rules::BODY, rules::BODY_EXPECTED);
            all.extend(measurements(item, &place, &source));
            all
        }
        DataType::Athlete
        | DataType::Hormone
        | DataType::Menstruation
        | DataType::Nutrition
        | DataType::PlannedWorkout => Vec::new(),
    };
    Ok(Document { data_type, key: place.key, observations })
}

/// What holds for all of an element.
struct Source<'a> {
    provider: &'a str,
    upload_type: UploadType,
    contradictions: Contradictions,
}

/// An element, or a part of it, that values are read from.
struct Reading<'a> {
    item: &'a Value,
    place: &'a Place,
    source: &'a Source<'a>,
    stretch: Stretch,
    ordinal: u32,
}

impl Reading<'_> {
    /// One observation for each value that is there.
    fn observations(&self, rules: &[Rule], expected: &[Expected]) -> Vec<Observation> {
        let (fields_present, fields_expected) = (rules::present(self.item, expected), rules::count(expected.len()));
        let nap = self.place.is_nap;
        let mut sampled = Measured::default();
        let observe = |rule: &Rule| {
            let value = rule.value(self.item)?;
            let Sampled { samples, coverage } = sampled.get(self.item, rule.series, self.place);
            let evidence = Evidence {
                provider: self.source.provider.to_owned(),
                upload_type: self.source.upload_type,
                stretch: self.stretch,
                fields_present,
                fields_expected,
                coverage,
                samples,
                contradictions: self.source.contradictions.against(rule.metric),
            };
            Some(Observation {
                metric: rule.metric,
                value,
                observed_at: self.place.observed_at,
                local_date: self.place.local_date,
                ordinal: self.ordinal,
                evidence,
                usual: !nap && self.stretch != Stretch::Activity,
                current: !nap,
            })
        };
        rules.iter().filter_map(observe).collect()
    }
}

/// One observation for each value of each measurement, by its own time.
fn measurements(item: &Value, place: &Place, source: &Source<'_>) -> Vec<Observation> {
    let list = at(item, rules::MEASUREMENTS).and_then(Value::as_array);
    let of_one = |(ordinal, item): (u32, &Value)| {
        let mut place = place.clone();
        if let Some(time) = at(item, "measurement_time").and_then(time) {
            (place.observed_at, place.local_date) = (time.to_utc(), time.date_naive());
        }
        let reading = Reading { item, place: &place, source, stretch: Stretch::Moment, ordinal };
        let mut observations = reading.observations(rules::MEASUREMENT, rules::MEASUREMENT_EXPECTED);
        for observation in &mut observations {
            // A measurement is its own sample.
            observation.evidence.samples = 1;
        }
        observations
    };
    (0..).zip(list.into_iter().flatten()).flat_map(of_one).collect()
}

/// What has been found out about the series of an element: several metrics come from the same, and they may be long.
#[derive(Default)]
struct Measured(Vec<(&'static str, Sampled)>);

impl Measured {
    fn get(&mut self, item: &Value, series: Option<Series>, place: &Place) -> Sampled {
        let Some(series) = series else { return Sampled::default() };
        if let Some((_, sampled)) = self.0.iter().find(|(path, _)| *path == series.path) {
            return *sampled;
        }
        let sampled = series.measure(item, place.interval());
        self.0.push((series.path, sampled));
        sampled
    }
}

/// By Terra's numbers.
fn upload_type(item: &Value) -> UploadType {
    const TYPES: [(f64, UploadType); 6] = [
        (1.0, UploadType::Automatic),
        (2.0, UploadType::Manual),
        (3.0, UploadType::Update),
        (4.0, UploadType::External),
        (5.0, UploadType::Pending),
        (6.0, UploadType::ThirdParty),
    ];
    let given = at(item, "metadata.upload_type").and_then(number);
    let known = |given| TYPES.into_iter().find_map(|(number, upload)| (number == given).then_some(upload));
    given.and_then(known).unwrap_or_default()
}

#[cfg(test)]
mod tests;
