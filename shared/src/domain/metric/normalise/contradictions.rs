//! What the fields of one element say against one another.

use serde_json::Value;

use super::{place::Place, read::number_at, rules::percent};
use crate::domain::metric::Metric;

/// Times are cut and rounded on the way: so many seconds too long is no contradiction.
const SLACK_SECONDS: f64 = 60.0;
/// How far the stages of sleep may be from the whole. Some providers leave out what they could not tell.
const STAGES_MAY_MISS: f64 = 0.1;
/// How far, in points of a hundred, an efficiency may be from asleep / in bed: providers differ in whether falling
/// asleep and lying awake at the end count as in bed.
const EFFICIENCY_MAY_MISS: f64 = 15.0;

/// The metrics that are contradicted; one stands here as often as something speaks against it.
#[derive(Debug, Default)]
pub(super) struct Contradictions {
    of: Vec<Metric>,
    /// It ends before it begins: nothing in it can be right.
    of_all: bool,
}

impl Contradictions {
    pub(super) fn of(item: &Value, place: &Place) -> Self {
        let mut found = Self { of: Vec::new(), of_all: place.seconds().is_some_and(|seconds| seconds < 0.0) };
        found.in_heart_rates(item);
        found.in_sleep(item, place);
        found.in_sums(item, place);
        found
    }

    /// How much speaks against a metric.
    pub(super) fn against(&self, metric: Metric) -> u8 {
        let found = self.of.iter().filter(|of| **of == metric).count() + usize::from(self.of_all);
        u8::try_from(found).unwrap_or(u8::MAX)
    }

    fn add_if(&mut self, contradicts: Option<bool>, metrics: &[Metric]) {
        if contradicts == Some(true) {
            self.of.extend(metrics);
        }
    }

    fn in_heart_rates(&mut self, item: &Value) {
        let rate = |name: &str| number_at(item, &format!("heart_rate_data.summary.{name}_hr_bpm"));
        let (min, average, max, resting) = (rate("min"), rate("avg"), rate("max"), rate("resting"));
        self.add_if(above(average, max), &[Metric::AvgHr, Metric::MaxHr]);
        self.add_if(above(min, average), &[Metric::AvgHr]);
        self.add_if(above(min, max), &[Metric::MaxHr]);
        self.add_if(above(resting, max), &[Metric::RestingHr, Metric::MaxHr]);
    }

    fn in_sleep(&mut self, item: &Value, place: &Place) {
        let of = |path: &str| number_at(item, &format!("sleep_durations_data.{path}"));
        let asleep = of("asleep.duration_asleep_state_seconds");
        let in_bed = of("other.duration_in_bed_seconds").filter(|seconds| *seconds > 0.0);
        self.add_if(longer(asleep, length(place)), &[Metric::SleepDuration]);
        self.add_if(longer(asleep, in_bed), &[Metric::SleepDuration]);

        let stage = |name: &str| of(&format!("asleep.duration_{name}_sleep_state_seconds"));
        let stages = ["deep", "light", "REM"].map(stage);
        let known: f64 = stages.iter().flatten().sum();
        let differ = asleep.map(|asleep| {
            // A stage that was not sent may be all that is missing, but never too much.
            let missing = if stages.contains(&None) { 0.0 } else { asleep - known };
            missing.max(known - asleep) > STAGES_MAY_MISS * asleep.abs()
        });
        self.add_if(differ, &[Metric::SleepDuration]);

        let differs = || {
            let (said, slept) = (percent(of("sleep_efficiency")?), 100.0 * asleep? / in_bed?);
            Some((said - slept).abs() > EFFICIENCY_MAY_MISS)
        };
        self.add_if(differs(), &[Metric::SleepDuration, Metric::SleepEfficiency]);
    }

    /// A part that is more than the whole.
    fn in_sums(&mut self, item: &Value, place: &Place) {
        let calories = |name: &str| number_at(item, &format!("calories_data.{name}_calories"));
        let total = calories("total_burned");
        self.add_if(above(calories("net_activity"), total), &[Metric::ActiveCalories, Metric::Calories]);
        self.add_if(above(calories("BMR"), total), &[Metric::BmrCalories, Metric::Calories]);
        let active = number_at(item, "active_durations_data.activity_seconds");
        self.add_if(longer(active, length(place)), &[Metric::ActiveTime]);
    }
}

/// How long it was. That of some days is nought, since they begin and end at the same midnight: it says nothing.
fn length(place: &Place) -> Option<f64> {
    place.seconds().filter(|seconds| *seconds > 0.0)
}

fn above(part: Option<f64>, whole: Option<f64>) -> Option<bool> {
    Some(part? > whole?)
}

fn longer(part: Option<f64>, whole: Option<f64>) -> Option<bool> {
    Some(part? > whole? + SLACK_SECONDS)
}
