//! What must be stored of some metrics in the end, worked out without the backend: of each document the newest version.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::ids::derived;

use super::deliveries::{Delivery, user_of};
use crate::support::{storage::Row, terra::text};

/// Steps and weights: values by user and sort key.
pub type Values = BTreeMap<String, String>;

/// A document of a user's connection, and when it was true.
type Documents = BTreeMap<[String; 3], ((i64, String), Value)>;

pub fn expected(deliveries: &[Delivery]) -> Values {
    let mut newest = Documents::new();
    for delivery in deliveries.iter().filter(|delivery| !delivery.poison) {
        let body: Value = serde_json::from_slice(&delivery.webhook.body).unwrap();
        let (kind, user) = (body["type"].as_str().unwrap(), &body["user"]);
        let Some(user_id) = user["user_id"].as_str().and_then(user_of) else { continue };
        let connection = derived("connection", &[&user_id, user["provider"].as_str().unwrap_or_default()]);
        let as_of = (delivery.webhook.ordered_at.unwrap(), delivery.id.clone());
        for item in body["data"].as_array().into_iter().flatten().filter(|_| ["daily", "body"].contains(&kind)) {
            let date = &item["metadata"]["start_time"].as_str().unwrap()[..10];
            let key = [kind.to_owned(), format!("{user_id} {date}"), connection.to_string()];
            if newest.get(&key).is_none_or(|(known, _)| *known < as_of) {
                newest.insert(key, (as_of.clone(), item.clone()));
            }
        }
    }
    newest.into_iter().flat_map(|([_, day, connection], (_, item))| values(&day, &connection, &item)).collect()
}

fn values(day: &str, connection: &str, item: &Value) -> Vec<(String, String)> {
    let (user, date) = day.split_once(' ').unwrap();
    let steps = item["distance_data"]["steps"].as_f64().into_iter().map(|steps| ("steps", 0, steps));
    let measured = item["measurements_data"]["measurements"].as_array().into_iter().flatten().enumerate();
    let weights = measured.map(|(n, measurement)| ("weight", n, measurement["weight_kg"].as_f64().unwrap()));
    steps
        .chain(weights)
        .map(|(metric, n, value)| (format!("{user} {metric}#{date}#{connection}#{n}"), value.to_string()))
        .collect()
}

/// The same as they are stored.
pub fn stored(rows: &[Row]) -> Values {
    let of_interest =
        rows.iter().filter(|row| ["steps#", "weight#"].iter().any(|name| sort_key(row).starts_with(name)));
    let value = |row: &Row| row["value"].as_n().unwrap().parse::<f64>().unwrap().to_string();
    of_interest.map(|row| (format!("{} {}", text(row, "user_id").unwrap(), sort_key(row)), value(row))).collect()
}

fn sort_key(row: &Row) -> String {
    text(row, "sk").unwrap()
}

/// How many deliveries of measurements wait for a user who never comes.
pub fn waiting(deliveries: &[Delivery]) -> usize {
    let data = deliveries.iter().filter(|delivery| !delivery.poison && delivery.job.is_some());
    let bodies = data.map(|delivery| serde_json::from_slice::<Value>(&delivery.webhook.body).unwrap());
    bodies
        .filter(|body| body["data"].is_array() && user_of(body["user"]["user_id"].as_str().unwrap()).is_none())
        .count()
}
