//! The unified metrics, and what is known of each.

use std::ops::RangeInclusive;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A unified metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    RestingHr,
    AvgHr,
    MaxHr,
    HrvRmssd,
    HrvSdnn,
    Steps,
    Distance,
    SleepDuration,
    SleepEfficiency,
    Spo2,
    Vo2max,
    Calories,
    ActiveCalories,
    BmrCalories,
    Weight,
    BodyFat,
    Respiration,
    SkinTempDelta,
    ActiveTime,
}

/// What is known of a metric.
struct Traits {
    name: &'static str,
    unit: &'static str,
    /// Values outside are nonsense.
    plausible: RangeInclusive<f64>,
    /// The time in which freshness falls to 1/e.
    fades_in: TimeDelta,
    /// The least spread (as a standard deviation, in the metric's unit) that is taken for a user's usual one, so that a
    /// user of very even days is not told that a small change is nonsense: what a wearable's own error and an ordinary
    /// day make.
    least_spread: f64,
    /// Samples behind a value from which on more of them add nothing; 0 where a value has no samples: it is measured
    /// once, or worked out from what is no series.
    ample_samples: u32,
    /// Whether a day's, a night's and an activity's value are different things, so that none is a measure of the
    /// others.
    by_stretch: bool,
}

/// A day's sum, or a night: the day after, it is still what there is; three days later others have come and gone.
const DAYS: TimeDelta = TimeDelta::days(3);
/// What the body's state moves within a week: training, illness, rest.
const WEEK: TimeDelta = TimeDelta::days(7);
/// Weight moves by some hundred grams a week.
const FORTNIGHT: TimeDelta = TimeDelta::days(14);
/// What takes weeks of training or eating to change.
const MONTH: TimeDelta = TimeDelta::days(30);

impl Metric {
    pub const ALL: [Self; 19] = [
        Self::RestingHr,
        Self::AvgHr,
        Self::MaxHr,
        Self::HrvRmssd,
        Self::HrvSdnn,
        Self::Steps,
        Self::Distance,
        Self::SleepDuration,
        Self::SleepEfficiency,
        Self::Spo2,
        Self::Vo2max,
        Self::Calories,
        Self::ActiveCalories,
        Self::BmrCalories,
        Self::Weight,
        Self::BodyFat,
        Self::Respiration,
        Self::SkinTempDelta,
        Self::ActiveTime,
    ];

    #[rustfmt::skip]
    const fn traits(self) -> Traits {
        // Ample samples: one in five minutes of a night is about 96, of a waking day about 200; hourly sums make 24;
        // a night has some 20 changes of stage. HRV is taken in windows of five minutes (Task Force of the ESC and
        // NASPE, 1996), of which devices keep a dozen or more.
        match self {
            Self::RestingHr       => row("resting_hr", "bpm", 25.0..=120.0, WEEK, 2.0, 96, false),
            Self::AvgHr           => row("avg_hr", "bpm", 25.0..=230.0, DAYS, 4.0, 96, true),
            Self::MaxHr           => row("max_hr", "bpm", 25.0..=230.0, DAYS, 10.0, 96, true),
            Self::HrvRmssd        => row("hrv_rmssd", "ms", 1.0..=300.0, WEEK, 6.0, 12, true),
            Self::HrvSdnn         => row("hrv_sdnn", "ms", 1.0..=300.0, WEEK, 6.0, 12, true),
            Self::Steps           => row("steps", "count", 0.0..=150_000.0, DAYS, 2_000.0, 24, true),
            Self::Distance        => row("distance", "m", 0.0..=300_000.0, DAYS, 1_500.0, 24, true),
            Self::SleepDuration   => row("sleep_duration", "s", 0.0..=86_400.0, DAYS, 2_700.0, 20, false),
            Self::SleepEfficiency => row("sleep_efficiency", "%", 0.0..=100.0, DAYS, 3.0, 20, false),
            Self::Spo2            => row("spo2", "%", 60.0..=100.0, WEEK, 1.5, 24, false),
            Self::Vo2max          => row("vo2max", "ml/min/kg", 10.0..=100.0, MONTH, 1.5, 0, false),
            Self::Calories        => row("calories", "kcal", 0.0..=20_000.0, DAYS, 250.0, 24, true),
            Self::ActiveCalories  => row("active_calories", "kcal", 0.0..=20_000.0, DAYS, 200.0, 24, true),
            Self::BmrCalories     => row("bmr_calories", "kcal", 0.0..=20_000.0, MONTH, 50.0, 0, true),
            Self::Weight          => row("weight", "kg", 20.0..=400.0, FORTNIGHT, 0.8, 0, false),
            Self::BodyFat         => row("body_fat", "%", 2.0..=75.0, MONTH, 1.0, 0, false),
            Self::Respiration     => row("respiration", "/min", 4.0..=60.0, WEEK, 0.8, 24, false),
            Self::SkinTempDelta   => row("skin_temp_delta", "°C", -10.0..=10.0, DAYS, 0.3, 0, false),
            Self::ActiveTime      => row("active_time", "s", 0.0..=86_400.0, DAYS, 1_200.0, 24, true),
        }
    }

    /// As in the API and in keys, e.g. `resting_hr`.
    pub fn name(self) -> &'static str {
        self.traits().name
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// e.g. `bpm`
    pub fn unit(self) -> &'static str {
        self.traits().unit
    }

    /// Values outside are nonsense.
    pub fn plausible(self) -> RangeInclusive<f64> {
        self.traits().plausible
    }

    /// The time in which the metric loses all but 1/e of its freshness.
    pub fn fades_in(self) -> TimeDelta {
        self.traits().fades_in
    }

    /// The least spread, in the metric's unit, that is taken for a user's usual one.
    pub(super) fn least_spread(self) -> f64 {
        self.traits().least_spread
    }

    /// Samples from which on more of them add nothing; 0 for a metric that has none.
    pub(super) fn ample_samples(self) -> u32 {
        self.traits().ample_samples
    }

    /// Whether a day's, a night's and an activity's value are different things.
    pub(super) fn by_stretch(self) -> bool {
        self.traits().by_stretch
    }
}

const fn row(
    name: &'static str,
    unit: &'static str,
    plausible: RangeInclusive<f64>,
    fades_in: TimeDelta,
    least_spread: f64,
    ample_samples: u32,
    by_stretch: bool,
) -> Traits {
    Traits { name, unit, plausible, fades_in, least_spread, ample_samples, by_stretch }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_metric_has_the_same_name_everywhere() {
        for metric in Metric::ALL {
            assert_eq!(json!(metric), json!(metric.name()));
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
        }
        assert_eq!(Metric::from_name("mood"), None);
    }

    #[test]
    fn each_metric_stands_once_in_the_list() {
        let mut all = Metric::ALL.to_vec();
        all.sort();
        all.dedup();
        assert_eq!(all, Metric::ALL);
    }

    #[test]
    fn the_figures_of_a_metric_can_be_worked_with() {
        for metric in Metric::ALL {
            assert!(metric.plausible().start() < metric.plausible().end(), "{metric:?}");
            assert!(metric.fades_in() >= TimeDelta::days(1), "{metric:?}");
            assert!(metric.least_spread() > 0.0 && !metric.unit().is_empty(), "{metric:?}");
        }
    }
}
