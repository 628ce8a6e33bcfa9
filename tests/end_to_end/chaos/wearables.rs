//! What wearables tell: bodies of data events, made of nothing but who tells of which day, in which version.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use shared::ids::derived;

/// Minutes between the samples of a long night: such a body is over 4 KB.
const SAMPLED_EVERY: u32 = 3;

/// Which day of whom a document tells of, and how often it was told before: each version has values of its own.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    pub terra_user: &'a str,
    /// Who it is, whatever Terra calls them.
    pub person: &'a str,
    pub day: u32,
    pub version: u32,
}

impl Telling<'_> {
    pub fn date(&self) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 5, 1).unwrap() + Days::new(self.day.into())
    }

    /// A value between two, to a tenth.
    fn draw(&self, what: &str, low: f64, high: f64) -> f64 {
        let id = derived(what, &[self.terra_user, &self.day.to_string(), &self.version.to_string()]);
        let [.., a, b, c, d] = *id.as_bytes();
        let share = f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX);
        ((low + (high - low) * share) * 10.0).round() / 10.0
    }

    fn count(&self, what: &str, low: f64, high: f64) -> f64 {
        self.draw(what, low, high).round()
    }

    /// In a zone of the person's own.
    fn at(&self, day: NaiveDate, time: &str) -> String {
        let zone = ["+00:00", "+02:00", "-07:00", "+05:30"][self.person.len() % 4];
        format!("{day}T{time}.000000{zone}")
    }

    fn heart(&self, samples: u32, resting: bool) -> Value {
        let sample = |at: u32| {
            let time =
                self.at(self.date(), &format!("{:02}:{:02}:00", at * SAMPLED_EVERY / 60, at * SAMPLED_EVERY % 60));
            json!({ "timestamp": time, "bpm": 50 + (at + self.day) % 9 })
        };
        let mut summary = json!({
            "avg_hr_bpm": self.draw("avg_hr", 55.0, 75.0),
            "max_hr_bpm": self.count("max_hr", 90.0, 180.0),
            "avg_hrv_rmssd": self.draw("rmssd", 20.0, 90.0),
        });
        if resting {
            summary["resting_hr_bpm"] = json!(self.count("resting_hr", 44.0, 54.0));
        }
        json!({ "summary": summary, "detailed": { "hr_samples": (0..samples).map(sample).collect::<Vec<_>>() } })
    }

    /// An element of `data` in an event of this type.
    pub fn document(&self, kind: &str) -> Value {
        match kind {
            "daily" => self.daily(),
            "sleep" => self.sleep(),
            "body" => self.body(),
            "activity" => self.activity(),
            other => panic!("nobody tells of {other}"),
        }
    }

    fn daily(&self) -> Value {
        let total = self.draw("calories", 1_800.0, 3_200.0);
        json!({
            "metadata": {
                "start_time": self.at(self.date(), "00:00:00"),
                "end_time": self.at(self.date() + Days::new(1), "00:00:00"),
                "upload_type": if self.day % 5 == 4 { 2 } else { 1 },
            },
            "distance_data": {
                "steps": self.count("steps", 1_000.0, 20_000.0),
                "distance_meters": self.draw("distance", 800.0, 16_000.0),
            },
            "calories_data": { "total_burned_calories": total, "net_activity_calories": total / 4.0 },
            "heart_rate_data": self.heart(0, true),
            "oxygen_data": { "avg_saturation_percentage": self.draw("spo2", 93.0, 99.0) },
            "active_durations_data": { "activity_seconds": self.count("active", 600.0, 9_000.0) },
        })
    }

    /// Versions tell of the same night under one `summary_id`.
    fn sleep(&self) -> Value {
        let asleep = self.count("asleep", 18_000.0, 28_000.0);
        json!({
            "metadata": {
                "summary_id": format!("night-{}-{}", self.person, self.day),
                "start_time": self.at(self.date(), "00:10:00"),
                "end_time": self.at(self.date(), "08:30:00"),
                "is_nap": false,
                "upload_type": 1,
            },
            "sleep_durations_data": {
                "asleep": { "duration_asleep_state_seconds": asleep },
                "sleep_efficiency": self.draw("efficiency", 0.8, 1.0),
            },
            "heart_rate_data": self.heart([160, 0, 1][self.person.len() % 3], self.version != 1),
            "respiration_data": { "breaths_data": { "avg_breaths_per_min": self.draw("breaths", 12.0, 18.0) } },
        })
    }

    /// Each version has a measurement less.
    fn body(&self) -> Value {
        let measurement = |at: u32| {
            let time = self.at(self.date(), &format!("{:02}:15:00", 6 + 3 * at));
            let weight = self.draw(&format!("weight {at}"), 60.0, 80.0);
            json!({ "measurement_time": time, "weight_kg": weight, "bodyfat_percentage": weight / 4.0 })
        };
        let measured = 4_u32.saturating_sub(self.version);
        json!({
            "metadata": {
                "start_time": self.at(self.date(), "00:00:00"),
                "end_time": self.at(self.date() + Days::new(1), "00:00:00"),
            },
            "measurements_data": { "measurements": (0..measured).map(measurement).collect::<Vec<_>>() },
            "oxygen_data": { "vo2max_ml_per_min_per_kg": self.draw("vo2max", 30.0, 60.0) },
        })
    }

    fn activity(&self) -> Value {
        json!({
            "metadata": {
                "summary_id": format!("run-{}-{}", self.person, self.day),
                "name": "Run",
                "start_time": self.at(self.date(), "17:30:00"),
                "end_time": self.at(self.date(), "18:20:00"),
                "upload_type": 1,
            },
            "distance_data": { "summary": { "distance_meters": self.draw("run", 3_000.0, 12_000.0) } },
            "calories_data": { "net_activity_calories": self.draw("burnt", 200.0, 700.0) },
            "heart_rate_data": self.heart(12, false),
        })
    }
}
