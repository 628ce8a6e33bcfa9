//! An athlete and what they wear: days and nights as Terra's data events have them, made up from a seed.
//!
//! The athlete lives where it is half past nine in the morning, so that last night is three hours old whenever it is told.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime, Offset, SecondsFormat, TimeDelta, Timelike, Utc};
use rand::{Rng, SeedableRng};
// Its numbers stay the same in every release, which `StdRng` does not promise.
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// What the athlete's clock says, in minutes since midnight.
const MORNING: i32 = 9 * 60 + 30;
const DAY: i32 = 24 * 60;
/// When the athlete gets up, in minutes since midnight.
const UP_AT: i64 = 6 * 60 + 30;
const IN_BED: TimeDelta = TimeDelta::hours(8);

/// Somebody whose measurements are the same for the same seed.
#[derive(Debug, Clone)]
pub struct Athlete {
    seed: u64,
    zone: FixedOffset,
    today: NaiveDate,
}

/// A watch, a ring or a scale, as it is connected to Terra.
#[derive(Debug, Clone)]
pub struct Device {
    pub terra_user_id: String,
    pub provider: &'static str,
    /// What was given when it was connected: our user's id.
    pub reference_id: Option<String>,
}

/// How often a device takes a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Samples {
    /// It sends sums and means alone.
    Never,
    EveryMinutes(u16),
}

impl Device {
    /// A data event.
    pub fn event(&self, kind: &str, data: &[Value]) -> Value {
        json!({ "type": kind, "version": "2022-03-16", "user": self.user(), "data": data })
    }

    /// It was connected.
    pub fn auth(&self) -> Value {
        json!({
            "type": "auth", "status": "success", "version": "2022-03-16",
            "user": self.user(), "reference_id": self.reference_id,
        })
    }

    /// A large delivery that lies at this URL.
    pub fn lies_at(&self, url: &str) -> Value {
        json!({ "type": "s3_payload", "version": "2022-03-16", "user": self.user(), "url": url })
    }

    fn user(&self) -> Value {
        json!({
            "user_id": self.terra_user_id, "provider": self.provider, "reference_id": self.reference_id,
            "scopes": "daily:read,sleep:read", "active": true, "created_at": null, "last_webhook_update": null,
        })
    }
}

impl Athlete {
    pub fn new(seed: u64, now: DateTime<Utc>) -> Self {
        let zone = where_it_is_morning(now);
        Self { seed, zone, today: now.with_timezone(&zone).date_naive() }
    }

    /// The athlete's date.
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    /// What a device says of a whole day: an element of a `daily` event.
    pub fn day(&self, date: NaiveDate, samples: Samples) -> Value {
        let mut dice = self.dice(date, 0);
        let (start, end) = (self.at(date, 0), self.at(date + Days::new(1), 0));
        let steps = dice.whole(6_500.0, 13_500.0);
        let (burned_at_rest, burned) = (1_720.0 + dice.whole(-15.0, 15.0), dice.whole(380.0, 820.0));
        let average = dice.tenth(63.0, 71.0);
        let mut day = json!({
            "metadata": metadata(start, end),
            "distance_data": { "steps": steps, "distance_meters": (steps * 0.76).round() },
            "calories_data": {
                "total_burned_calories": burned_at_rest + burned,
                "net_activity_calories": burned, "BMR_calories": burned_at_rest,
            },
            "active_durations_data": { "activity_seconds": dice.whole(3_000.0, 6_600.0) },
            "heart_rate_data": { "summary": {
                "avg_hr_bpm": average, "min_hr_bpm": dice.whole(44.0, 48.0), "max_hr_bpm": dice.whole(138.0, 164.0),
                "resting_hr_bpm": dice.whole(50.0, 54.0),
                "avg_hrv_rmssd": dice.tenth(48.0, 62.0), "avg_hrv_sdnn": dice.tenth(60.0, 74.0),
            } },
            "oxygen_data": {
                "avg_saturation_percentage": dice.tenth(96.0, 98.0), "vo2max_ml_per_min_per_kg": dice.tenth(50.5, 51.5),
            },
        });
        let rows = samples.between(start, end);
        if !rows.is_empty() {
            let each = |name: &str, value: f64| named(&rows, name, value);
            day["heart_rate_data"]["detailed"] =
                json!({ "hr_samples": each("bpm", average), "hrv_samples_rmssd": each("hrv_rmssd", 55.0) });
            day["distance_data"]["detailed"] =
                json!({ "step_samples": each("steps", 30.0), "distance_samples": each("distance_meters", 23.0) });
            day["calories_data"]["calorie_samples"] = json!(each("calories", 8.0));
            day["active_durations_data"]["activity_levels_samples"] = json!(each("level", 2.0));
            day["oxygen_data"]["saturation_samples"] = json!(each("percentage", 97.0));
        }
        day
    }

    /// What a device says of the night before this morning: an element of a `sleep` event.
    pub fn night(&self, morning: NaiveDate, samples: Samples) -> Value {
        let mut dice = self.dice(morning, 1);
        let end = self.at(morning, UP_AT);
        let start = end - IN_BED;
        let (deep, rem, light) =
            (dice.whole(4_800.0, 6_300.0), dice.whole(5_400.0, 7_200.0), dice.whole(12_600.0, 14_100.0));
        let (asleep, in_bed) = (deep + rem + light, IN_BED.as_seconds_f64());
        let average = dice.tenth(52.0, 56.0);
        let mut night = json!({
            "metadata": metadata(start, end),
            "sleep_durations_data": {
                "asleep": {
                    "duration_asleep_state_seconds": asleep, "duration_deep_sleep_state_seconds": deep,
                    "duration_light_sleep_state_seconds": light, "duration_REM_sleep_state_seconds": rem,
                },
                "awake": { "duration_awake_state_seconds": in_bed - asleep },
                "other": { "duration_in_bed_seconds": in_bed },
                "sleep_efficiency": tenth(100.0 * asleep / in_bed),
            },
            "heart_rate_data": { "summary": {
                "avg_hr_bpm": average, "min_hr_bpm": dice.whole(42.0, 45.0), "max_hr_bpm": dice.whole(66.0, 74.0),
                "resting_hr_bpm": dice.whole(47.0, 50.0),
                "avg_hrv_rmssd": dice.tenth(58.0, 72.0), "avg_hrv_sdnn": dice.tenth(66.0, 80.0),
            } },
            "respiration_data": {
                "breaths_data": { "avg_breaths_per_min": dice.tenth(13.8, 14.8) },
                "oxygen_saturation_data": { "avg_saturation_percentage": dice.tenth(95.5, 97.5) },
            },
            "temperature_data": { "delta": dice.tenth(-0.2, 0.2) },
        });
        night["metadata"]["summary_id"] = json!(format!("night-{:016x}-{morning}", self.seed));
        night["metadata"]["is_nap"] = json!(false);
        let rows = samples.between(start, end);
        if !rows.is_empty() {
            let each = |name: &str, value: f64| named(&rows, name, value);
            night["heart_rate_data"]["detailed"] = json!({
                "hr_samples": each("bpm", average), "hrv_samples_rmssd": each("hrv_rmssd", 65.0),
                "hrv_samples_sdnn": each("hrv_sdnn", 72.0),
            });
            night["sleep_durations_data"]["hypnogram_samples"] = json!(each("level", 4.0));
            night["respiration_data"]["breaths_data"]["samples"] = json!(each("breaths_per_min", 14.3));
            night["respiration_data"]["oxygen_saturation_data"]["samples"] = json!(each("percentage", 96.5));
        }
        night
    }

    /// So many minutes into a day.
    pub fn at(&self, date: NaiveDate, minutes: i64) -> DateTime<FixedOffset> {
        let local = date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes);
        let zone = TimeDelta::seconds(self.zone.local_minus_utc().into());
        (local - zone).and_utc().with_timezone(&self.zone)
    }

    /// Each day and each night has its own chance, so that either can be told again.
    fn dice(&self, date: NaiveDate, what: u64) -> Dice {
        let day = u64::try_from((date - NaiveDate::default()).num_days()).unwrap_or_default();
        Dice(ChaCha8Rng::seed_from_u64(self.seed.rotate_left(32) ^ (day << 1 | what)))
    }
}

/// An offset from UTC in quarters of an hour, as the world has them.
fn where_it_is_morning(now: DateTime<Utc>) -> FixedOffset {
    let minute = i32::try_from(now.num_seconds_from_midnight() / 60).unwrap_or_default();
    // Twelve hours behind to twelve ahead.
    let ahead = (MORNING - minute + DAY / 2).rem_euclid(DAY) - DAY / 2;
    let quarters = ahead.div_euclid(15) * 15;
    FixedOffset::east_opt(quarters * 60).unwrap_or(Utc.fix())
}

fn metadata(start: DateTime<FixedOffset>, end: DateTime<FixedOffset>) -> Value {
    json!({ "start_time": time(start), "end_time": time(end), "upload_type": 1, "timestamp_localization": 0 })
}

fn time(at: DateTime<FixedOffset>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

impl Samples {
    /// When they are taken, and how many seconds each stands for.
    fn between(self, start: DateTime<FixedOffset>, end: DateTime<FixedOffset>) -> Vec<(String, i64)> {
        let every = match self {
            Self::Never | Self::EveryMinutes(0) => return Vec::new(),
            Self::EveryMinutes(minutes) => TimeDelta::minutes(minutes.into()),
        };
        let times = std::iter::successors(Some(start), |at| Some(*at + every)).take_while(|at| *at < end);
        times.map(|at| (time(at), every.num_seconds())).collect()
    }
}

fn named(rows: &[(String, i64)], name: &str, value: f64) -> Vec<Value> {
    let row =
        |(at, seconds): &(String, i64)| json!({ "timestamp": at, name: value, "timer_duration_seconds": seconds });
    rows.iter().map(row).collect()
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn whole(&mut self, low: f64, high: f64) -> f64 {
        self.0.random_range(low..=high).round()
    }

    fn tenth(&mut self, low: f64, high: f64) -> f64 {
        tenth(self.0.random_range(low..=high))
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn it_is_morning_where_the_athlete_lives() {
        for now in ["2026-07-01T00:00:00Z", "2026-07-01T09:37:12Z", "2026-07-01T21:29:00Z", "2026-07-01T21:31:00Z"] {
            let local = at(now).with_timezone(&where_it_is_morning(at(now)));
            let minutes = local.hour() * 60 + local.minute();
            assert!((9 * 60 + 15..=9 * 60 + 30).contains(&minutes), "{now}: {local}");
        }
    }

    #[test]
    fn last_night_ended_some_three_hours_ago() {
        let now = at("2026-07-01T15:00:00Z");
        let athlete = Athlete::new(7, now);
        let night = athlete.night(athlete.today(), Samples::Never);
        let end: DateTime<Utc> = night["metadata"]["end_time"].as_str().unwrap().parse().unwrap();
        assert!((TimeDelta::minutes(165)..=TimeDelta::minutes(180)).contains(&(now - end)), "{end}");
    }

    #[test]
    fn a_day_is_the_same_each_time_it_is_told_and_no_other() {
        let athlete = |seed| Athlete::new(seed, at("2026-07-01T15:00:00Z"));
        let date = athlete(7).today();
        let day = |seed, date| athlete(seed).day(date, Samples::EveryMinutes(60));
        assert_eq!(day(7, date), day(7, date));
        assert_ne!(day(7, date), day(8, date));
        assert_ne!(day(7, date)["distance_data"], day(7, date - Days::new(1))["distance_data"]);
        assert_eq!(day(7, date)["heart_rate_data"]["detailed"]["hr_samples"].as_array().unwrap().len(), 24);
    }
}
