//! An engine and its wear.

use shared::domain::engine::{Reading, SENSORS};

use crate::conditions::Conditions;
use crate::dice::Dice;
use crate::sensors::{BETWEEN_ENGINES, COMPRESSOR, DECIMALS, FAN, NEW, NOISE};

/// Shortest and longest lives, in cycles.
const LIVES: (f64, f64) = (130.0, 360.0);

/// Damage grows by a factor of e in this share of the life: so it does in C-MAPSS, in short lives and long ones.
const GROWTH: f64 = 0.25;

/// Deviation of the wear that an engine is delivered with, as a share of that at failure.
const DELIVERED_WORN: f64 = 0.05;

/// The part that wears out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The high-pressure compressor, as in all subsets.
    Compressor,
    /// The fan, as in FD003 and FD004.
    Fan,
}

/// An engine, from its first flight to its failure.
#[derive(Debug, Clone, PartialEq)]
pub struct Engine {
    seed: u64,
    conditions: Conditions,
    part: Part,
    life: u32,
    /// Wear of the compressor and of the fan when it was new.
    delivered: [f64; 2],
    /// How it differs from the mean new engine.
    own: [f64; SENSORS.len()],
}

impl Engine {
    /// An engine that follows from its seed.
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        let mut dice = Dice::for_purpose(seed, 1);
        let (shortest, longest) = LIVES;
        let long = dice.between(0.0, 1.0);
        // Long lives are rare: the mean is at a third of the range.
        let life = shortest + (longest - shortest) * long * long;
        let part = if dice.chance(0.25) { Part::Fan } else { Part::Compressor };
        let delivered = [dice.normal(), dice.normal()].map(|normal| normal * DELIVERED_WORN);
        Self {
            seed,
            conditions,
            part,
            life: whole(life),
            delivered,
            own: BETWEEN_ENGINES.map(|deviation| deviation * dice.normal()),
        }
    }

    /// The first engine from a seed on that is in service after so many cycles.
    pub fn outliving(cycles: usize, from: u64, conditions: Conditions) -> Self {
        let mut seed = from;
        loop {
            let engine = Self::new(seed, conditions);
            if engine.life as usize > cycles {
                return engine;
            }
            seed += 1;
        }
    }

    /// Cycles from the first flight to the failure.
    pub fn life(&self) -> u32 {
        self.life
    }

    /// The part that wears out.
    pub fn part(&self) -> Part {
        self.part
    }

    /// The readings of all cycles; the last is that of the failure. Cut after `n` readings, the remaining useful life
    /// is `life() - n`.
    pub fn readings(&self) -> Vec<Reading> {
        let mut dice = Dice::for_purpose(self.seed, 2);
        (1..=self.life).map(|cycle| self.read(cycle, &mut dice)).collect()
    }

    /// The share of the damage at failure that is done after a cycle.
    fn damage(&self, cycle: u32) -> f64 {
        let age = f64::from(cycle) / f64::from(self.life);
        let grown = |age: f64| (age / GROWTH).exp() - 1.0;
        grown(age) / grown(1.0)
    }

    fn read(&self, cycle: u32, dice: &mut Dice) -> Reading {
        let (regime, settings) = self.conditions.fly(dice);
        let mut worn = self.delivered;
        worn[usize::from(self.part == Part::Fan)] += self.damage(cycle);
        let mut sensors = NEW[regime];
        for (n, sensor) in sensors.iter_mut().enumerate() {
            let wear = COMPRESSOR[regime][n] * worn[0] + FAN[regime][n] * worn[1];
            let exact = *sensor + self.own[n] + wear + NOISE[n] * dice.normal();
            let digit = 10_f64.powi(DECIMALS[n]);
            *sensor = (exact * digit).round() / digit;
        }
        Reading { cycle, settings, sensors }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a life is some hundred cycles")]
fn whole(cycles: f64) -> u32 {
    cycles.round() as u32
}
