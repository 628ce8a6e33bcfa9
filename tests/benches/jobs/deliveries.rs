//! What is to be worked on: days and nights of many users, as their watches send them.

use std::fmt;

use chrono::{DateTime, Days, Utc};
use local::{
    athlete::{Athlete, Device, Samples},
    terra::Webhook,
};
use shared::{clock::Clock, ids::Ids};
use uuid::Uuid;

use super::options::Options;

/// What a user's watch sends of each day, in turn.
const KINDS: [&str; 2] = ["daily", "sleep"];

/// Webhooks in the order of their coming: one of each user, then the next of each.
pub struct Deliveries {
    wearers: Vec<Wearer>,
    jobs: usize,
    days: usize,
    samples: Samples,
    now: DateTime<Utc>,
}

struct Wearer {
    user: Uuid,
    athlete: Athlete,
    watch: Device,
}

impl Wearer {
    fn new(seed: u64, now: DateTime<Utc>) -> Self {
        let user = Ids.uuid();
        let terra_user_id = Ids.uuid().to_string();
        let watch = Device { terra_user_id, provider: "GARMIN", reference_id: Some(user.to_string()) };
        Self { user, athlete: Athlete::new(seed, now), watch }
    }
}

impl Deliveries {
    pub fn new(options: &Options) -> Self {
        let now = Clock::System.now();
        let samples = match options.samples_every {
            0 => Samples::Never,
            minutes => Samples::EveryMinutes(minutes),
        };
        let wearers = (0..options.users as u64).map(|seed| Wearer::new(seed, now)).collect();
        Self { wearers, jobs: options.jobs, days: options.days_per_user, samples, now }
    }

    /// All users.
    pub fn users(&self) -> Vec<Uuid> {
        self.wearers.iter().map(|wearer| wearer.user).collect()
    }

    pub fn len(&self) -> usize {
        self.jobs
    }

    /// The n-th webhook: the earlier it comes, the earlier it was sent.
    pub fn get(&self, n: usize) -> Webhook {
        let wearer = &self.wearers[n % self.wearers.len()];
        let round = n / self.wearers.len();
        let kind = KINDS[round % KINDS.len()];
        let days_ago = self.days - (round / KINDS.len()) % self.days;
        let date = wearer.athlete.today() - Days::new(days_ago as u64);
        let element = match kind {
            "sleep" => wearer.athlete.night(date, self.samples),
            _ => wearer.athlete.day(date, self.samples),
        };
        let body = wearer.watch.event(kind, &[element]).to_string();
        let sent_at = self.now.timestamp_millis() - (self.jobs - n) as i64;
        Webhook::new(body).trace_id(format!("bench-{n}-{}", wearer.user)).ordered_at(sent_at)
    }
}

impl fmt::Display for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let some = self.jobs.min(self.wearers.len() * KINDS.len());
        let bytes: usize = (0..some).map(|n| self.get(n).body.len()).sum();
        let (jobs, users, days) = (self.jobs, self.wearers.len(), self.days);
        write!(
            f,
            "{jobs} webhooks of {users} users, {days} days each, {:.1} KB on average",
            bytes as f64 / some.max(1) as f64 / 1e3
        )
    }
}
