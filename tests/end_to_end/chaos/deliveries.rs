//! A thousand deliveries: of several users, connections and providers, with everything that makes their order matter.

use chrono::{NaiveTime, TimeDelta};
use local::terra::Webhook;
use serde_json::{Value, json};
use shared::ids::{JobId, derived};

use super::wearables::Telling;
use crate::support::terra::job_of;

pub const DELIVERIES: usize = 1_000;
const PROVIDERS: [&str; 4] = ["GARMIN", "OURA", "FITBIT", "WITHINGS"];

/// What is sent, and what is to become of it.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: String,
    pub webhook: Webhook,
    /// None where it is only kept.
    pub job: Option<JobId>,
    pub poison: bool,
}

const NOBODY: &str = "nobody";

/// Someone who wears something, as Terra knows them.
struct Wearer {
    terra_user: String,
    person: String,
    provider: &'static str,
    /// What the data events give as our user.
    reference: Option<String>,
}

/// When the sender says that it was, in hours since the first day.
type Hours = u32;

/// All of them, always the same.
pub fn all() -> Vec<Delivery> {
    let mut told = users();
    told.extend(poison().map(|body| Told { poison: true, ..Told::at(30, body) }));
    told.extend(kept().map(|body| Told::at(31, body)));
    let wearers = wearers();
    told.extend(wearers.iter().step_by(4).map(history));
    let days = (0..).flat_map(|day| wearers.iter().flat_map(move |wearer| day_of(wearer, day)));
    let told = told.into_iter().chain(days).take(DELIVERIES);
    told.enumerate().map(|(number, told)| told.delivery(number)).collect()
}

/// A body and when it was true.
struct Told {
    hours: Hours,
    body: Value,
    poison: bool,
}

impl Told {
    fn at(hours: Hours, body: Value) -> Self {
        Self { hours, body, poison: false }
    }

    fn delivery(self, number: usize) -> Delivery {
        let id = format!("chaos-{number:04}");
        let day = Telling { terra_user: "", person: "", day: 0, version: 0 }.date();
        let ordered_at = day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(self.hours.into());
        let webhook = Webhook::new(self.body.to_string()).trace_id(&id).ordered_at(ordered_at.timestamp_millis());
        Delivery { job: job_of(&webhook), id, webhook, poison: self.poison }
    }
}

/// Our user's id.
fn user_id(person: &str) -> String {
    derived("person", &[person]).to_string()
}

/// Our user behind a Terra user, once everything has been said; none for those of whom nobody ever says it.
pub fn user_of(terra_user: &str) -> Option<String> {
    let wearer = wearers().into_iter().find(|wearer| wearer.terra_user == terra_user)?;
    (wearer.person != NOBODY).then(|| user_id(&wearer.person))
}

/// How many Terra users there are.
pub fn terra_users() -> usize {
    wearers().len()
}

fn wearers() -> Vec<Wearer> {
    let wearer = |terra_user: &str, person: &str, provider: usize, reference: Option<String>| Wearer {
        terra_user: terra_user.to_owned(),
        person: person.to_owned(),
        provider: PROVIDERS[provider % PROVIDERS.len()],
        reference,
    };
    let mut all = Vec::new();
    // Every event says whose it is; each person wears two things.
    for person in ["ada", "brook", "chandra", "dominic"] {
        all.push(wearer(&format!("{person}-1"), person, person.len(), Some(user_id(person))));
        all.push(wearer(&format!("{person}-2"), person, person.len() + 1, Some(user_id(person))));
    }
    // Only the authentication says it: what comes before waits.
    all.extend(
        ["emil", "fatima", "greta", "hu"].iter().enumerate().map(|(at, person)| wearer(person, person, at, None)),
    );
    // Nobody ever says it.
    all.push(wearer("nobody-1", NOBODY, 0, None));
    all.push(wearer("nobody-2", NOBODY, 1, Some("customer-17".to_owned())));
    // Their ids at Terra were replaced, and both send.
    for (person, ids) in REPLACED {
        all.extend(ids.iter().map(|terra_user| wearer(terra_user, person, 2, None)));
    }
    all
}

/// People whom Terra called by several ids, one after the other.
const REPLACED: [(&str, &[&str]); 3] =
    [("ines", &["ines-old", "ines-new"]), ("jo", &["jo-old", "jo-new"]), ("kim", &["kim-a", "kim-b", "kim-c"])];

impl Wearer {
    fn user(&self) -> Value {
        json!({ "user_id": self.terra_user, "provider": self.provider, "reference_id": self.reference })
    }

    fn telling(&self, day: u32, version: u32) -> Telling<'_> {
        Telling { terra_user: &self.terra_user, person: &self.person, day, version }
    }

    fn event(&self, kind: &str, data: &[Value]) -> Value {
        json!({ "type": kind, "version": "2022-03-16", "user": self.user(), "data": data })
    }
}

/// What comes of a day: documents that are corrected later, some twice, some at the same moment by the sender's clock.
fn day_of(wearer: &Wearer, day: u32) -> Vec<Told> {
    let tell = |hours: Hours, version: u32, kind: &str| {
        Told::at(24 * (day + 1) + hours, wearer.event(kind, &[wearer.telling(day, version).document(kind)]))
    };
    let mut told = vec![tell(1, 0, "daily"), tell(0, 0, "sleep")];
    match day % 3 {
        0 => {
            told.push(tell(5, 1, "daily"));
            told.push(tell(5, 2, "daily"));
            told.push(tell(2, 0, "activity"));
        }
        1 => {
            told.extend((0..3).map(|version| tell(3 * version, version, "body")));
            told.push(tell(7, 1, "sleep"));
        }
        _ => {
            told.extend((0..2).map(|version| tell(9, version, "activity")));
        }
    }
    told
}

/// A month at once, some days of which are told of by themselves, too: before, or after.
fn history(wearer: &Wearer) -> Told {
    let mut days: Vec<Value> = (0..30).map(|day| wearer.telling(day, 9).document("daily")).collect();
    days.rotate_left(7);
    Told::at(24 * 3 + 3, wearer.event("daily", &days))
}

/// User events: who is who, who takes whose place, and what became of connections.
fn users() -> Vec<Told> {
    let mut told = Vec::new();
    let wearers = wearers();
    let event = |kind: &str, wearer: &Wearer| json!({ "type": kind, "user": wearer.user() });
    for wearer in &wearers {
        let known = wearer.person != NOBODY;
        // Of people with several ids, only the last is authenticated: it reaches the others through their links.
        let last = REPLACED
            .iter()
            .all(|(_, ids)| !ids.contains(&wearer.terra_user.as_str()) || ids.ends_with(&[&wearer.terra_user]));
        if known && last {
            let mut auth = json!({ "type": "auth", "status": "success", "user": wearer.user() });
            auth["reference_id"] = json!(user_id(&wearer.person));
            auth["user"]["scopes"] = json!("ACTIVITY,SLEEP");
            told.push(Told::at(60, auth));
        }
        told.push(Told::at(61, event("connection_error", wearer)));
        let mut permission = event("permission_change", wearer);
        permission["user"]["scopes"] = json!(format!("ACTIVITY,{}", wearer.terra_user));
        told.push(Told::at(90, permission));
    }
    for (at, kind) in [(0, "deauth"), (3, "access_revoked"), (9, "deauth"), (12, "access_revoked")] {
        told.push(Told::at(100, event(kind, &wearers[at])));
    }
    told.push(Told::at(110, json!({ "type": "auth", "status": "success", "user": wearers[0].user() })));
    told.push(Told::at(111, json!({ "type": "auth", "status": "error", "user": wearers[1].user() })));
    for (_, ids) in REPLACED {
        for (at, pair) in ids.windows(2).enumerate() {
            // A sender need not say of the old one again what it says of the new one.
            let old = json!({ "user_id": pair[0] });
            let new = json!({ "user_id": pair[1], "provider": PROVIDERS[2] });
            let hours = 70 + u32::try_from(at).unwrap();
            told.push(Told::at(hours, json!({ "type": "user_reauth", "old_user": old, "new_user": new })));
        }
    }
    told
}

/// Accepted, since they are signed JSON, but no attempt will ever make anything of them.
fn poison() -> impl Iterator<Item = Value> {
    let user = json!({ "user_id": "ada-1", "provider": "GARMIN", "reference_id": user_id("ada") });
    let bodies = [
        json!({ "type": "daily", "user": user, "data": "tomorrow" }),
        json!({ "type": "sleep", "user": user, "data": [7] }),
        json!({ "type": "activity", "user": null, "data": [] }),
        json!({ "type": "body", "user": user, "data": { "0": {} }, "padding": "x".repeat(5_000) }),
        json!({ "type": "user_reauth", "old_user": user, "new_user": null }),
        json!({ "type": "deauth" }),
    ];
    bodies.into_iter()
}

/// Stored, and nothing else.
fn kept() -> impl Iterator<Item = Value> {
    [json!({ "type": "healthcheck", "creation_timestamp": 0 }), json!({ "type": "a type of tomorrow" })].into_iter()
}
