//! Wearables: who wears what, the events that Terra makes of it, and what is stored of them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use chrono::{Days, NaiveDate};
use local::{Stack, StackOptions};
use serde_json::{Value, json};
use shared::{clock::Clock, ids::Ids};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    User, start,
    storage::{Row, all_rows, item, rows_of},
    terra::{number, text},
};

/// The secret before the one that webhooks are signed with.
pub const PREVIOUS_SECRET: &str = "the-secret-of-last-month";

mod fixtures;

pub use fixtures::{full_day, full_night, night_until};

static STACK: OnceCell<Stack> = OnceCell::const_new();

/// The stack of all tests of wearables that need nothing special of it.
pub async fn stack() -> &'static Stack {
    STACK.get_or_init(|| start(options().secret("terra_signing_secret_previous", PREVIOUS_SECRET))).await
}

/// Of a stack whose worker does not wait a second for its batches to fill: most tests send one webhook at a time.
pub fn options() -> StackOptions {
    static TEMPLATE: LazyLock<PathBuf> = LazyLock::new(|| {
        let window = "            MaximumBatchingWindowInSeconds: 1\n";
        let template = fs::read_to_string(local_template()).unwrap();
        assert!(template.contains(window) && template.contains("BatchSize: 48"), "the template's mapping is another");
        let quick = template.replace(window, "").replace("BatchSize: 48", "BatchSize: 10");
        // Below the workspace, where cargo finds what it is to build.
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("quick-template.yaml");
        fs::write(&path, quick).unwrap();
        path
    });
    StackOptions { template: TEMPLATE.clone(), ..StackOptions::default() }
}

fn local_template() -> PathBuf {
    StackOptions::default().template
}

/// A Terra user: somebody's watch, ring or scale.
#[derive(Debug, Clone)]
pub struct Watch {
    pub terra_user: String,
    pub provider: &'static str,
    /// What was given when it was connected.
    pub reference: Option<String>,
}

impl Watch {
    /// The user's, whose every event names them.
    pub fn of(user: &User, provider: &'static str) -> Self {
        Self { reference: Some(user.id.to_string()), ..Self::of_nobody(provider) }
    }

    /// A Terra user who names nobody.
    pub fn of_nobody(provider: &'static str) -> Self {
        Self { terra_user: Ids.uuid().to_string(), provider, reference: None }
    }

    /// `user` of its events.
    pub fn user(&self) -> Value {
        json!({
            "user_id": self.terra_user, "provider": self.provider, "reference_id": self.reference,
            "scopes": "activity:read,sleep:read", "active": true, "created_at": null, "last_webhook_update": null,
        })
    }

    /// A data event.
    pub fn event(&self, kind: &str, data: impl IntoIterator<Item = Value>) -> Value {
        let data: Vec<Value> = data.into_iter().collect();
        json!({ "type": kind, "version": "2022-03-16", "user": self.user(), "data": data })
    }

    /// A user event, or another one that carries no data.
    pub fn says(&self, kind: &str) -> Value {
        json!({ "type": kind, "status": "success", "version": "2022-03-16", "user": self.user() })
    }

    /// A reauthentication: this watch takes the place of the old one.
    pub fn replaces(&self, old: Option<&Self>) -> Value {
        let old = old.map(Self::user);
        json!({ "type": "user_reauth", "status": "warning", "new_user": self.user(), "old_user": old })
    }

    /// A day of which nothing is known but its steps.
    pub fn steps(&self, date: NaiveDate, steps: u32) -> Value {
        self.event("daily", [json!({ "metadata": of_day(date), "distance_data": { "steps": steps } })])
    }
}

pub fn today() -> NaiveDate {
    Clock::System.now().date_naive()
}

/// Before today.
pub fn days_ago(days: u64) -> NaiveDate {
    today() - Days::new(days)
}

/// `metadata` of a whole day, recorded by a device.
pub fn of_day(date: NaiveDate) -> Value {
    let next = date + Days::new(1);
    json!({
        "start_time": format!("{date}T00:00:00.000000+02:00"), "end_time": format!("{next}T00:00:00.000000+02:00"),
        "upload_type": 1, "timestamp_localization": 0,
    })
}

/// A row of Metrics: one observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub metric: String,
    /// Local date, or the id of a summary.
    pub key: String,
    pub connection: String,
    pub n: u32,
    pub value: f64,
    /// The user's own day.
    pub local_date: String,
}

/// All observations of a user, in the order of their keys.
pub async fn observations(stack: &Stack, user: Uuid) -> Vec<Observed> {
    let rows = rows_of(stack, "MetricsTable", ("user_id", &user.to_string())).await;
    rows.iter().filter(|row| !sort_key(row).starts_with("document#")).map(observed).collect()
}

/// Name, key and value of each observation.
pub async fn values(stack: &Stack, user: Uuid) -> Vec<(String, String, f64)> {
    let rows = observations(stack, user).await.into_iter();
    rows.map(|Observed { metric, key, value, .. }| (metric, key, value)).collect()
}

fn observed(row: &Row) -> Observed {
    let [metric, key, connection, n] =
        sort_key(row).split('#').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    Observed {
        metric,
        key,
        connection,
        n: n.parse().unwrap(),
        value: row["value"].as_n().unwrap().parse().unwrap(),
        local_date: text(row, "local_date").unwrap(),
    }
}

pub fn sort_key(row: &Row) -> &str {
    row["sk"].as_s().unwrap()
}

/// What latest-metrics says to the user, by metric.
pub async fn latest(user: &User) -> BTreeMap<String, Value> {
    let answer = user.get(&format!("latest-metrics/{}", user.id)).await.success();
    assert_eq!(answer["user_id"], user.id.to_string());
    let metrics = answer["metrics"].as_array().unwrap().iter();
    metrics.map(|row| (row["metric"].as_str().unwrap().to_owned(), row.clone())).collect()
}

/// The values of [`latest`].
pub async fn latest_values(user: &User) -> BTreeMap<String, f64> {
    latest(user).await.into_iter().map(|(metric, row)| (metric, row["value"].as_f64().unwrap())).collect()
}

/// A connection's row.
pub async fn connection(stack: &Stack, watch: &Watch) -> Option<Row> {
    item(stack, "ConnectionsTable", &[("terra_user_id", &watch.terra_user)]).await
}

/// The state that a connection's row says.
pub async fn state(stack: &Stack, watch: &Watch) -> Option<String> {
    text(&connection(stack, watch).await?, "state")
}

/// The user whom a connection is bound to.
pub async fn bound_to(stack: &Stack, watch: &Watch) -> Option<String> {
    text(&connection(stack, watch).await?, "user_id")
}

/// How many deliveries of a Terra user wait in quarantine.
pub async fn waiting(stack: &Stack, watch: &Watch) -> usize {
    rows_of(stack, "QuarantineTable", ("terra_user_id", &watch.terra_user)).await.len()
}

/// The hourly counters, all hours and shards together.
pub async fn counted(stack: &Stack, name: &str) -> u64 {
    let rows = all_rows(stack, "ControlTable").await;
    let counters = rows.iter().filter(|row| row["key"].as_s().unwrap().starts_with("count:"));
    counters.map(|row| number(row, name)).sum()
}
