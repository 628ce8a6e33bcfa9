//! What a user's connection says of a metric at the moment: its newest observation, and the usual values of 28 days.
//!
//! It is a pure function of the set of observations: whatever order they come in, however often, it ends as the same.
//! Only the versions of one row come in their order: whoever offers them holds them against the document that they
//! belong to, and changes both in one transaction. A row that has been displaced is forgotten here, and with it how new
//! it was.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{AsOf, Components, Evidence, History, Metric, Observation, Stretch};

/// Days of usual values that are kept, and that a value is held against.
const DAYS: usize = 28;

/// The newest observation, by (`observed_at`, `as_of`, key).
///
/// The names that it is stored under are short: it stands in a row that is written with every delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Newest {
    #[serde(rename = "v")]
    pub value: f64,
    #[serde(rename = "t", with = "chrono::serde::ts_milliseconds")]
    pub observed_at: DateTime<Utc>,
    #[serde(rename = "d")]
    pub local_date: NaiveDate,
    #[serde(rename = "a")]
    pub as_of: AsOf,
    /// Of the row in Metrics.
    #[serde(rename = "r")]
    pub row: String,
    #[serde(rename = "e")]
    pub evidence: Evidence,
}

/// A day's usual value, by (`observed_at`, `as_of`, key).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Daily {
    #[serde(rename = "v")]
    pub value: f64,
    #[serde(rename = "t", with = "chrono::serde::ts_milliseconds")]
    pub observed_at: DateTime<Utc>,
    #[serde(rename = "a")]
    pub as_of: AsOf,
    #[serde(rename = "r")]
    pub row: String,
    #[serde(rename = "s")]
    pub stretch: Stretch,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Latest {
    pub metric: Metric,
    pub newest: Option<Newest>,
    /// The newest 28 days.
    pub daily: BTreeMap<NaiveDate, Daily>,
}

/// Whether a change could be made with what is kept here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    Whole,
    /// What stood here went or became older: what stands in its place is known only to all of the metric's rows. Make a
    /// new one of them.
    Lacking,
}

/// Of two the greater one stands.
type Rank<'a> = (DateTime<Utc>, &'a AsOf, &'a str);

impl Newest {
    fn rank(&self) -> Rank<'_> {
        (self.observed_at, &self.as_of, &self.row)
    }
}

impl Daily {
    fn rank(&self) -> Rank<'_> {
        (self.observed_at, &self.as_of, &self.row)
    }
}

impl Fit {
    fn and(self, other: Self) -> Self {
        if self == Self::Whole { other } else { Self::Lacking }
    }
}

impl Latest {
    /// What nothing has been offered to. Offering all of a metric's rows to it, in any order, makes it what they come
    /// to.
    pub fn new(metric: Metric) -> Self {
        Self { metric, newest: None, daily: BTreeMap::new() }
    }

    /// Takes in an observation; one of the same row is replaced if it is not newer. `row` is whatever tells apart the
    /// rows of the metric and connection.
    pub fn offer(&mut self, row: &str, observation: &Observation, as_of: &AsOf) -> Fit {
        if self.as_of(row).is_some_and(|known| as_of < known) {
            return Fit::Whole;
        }
        let newest = self.offer_newest(row, observation, as_of);
        newest.and(self.offer_daily(row, observation, as_of))
    }

    /// Takes out a row that is no more.
    pub fn retract(&mut self, row: &str) -> Fit {
        let newest = self.newest.take_if(|newest| newest.row == row).is_some();
        let days = self.daily.len();
        self.daily.retain(|_, daily| daily.row != row);
        if newest || self.daily.len() < days { Fit::Lacking } else { Fit::Whole }
    }

    /// Of the newest observation, against the usual values; none where there is nothing.
    pub fn components(&self) -> Option<Components> {
        let newest = self.newest.as_ref()?;
        Some(Components::of(self.metric, newest.value, &newest.evidence, &History(&self.history(newest))))
    }

    /// What the newest is held against: the 28 days before its own. A night's average heart rate is held against
    /// nights, and an activity's against nothing.
    fn history(&self, newest: &Newest) -> Vec<f64> {
        let first = newest.local_date.checked_sub_days(Days::new(DAYS as u64)).unwrap_or(NaiveDate::MIN);
        let comparable = |daily: &&Daily| !self.metric.by_stretch() || daily.stretch == newest.evidence.stretch;
        self.daily.range(first..newest.local_date).map(|(_, daily)| daily).filter(comparable).map(|d| d.value).collect()
    }

    /// Of the version that stands here of a row.
    fn as_of(&self, row: &str) -> Option<&AsOf> {
        let newest = self.newest.iter().filter(|newest| newest.row == row).map(|newest| &newest.as_of);
        newest.chain(self.daily.values().filter(|daily| daily.row == row).map(|daily| &daily.as_of)).max()
    }

    fn offer_newest(&mut self, row: &str, observation: &Observation, as_of: &AsOf) -> Fit {
        if !observation.current {
            return lacking_if(self.newest.take_if(|newest| newest.row == row).is_some());
        }
        let rank = (observation.observed_at, as_of, row);
        let (stands, greater) = match &self.newest {
            Some(newest) => (newest.row == row, rank >= newest.rank()),
            None => (false, true),
        };
        if stands || greater {
            self.newest = Some(Newest {
                value: observation.value,
                observed_at: observation.observed_at,
                local_date: observation.local_date,
                as_of: as_of.clone(),
                row: row.to_owned(),
                evidence: observation.evidence.clone(),
            });
        }
        lacking_if(stands && !greater)
    }

    fn offer_daily(&mut self, row: &str, observation: &Observation, as_of: &AsOf) -> Fit {
        let date = observation.local_date;
        let days = self.daily.len();
        // It stood for another day, or for one at all, until now.
        self.daily.retain(|day, daily| daily.row != row || observation.usual && *day == date);
        let left = lacking_if(self.daily.len() < days);
        if !observation.usual {
            return left;
        }
        let rank = (observation.observed_at, as_of, row);
        let (stands, greater) = match self.daily.get(&date) {
            Some(daily) => (daily.row == row, rank >= daily.rank()),
            None => (false, true),
        };
        if stands || greater {
            let (value, observed_at, stretch) =
                (observation.value, observation.observed_at, observation.evidence.stretch);
            let daily = Daily { value, observed_at, as_of: as_of.clone(), row: row.to_owned(), stretch };
            self.daily.insert(date, daily);
        }
        while self.daily.len() > DAYS {
            self.daily.pop_first();
        }
        left.and(lacking_if(stands && !greater))
    }
}

fn lacking_if(lacking: bool) -> Fit {
    if lacking { Fit::Lacking } else { Fit::Whole }
}

#[cfg(test)]
mod tests;
