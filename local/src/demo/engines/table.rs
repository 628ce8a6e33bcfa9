//! What the fleet's part prints.

use std::io::{self, IsTerminal};

use serde_json::Value;

use super::Cut;

/// Prints a fleet as the API answers it, beside what is true.
pub fn print(answer: &Value, fleet: &[Cut]) {
    let colours = io::stdout().is_terminal();
    println!(
        "  {:<7} {:>7} {:>14} {:>14} {:>11} {:>10}  health",
        "engine", "cycles", "predicted left", "90 % interval", "truly left", "confidence"
    );
    for engine in answer["engines"].as_array().into_iter().flatten() {
        let name = engine["engine_id"].as_str().unwrap_or("–");
        let left = fleet.iter().find(|cut| cut.name == name).map_or("–".into(), |cut| cut.left.to_string());
        println!(
            "  {name:<7} {:>7} {:>14} {:>14} {left:>11} {:>10.2}  {}",
            engine["cycle"].to_string(),
            engine["predicted_rul"].to_string(),
            interval(&engine["interval"]),
            engine["confidence"].as_f64().unwrap_or(f64::NAN),
            badge(engine["health"].as_str().unwrap_or("–"), colours)
        );
    }
    let summary = &answer["summary"];
    println!(
        "\n  {} engines: {} critical, {} to be watched; {} cycles left on average (125 at most are told apart)",
        summary["total"], summary["critical"], summary["warning"], summary["average_rul"]
    );
}

fn interval(interval: &Value) -> String {
    match interval["high"].as_u64() {
        Some(high) => format!("{} to {high}", interval["low"]),
        None => format!("{} or more", interval["low"]),
    }
}

/// A badge that does not hang on its colour alone.
fn badge(health: &str, colours: bool) -> String {
    let (mark, colour) = match health {
        "critical" => ("▲▲", 31),
        "warning" => ("▲ ", 33),
        _ => ("  ", 32),
    };
    if colours { format!("\x1b[{colour}m{mark} {health}\x1b[0m") } else { format!("{mark} {health}") }
}
