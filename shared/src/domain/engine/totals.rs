//! What a fleet comes to: sums that are kept as engines change, so that nobody has to count.

use std::{
    iter::Sum,
    ops::{Add, Sub},
};

use serde::{Deserialize, Serialize};

use super::{Engine, Health, Status};

/// Sums over engines; also the difference that a change makes to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Engines in service.
    pub total: i64,
    /// Of these, with a prediction.
    pub predicted: i64,
    pub critical: i64,
    pub warning: i64,
    /// Sum of their predicted remaining useful lives, in cycles.
    pub rul_sum: i64,
}

impl Totals {
    /// What one engine adds: nothing, once it is retired.
    pub fn of(engine: &Engine) -> Self {
        match engine.status {
            Status::Retired => Self::default(),
            Status::Operational | Status::Maintenance => {
                Self::of_rul(engine.latest.as_ref().map(|latest| latest.predicted_rul))
            }
        }
    }

    /// What an engine in service with this remaining useful life adds, in cycles, where there is a prediction.
    pub fn of_rul(rul: Option<u32>) -> Self {
        let Some(rul) = rul else { return Self { total: 1, ..Self::default() } };
        let health = Health::of(rul);
        Self {
            total: 1,
            predicted: 1,
            critical: i64::from(health == Health::Critical),
            warning: i64::from(health == Health::Warning),
            rul_sum: i64::from(rul),
        }
    }

    /// Mean of the predicted remaining useful lives, in cycles, to a tenth; none without a prediction.
    pub fn average_rul(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a fleet's sums are far below 2^53")]
        let average = |sum: i64, count: i64| (10.0 * sum as f64 / count as f64).round() / 10.0;
        (self.predicted > 0).then(|| average(self.rul_sum, self.predicted))
    }

    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            total: self.total + other.total,
            predicted: self.predicted + other.predicted,
            critical: self.critical + other.critical,
            warning: self.warning + other.warning,
            rul_sum: self.rul_sum + other.rul_sum,
        }
    }
}

impl Sub for Totals {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            total: self.total - other.total,
            predicted: self.predicted - other.predicted,
            critical: self.critical - other.critical,
            warning: self.warning - other.warning,
            rul_sum: self.rul_sum - other.rul_sum,
        }
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn differences_added_up_come_to_what_counting_gives(ruls in prop::collection::vec(
            (prop::option::of(0_u32..=125), prop::option::of(0_u32..=125)), 0..50)
        ) {
            let before: Totals = ruls.iter().map(|(old, _)| Totals::of_rul(*old)).sum();
            let after: Totals = ruls.iter().map(|(_, new)| Totals::of_rul(*new)).sum();
            let changes: Totals = ruls.iter().map(|(old, new)| Totals::of_rul(*new) - Totals::of_rul(*old)).sum();
            prop_assert_eq!(before + changes, after);
        }
    }

    #[test]
    fn an_average_is_of_the_engines_that_have_a_prediction() {
        let fleet: Totals = [None, Some(10), Some(25), Some(125)].into_iter().map(Totals::of_rul).sum();
        assert_eq!(fleet, Totals { total: 4, predicted: 3, critical: 1, warning: 1, rul_sum: 160 });
        assert_eq!(fleet.average_rul(), Some(53.3));
        assert_eq!(Totals::of_rul(None).average_rul(), None);
    }
}
