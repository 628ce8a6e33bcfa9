//! What the watch and the ring send in two weeks, and what is to come of it.

use std::ops::RangeInclusive;

use chrono::{DateTime, Days, FixedOffset, SecondsFormat};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    athlete::{Athlete, Device, Samples},
    system,
    terra::Webhook,
};

/// With last night there are 14 earlier ones: enough to say what is usual.
const DAYS: u64 = 15;
/// On the scale, in the large delivery.
const WEIGHED_DAYS: u64 = 60;
/// Minutes after midnight.
const EVENING: i64 = 18 * 60;
const WEIGHED_AT: i64 = 7 * 60;

const OF_A_DAY: Samples = Samples::EveryMinutes(15);
const OF_A_NIGHT: Samples = Samples::EveryMinutes(5);

/// Webhooks that belong together.
pub struct Parcel {
    /// What is in it.
    pub what: &'static str,
    pub webhooks: Vec<Webhook>,
    /// `status` of each answer.
    pub answer: &'static str,
}

/// What latest-metrics is to say of a metric.
pub struct Expected {
    pub metric: &'static str,
    pub value: f64,
    pub source: &'static str,
    pub confidence: RangeInclusive<f64>,
}

/// Two weeks of an athlete who wears a watch by day and a ring at night.
pub struct Fortnight {
    athlete: Athlete,
    watch: Device,
    ring: Device,
}

impl Fortnight {
    /// Of the user with this id.
    pub fn new(seed: u64, user: Uuid) -> Self {
        let device = |name: &str, provider| Device {
            terra_user_id: format!("{name}-{seed}"),
            provider,
            reference_id: Some(user.to_string()),
        };
        Self {
            athlete: Athlete::new(seed, system::now()),
            watch: device("watch", "GARMIN"),
            ring: device("ring", "OURA"),
        }
    }

    /// Everything that is sent, in its order. The large delivery lies at the URL.
    pub fn parcels(&self, large_delivery: &str) -> Vec<Parcel> {
        let queued = |what, webhooks| Parcel { what, webhooks, answer: "queued" };
        let nights = self.nights();
        let again = nights.last().cloned().into_iter().collect();
        vec![
            queued(
                "a watch (GARMIN) and a ring (OURA) are connected",
                vec![self.connected(&self.watch), self.connected(&self.ring)],
            ),
            queued("whole days of the watch, a sample every 15 minutes", self.days()),
            queued("whole nights of the ring, a sample every 5 minutes", nights),
            queued("yesterday: more calories by moving than altogether", vec![self.yesterday()]),
            queued("yesterday as it was in the evening, late", vec![self.yesterday_in_the_evening()]),
            queued("a weight, entered by hand", vec![self.by_hand()]),
            Parcel { what: "last night, once more", webhooks: again, answer: "duplicate" },
            queued("two months on a scale, too large to be sent: a link", vec![self.link(large_delivery)]),
        ]
    }

    /// The body of the large delivery.
    pub fn large_delivery(&self) -> String {
        let days: Vec<Value> = (1..=WEIGHED_DAYS).rev().map(|ago| self.weighed(ago)).collect();
        self.watch.event("body", &days).to_string()
    }

    fn connected(&self, device: &Device) -> Webhook {
        let at = self.athlete.at(self.athlete.today() - Days::new(DAYS + 1), 0);
        webhook(&device.auth(), format!("demo-auth-{}", device.terra_user_id), at)
    }

    /// All days but yesterday.
    fn days(&self) -> Vec<Webhook> {
        let day = |ago| {
            let date = self.athlete.today() - Days::new(ago);
            self.of_watch(&self.athlete.day(date, OF_A_DAY), &format!("day-{date}"), ago - 1, 0)
        };
        (2..=DAYS).rev().map(day).collect()
    }

    fn nights(&self) -> Vec<Webhook> {
        let night = |ago| {
            let morning = self.athlete.today() - Days::new(ago);
            let event = self.ring.event("sleep", &[self.athlete.night(morning, OF_A_NIGHT)]);
            webhook(&event, format!("demo-night-{morning}"), self.athlete.at(morning, WEIGHED_AT))
        };
        (0..DAYS).rev().map(night).collect()
    }

    /// A day with the contradiction in it.
    fn day_of_yesterday(&self) -> Value {
        let mut day = self.athlete.day(self.athlete.today() - Days::new(1), OF_A_DAY);
        let altogether = day["calories_data"]["total_burned_calories"].as_f64().unwrap_or_default();
        day["calories_data"]["net_activity_calories"] = json!(altogether + 500.0);
        day
    }

    fn yesterday(&self) -> Webhook {
        self.of_watch(&self.day_of_yesterday(), "yesterday", 0, 0)
    }

    /// An earlier state of the same day, which must not come over the later one.
    fn yesterday_in_the_evening(&self) -> Webhook {
        let mut day = self.day_of_yesterday();
        day["distance_data"] = json!({ "steps": 1_234, "distance_meters": 900 });
        self.of_watch(&day, "evening", 1, EVENING)
    }

    fn by_hand(&self) -> Webhook {
        let mut element = self.weighed(0);
        element["metadata"]["upload_type"] = json!(2);
        let event = self.watch.event("body", &[element]);
        webhook(&event, "demo-by-hand".to_owned(), self.athlete.at(self.athlete.today(), WEIGHED_AT))
    }

    fn link(&self, url: &str) -> Webhook {
        let at = self.athlete.at(self.athlete.today(), WEIGHED_AT);
        webhook(&self.watch.lies_at(url), "demo-large".to_owned(), at)
    }

    /// On the scale: an element of a `body` event. By hand there is no more than a weight.
    fn weighed(&self, ago: u64) -> Value {
        let at = time(self.athlete.at(self.athlete.today() - Days::new(ago), WEIGHED_AT));
        // They lose a little every week.
        let weight = 71.0 + f64::from(u32::try_from(ago).unwrap_or_default()) * 0.02;
        let mut measurement = json!({ "measurement_time": at, "weight_kg": tenth(weight) });
        if ago > 0 {
            measurement["bodyfat_percentage"] = json!(tenth(weight - 54.0));
            measurement["BMI"] = json!(tenth(weight / 3.2));
            measurement["muscle_mass_g"] = json!(57_000);
            measurement["water_percentage"] = json!(60.5);
            measurement["bone_mass_g"] = json!(3_300);
        }
        json!({
            "metadata": { "start_time": at, "end_time": at, "upload_type": 1 },
            "measurements_data": { "measurements": [measurement] },
        })
    }

    fn of_watch(&self, day: &Value, id: &str, sent_days_ago: u64, minutes: i64) -> Webhook {
        let sent_at = self.athlete.at(self.athlete.today() - Days::new(sent_days_ago), minutes);
        webhook(&self.watch.event("daily", std::slice::from_ref(day)), format!("demo-{id}"), sent_at)
    }

    /// What is to be known before the large delivery is there.
    pub fn expected(&self) -> Vec<Expected> {
        let night = self.athlete.night(self.athlete.today(), Samples::Never);
        let day = self.day_of_yesterday();
        let mut expected = Vec::new();
        // A whole night of a device, some hours old.
        for (metric, path) in [
            ("sleep_duration", "/sleep_durations_data/asleep/duration_asleep_state_seconds"),
            ("sleep_efficiency", "/sleep_durations_data/sleep_efficiency"),
            ("resting_hr", "/heart_rate_data/summary/resting_hr_bpm"),
            ("avg_hr", "/heart_rate_data/summary/avg_hr_bpm"),
            ("max_hr", "/heart_rate_data/summary/max_hr_bpm"),
            ("hrv_rmssd", "/heart_rate_data/summary/avg_hrv_rmssd"),
            ("hrv_sdnn", "/heart_rate_data/summary/avg_hrv_sdnn"),
            ("spo2", "/respiration_data/oxygen_saturation_data/avg_saturation_percentage"),
            ("respiration", "/respiration_data/breaths_data/avg_breaths_per_min"),
            ("skin_temp_delta", "/temperature_data/delta"),
        ] {
            expected.push(Expected {
                metric,
                value: number(&night, path),
                source: self.ring.provider,
                confidence: 90.0..=100.0,
            });
        }
        // Yesterday, and what it says against itself.
        for (metric, path, confidence) in [
            ("steps", "/distance_data/steps", 75.0..=100.0),
            ("distance", "/distance_data/distance_meters", 75.0..=100.0),
            ("active_time", "/active_durations_data/activity_seconds", 75.0..=100.0),
            ("vo2max", "/oxygen_data/vo2max_ml_per_min_per_kg", 75.0..=100.0),
            ("bmr_calories", "/calories_data/BMR_calories", 75.0..=100.0),
            ("calories", "/calories_data/total_burned_calories", 1.0..=74.9),
            ("active_calories", "/calories_data/net_activity_calories", 1.0..=74.9),
        ] {
            expected.push(Expected { metric, value: number(&day, path), source: self.watch.provider, confidence });
        }
        expected.push(self.of_scale("weight", "weight_kg", 0, 1.0..=60.0));
        expected
    }

    /// What comes of the large delivery.
    pub fn expected_of_large_delivery(&self) -> Expected {
        self.of_scale("body_fat", "bodyfat_percentage", 1, 75.0..=100.0)
    }

    fn of_scale(&self, metric: &'static str, name: &str, ago: u64, confidence: RangeInclusive<f64>) -> Expected {
        let value = number(&self.weighed(ago), &format!("/measurements_data/measurements/0/{name}"));
        Expected { metric, value, source: self.watch.provider, confidence }
    }
}

/// A webhook under this id, ordered by when its content was true.
fn webhook(body: &Value, id: String, at: DateTime<FixedOffset>) -> Webhook {
    Webhook::new(body.to_string()).trace_id(id).ordered_at(at.timestamp_millis())
}

fn time(at: DateTime<FixedOffset>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn number(element: &Value, path: &str) -> f64 {
    element.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN)
}
