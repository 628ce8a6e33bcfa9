//! What the model says of histories: of engines as it knows them, and of inputs that it does not.

use super::*;

/// Root of the mean square of what predictions are off by, with capped labels, on simulated engines cut like the
/// official test sets' are.
fn rmse(conditions: Conditions, engines: u64) -> f64 {
    let mut square = 0.0;
    for seed in 0..engines {
        let engine = Engine::new(seed, conditions);
        let life = engine.life() as usize;
        let len = 25 + (usize::try_from(seed).unwrap() * 37) % (life - 31);
        let left = (life - len) as f64;
        let off = estimate(&engine.readings()[..len]).rul - left.min(CAP);
        square += off * off;
    }
    (square / engines as f64).sqrt()
}

#[test]
fn simulated_engines_are_predicted_sensibly() {
    for conditions in [Conditions::One, Conditions::Six] {
        let rmse = rmse(conditions, 50);
        println!("{conditions:?}: {rmse:.2}");
        assert!(rmse < 20.0, "{conditions:?}: {rmse}");
    }
}

#[test]
fn simulated_engines_are_nothing_to_warn_of() {
    for seed in 0..40 {
        for conditions in [Conditions::One, Conditions::Six] {
            let engine = Engine::new(seed, conditions);
            let readings = engine.readings();
            for len in [20, 45, readings.len() / 2, readings.len() - 20, readings.len()] {
                let estimate = estimate(&readings[..len]);
                assert!(estimate.warnings.is_empty(), "{seed} {conditions:?} {len}: {:?}", estimate.warnings);
            }
        }
    }
}

#[test]
fn an_engine_at_its_end_is_known_with_more_confidence() {
    for seed in 0..20 {
        let readings = Engine::new(seed, Conditions::One).readings();
        let end = estimate(&readings[..readings.len() - 5]);
        let middle = estimate(&readings[..readings.len() - 80]);
        assert!(end.rul < 25.0 && end.high.is_some_and(|high| high < 50.0), "{seed}: {end:?}");
        assert!(end.confidence > middle.confidence, "{seed}");
    }
}

/// A fault in a history, and a word that its warning must hold.
type Fault = (&'static str, fn(&mut Vec<Reading>), &'static str);

const FAULTS: [Fault; 12] = [
    ("few readings", |readings| readings.truncate(4), "the history has 4 readings"),
    ("one reading", |readings| readings.truncate(1), "1 reading"),
    ("gaps", |readings| readings.retain(|one| one.cycle % 3 != 0), "missing"),
    ("a late beginning", |readings| drop(readings.drain(..60)), "begins at cycle 61"),
    ("a dead sensor", |readings| each(readings, |one| one.sensors[6] = 0.0), "s11"),
    ("a sensor that was dead", |readings| readings[30..40].iter_mut().for_each(|one| one.sensors[6] = 0.0), "s11"),
    ("a stuck sensor", |readings| each(readings, |one| one.sensors[2] = 1405.0), "s4"),
    ("a shifted sensor", |readings| each(readings, |one| one.sensors[3] -= 40.0), "s7"),
    ("noise", |readings| each(readings, |one| one.sensors[0] += if one.cycle % 2 == 0 { 4.0 } else { -4.0 }), "s2"),
    ("unknown settings", |readings| each(readings, |one| one.settings = [5.0, 0.5, 80.0]), "operating regimes"),
    (
        "one regime at altitude",
        |readings| each(readings, |one| one.settings = [35.0, 0.84, 100.0]),
        "six operating regimes",
    ),
    ("old age", |readings| each(readings, |one| one.cycle += 900), "no training engine reached"),
];

fn each(readings: &mut [Reading], change: fn(&mut Reading)) {
    readings.iter_mut().for_each(change);
}

#[test]
fn what_the_model_has_not_seen_the_like_of_is_said_and_is_less_sure() {
    for (name, spoil, word) in FAULTS {
        let sound = cut(11, Conditions::One, 110);
        let mut spoilt = sound.clone();
        spoil(&mut spoilt);
        let (sound, spoilt) = (estimate(&sound), estimate(&spoilt));
        assert!(spoilt.warnings.iter().any(|warning| warning.contains(word)), "{name}: {:?}", spoilt.warnings);
        assert!(spoilt.confidence < sound.confidence, "{name}");
        assert!(spoilt.confidence < 0.75, "{name}: {}", spoilt.confidence);
    }
}

#[test]
fn another_machine_s_readings_give_hardly_any_confidence() {
    let zeros = (1..=100).map(|cycle| Reading { cycle, settings: [0.0, 0.0, 100.0], sensors: [0.0; 14] });
    let estimate = estimate(&zeros.collect::<Vec<_>>());
    assert!(estimate.confidence < 0.01, "{estimate:?}");
    assert!(estimate.low < 5.0 && estimate.high.is_none(), "{estimate:?}");
}

#[test]
fn no_readings_say_nothing() {
    let estimate = estimate(&[]);
    assert_eq!((estimate.confidence, estimate.low, estimate.high), (0.0, 0.0, None));
}
