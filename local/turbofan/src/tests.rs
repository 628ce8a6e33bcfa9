use shared::domain::engine::in_order;

use crate::{Conditions, Engine, Part};

/// Places of sensors in a reading: static pressure at the compressor's outlet (rises with wear), bypass ratio.
const S11: usize = 6;
const S15: usize = 10;

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

#[test]
fn the_same_seed_gives_the_same_engine() {
    for conditions in [Conditions::One, Conditions::Six] {
        let engine = Engine::new(7, conditions);
        assert_eq!(engine.readings(), Engine::new(7, conditions).readings());
        assert_ne!(engine.readings(), Engine::new(8, conditions).readings());
    }
}

#[test]
fn engines_live_for_130_to_360_cycles_and_are_read_at_each() {
    let lives: Vec<u32> = (0..200).map(|seed| Engine::new(seed, Conditions::One).life()).collect();
    assert!(lives.iter().all(|life| (130..=360).contains(life)));
    let mean = mean(lives.iter().map(|life| f64::from(*life)));
    assert!((190.0..225.0).contains(&mean), "{mean}");
    let engine = Engine::new(1, Conditions::Six);
    let readings = engine.readings();
    assert_eq!((readings.len(), readings[0].cycle), (engine.life() as usize, 1));
    assert!(in_order(&readings).is_ok());
}

#[test]
fn wear_shows_late_and_in_the_direction_of_the_part_that_fails() {
    for seed in 0..50 {
        let engine = Engine::new(seed, Conditions::One);
        let readings = engine.readings();
        let half = readings.len() / 2;
        let level =
            |sensor: usize, from: usize, to: usize| mean(readings[from..to].iter().map(|one| one.sensors[sensor]));
        let (new, middle, end) =
            (level(S11, 0, 20), level(S11, half - 10, half + 10), level(S11, readings.len() - 10, readings.len()));
        assert!(end - new > 3.0 * (middle - new), "seed {seed}: {new} {middle} {end}");
        let bypass = level(S15, readings.len() - 10, readings.len()) - level(S15, 0, 20);
        assert_eq!(bypass < 0.0, engine.part() == Part::Fan, "seed {seed}");
    }
}

#[test]
fn an_engine_of_six_regimes_flies_in_all_of_them() {
    let readings = Engine::new(3, Conditions::Six).readings();
    let mut altitudes: Vec<f64> = readings.iter().map(|one| one.settings[0].floor()).collect();
    altitudes.sort_unstable_by(f64::total_cmp);
    altitudes.dedup();
    assert_eq!(altitudes, [0.0, 10.0, 20.0, 25.0, 35.0, 42.0]);
}
