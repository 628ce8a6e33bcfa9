//! A small fleet: sensor histories in, the most critical engine first, and one engine's predicted life over its true one.

use std::{fs, path::Path};

use serde_json::{Value, json};
use turbofan::{Conditions, Engine};

use super::{DemoOptions, Failure, client::Client};
use crate::Stack;

mod plot;
mod table;
mod verdict;

use plot::Point;
use verdict::Verdict;

/// How far each engine of the fleet has lived, in hundredths of its life.
const STAGES: [u32; 8] = [97, 30, 88, 60, 93, 45, 99, 75];
/// Cuts of the life that is drawn: what one batch takes.
const CUTS: u32 = 100;
/// Readings that an engine has at least before it is predicted.
const FIRST_CUT: u32 = 10;
const OUTPUT: &str = "target/demo";

/// An engine of the fleet, cut before its end.
pub struct Cut {
    pub name: String,
    /// What its sensors read up to now.
    pub readings: Value,
    /// Cycles that it really has left.
    pub left: u32,
}

/// Runs a fleet; true only if all that is shown is right.
pub async fn run(stack: &Stack, options: &DemoOptions) -> Result<bool, Failure> {
    println!("\nA fleet of turbofan engines: sensor histories come in, and out comes which of them fails next.\n");
    let planner = Client::new(stack, "user");
    let fleet = fleet(options.seed());
    for Cut { name, readings, .. } in &fleet {
        planner.post(&format!("engines/{name}/readings"), &json!({ "readings": readings })).await?;
    }
    let requests: Vec<Value> = fleet.iter().map(|cut| json!({ "engine_id": cut.name })).collect();
    planner.post("predict/batch", &json!({ "requests": requests })).await?;
    let answer = planner.get("fleet").await?;
    table::print(&answer, &fleet);
    let mut verdict = Verdict::default();
    verdict.fleet(&answer, &fleet);

    let points = life(&planner, options.seed() + 100).await?;
    verdict.life(&points);
    let path = Path::new(OUTPUT).join("engine.svg");
    fs::create_dir_all(OUTPUT)?;
    fs::write(&path, plot::svg(&points))?;
    println!("\nlife {}", path.display());
    verdict.print();
    Ok(verdict.is_good())
}

fn fleet(seed: u64) -> Vec<Cut> {
    let engine = |(number, stage): (u64, u32)| {
        let conditions = if number.is_multiple_of(2) { Conditions::One } else { Conditions::Six };
        let engine = Engine::new(seed + number, conditions);
        let flown = engine.life() * stage / 100;
        let readings = engine.readings().into_iter().take(flown as usize).map(|reading| json!(reading)).collect();
        Cut { name: format!("TF-{:02}", number + 1), readings, left: engine.life() - flown }
    };
    (0..).zip(STAGES).map(engine).collect()
}

/// What is predicted of one engine at each of many points of its life.
async fn life(planner: &Client, seed: u64) -> Result<Vec<Point>, Failure> {
    let engine = Engine::new(seed, Conditions::One);
    let readings: Vec<Value> = engine.readings().into_iter().map(|reading| json!(reading)).collect();
    let cut = |n: u32| FIRST_CUT + (engine.life() - FIRST_CUT) * n / CUTS;
    let cuts: Vec<u32> = (1..=CUTS).map(cut).collect();
    let mut points = Vec::with_capacity(cuts.len());
    // A batch takes five megabytes.
    for cuts in cuts.chunks(25) {
        let request = |cut: &u32| {
            let history = readings.get(..*cut as usize).unwrap_or(&readings);
            json!({ "engine_id": "one-life", "sensor_data": history })
        };
        let requests: Vec<Value> = cuts.iter().map(request).collect();
        let answer = planner.post("predict/batch", &json!({ "requests": requests })).await?;
        let results = answer["results"].as_array().ok_or("no results")?;
        for (cycle, result) in cuts.iter().zip(results) {
            points.push(
                Point::read(*cycle, engine.life() - cycle, result).ok_or_else(|| format!("no prediction: {result}"))?,
            );
        }
    }
    Ok(points)
}
