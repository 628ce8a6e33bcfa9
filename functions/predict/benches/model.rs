//! `cargo bench-model`: what an estimate takes, and what it is off by on simulated engines.
//!
//! Options: `--repeats N` (400), `--engines N` (100). Exits with 1 where 300 readings take over a millisecond.

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use predict::model::{CAP, estimate, version};
use turbofan::{Conditions, Engine, Reading};

/// What an estimate of 300 readings may take, at the median.
const BUDGET: Duration = Duration::from_millis(1);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = pico_args::Arguments::from_env();
    // Cargo adds it to every bench.
    args.contains("--bench");
    let repeats: usize = args.opt_value_from_str("--repeats")?.unwrap_or(400);
    let engines: u64 = args.opt_value_from_str("--engines")?.unwrap_or(100);
    let unknown = args.finish();
    if !unknown.is_empty() {
        return Err(format!("no such option: {unknown:?}").into());
    }
    let started = Instant::now();
    black_box(estimate(&history(1)));
    println!("{}: the first estimate, which reads the artefact, took {:.2?}", version(), started.elapsed());
    println!("\n| readings | median | 99 % |\n| --- | --- | --- |");
    let mut late = false;
    for len in [1, 30, 130, 300, 1_000] {
        let (median, most) = time(&history(len), repeats);
        println!("| {len} | {median:.0?} | {most:.0?} |");
        late |= len == 300 && median > BUDGET;
    }
    println!("\n| {engines} simulated engines | RMSE, capped | without a warning |\n| --- | --- | --- |");
    for conditions in [Conditions::One, Conditions::Six] {
        for (name, spoil) in HISTORIES {
            let (rmse, calm) = measure(conditions, engines, spoil);
            println!("| {conditions:?} regime, {name} | {rmse:.1} | {calm} |");
        }
    }
    Ok(if late { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is left of a history.
type Spoil = fn(&mut Vec<Reading>);

/// Whole histories, and such as the model was not trained on.
const HISTORIES: [(&str, Spoil); 3] = [
    ("whole histories", |_| ()),
    ("without the first half", |readings| drop(readings.drain(..readings.len() / 2))),
    ("every third cycle missing", |readings| readings.retain(|reading| reading.cycle % 3 != 0)),
];

/// Simulated readings, one engine's after the other's where one has not lived so long.
fn history(len: usize) -> Vec<Reading> {
    let mut readings: Vec<Reading> =
        (0..8).flat_map(|seed| Engine::new(seed, Conditions::Six).readings()).take(len).collect();
    for (cycle, reading) in (1..).zip(&mut readings) {
        reading.cycle = cycle;
    }
    readings
}

/// Median and 99th percentile.
fn time(readings: &[Reading], repeats: usize) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..repeats.max(1))
        .map(|_| {
            let started = Instant::now();
            black_box(estimate(black_box(readings)));
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() - 1) * share / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

/// RMSE over engines that are cut at cycles spread over their lives, and how many gave no warning.
fn measure(conditions: Conditions, engines: u64, spoil: Spoil) -> (f64, usize) {
    let (mut square, mut calm) = (0.0, 0);
    for seed in 0..engines {
        let engine = Engine::new(seed, conditions);
        let life = engine.life() as usize;
        let len = 25 + (usize::try_from(seed).unwrap_or(0) * 37) % (life - 31);
        let mut readings = engine.readings();
        readings.truncate(len);
        spoil(&mut readings);
        let estimate = estimate(&readings);
        let last = readings.last().map_or(0, |reading| reading.cycle);
        let left = f64::from(engine.life()) - f64::from(last);
        square += (estimate.rul - left.min(CAP)) * (estimate.rul - left.min(CAP));
        calm += usize::from(estimate.warnings.is_empty());
    }
    let count = f64::from(u32::try_from(engines).unwrap_or(u32::MAX)).max(1.0);
    ((square / count).sqrt(), calm)
}
