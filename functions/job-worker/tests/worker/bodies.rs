//! Webhook bodies.

use serde_json::{Value, json};
use shared::ids::UserId;
use uuid::Uuid;

/// One of our users.
pub fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(0x4000_8000_0000_0000_0000 + n))
}

/// Terra's user `id` of a provider; connected by one of ours, if it says so.
pub fn terra(id: &str, provider: &str, ours: Option<UserId>) -> Value {
    json!({ "user_id": id, "provider": provider, "reference_id": ours, "active": true, "scopes": "DAILY" })
}

pub fn event(kind: &str, user: &Value) -> Value {
    json!({ "type": kind, "status": "success", "user": user })
}

pub fn reauth(old: &Value, new: &Value) -> Value {
    json!({ "type": "user_reauth", "status": "warning", "old_user": old, "new_user": new })
}

pub fn data(kind: &str, user: &Value, items: Vec<Value>) -> Value {
    json!({ "type": kind, "version": "2022-03-16", "user": user, "data": items })
}

/// A day with its steps and resting heart rate.
pub fn day(date: &str, steps: u32, resting_hr: Option<u32>) -> Value {
    json!({
        "metadata": {
            "start_time": format!("{date}T00:00:00.000000+02:00"),
            "end_time": format!("{date}T23:59:59.000000+02:00"),
            "upload_type": 1,
        },
        "distance_data": { "steps": steps },
        "heart_rate_data": { "summary": { "resting_hr_bpm": resting_hr } },
    })
}

/// A night that ends in the morning of `date`.
pub fn night(date: &str, id: &str, asleep: u32) -> Value {
    json!({
        "metadata": {
            "start_time": format!("{date}T00:10:00.000000+02:00"),
            "end_time": format!("{date}T07:40:00.000000+02:00"),
            "summary_id": id, "upload_type": 1,
        },
        "sleep_durations_data": { "asleep": { "duration_asleep_state_seconds": asleep } },
    })
}

/// Weighings of a day, each with its hour.
pub fn weighings(date: &str, weights: &[(u32, f64)]) -> Value {
    let measurements = weights.iter().map(|(minute, weight)| {
        let (hour, minute) = (minute / 60, minute % 60);
        json!({ "measurement_time": format!("{date}T{hour:02}:{minute:02}:00.000000+02:00"), "weight_kg": weight })
    });
    json!({
        "metadata": {
            "start_time": format!("{date}T00:00:00.000000+02:00"),
            "end_time": format!("{date}T23:59:59.000000+02:00"),
        },
        "measurements_data": { "measurements": measurements.collect::<Vec<_>>() },
    })
}

/// All orders of some things.
pub fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let first = |at: usize| {
        let mut rest = items.to_vec();
        let item = rest.remove(at);
        permutations(&rest).into_iter().map(move |order| [vec![item.clone()], order].concat())
    };
    (0..items.len()).flat_map(first).collect()
}
