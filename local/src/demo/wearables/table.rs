//! What the wearables' part prints.

use std::io::{self, IsTerminal};

use serde_json::Value;

/// Prints metrics as latest-metrics answers them; those that `wanted` names.
pub fn print_metrics(metrics: &[Value], wanted: impl Fn(&str) -> bool) {
    let colours = io::stdout().is_terminal();
    println!(
        "  {:<17} {:>9} {:<10} {:<7} {:<17} {:>10}  quality",
        "metric", "value", "unit", "source", "observed (UTC)", "confidence"
    );
    for row in metrics {
        let text = |name: &str| row[name].as_str().unwrap_or("–");
        if !wanted(text("metric")) {
            continue;
        }
        println!(
            "  {:<17} {:>9} {:<10} {:<7} {:<17} {:>10.1}  {}",
            text("metric"),
            short(&row["value"]),
            text("unit"),
            text("source"),
            minute(text("observed_at")),
            row["confidence"].as_f64().unwrap_or(f64::NAN),
            badge(text("quality"), colours)
        );
    }
}

/// Prints jobs as dead-jobs answers them.
pub fn print_dead(jobs: &[Value]) {
    println!("  {:<22} {:>8} {:<17} error", "job", "attempts", "failed (UTC)");
    for job in jobs {
        let text = |name: &str| job[name].as_str().unwrap_or("–");
        println!(
            "  {:<22} {:>8} {:<17} {}",
            text("job_type"),
            job["attempts"],
            minute(text("failed_at")),
            text("error")
        );
    }
}

/// A badge that does not hang on its colour alone.
fn badge(quality: &str, colours: bool) -> String {
    let (mark, colour) = match quality {
        "excellent" => ("●●●●", 32),
        "good" => ("●●●○", 36),
        "fair" => ("●●○○", 33),
        _ => ("●○○○", 31),
    };
    if colours { format!("\x1b[{colour}m{mark} {quality}\x1b[0m") } else { format!("{mark} {quality}") }
}

/// To a tenth at most.
fn short(value: &Value) -> String {
    // Nought may come with a sign.
    let text = format!("{:.1}", value.as_f64().unwrap_or(f64::NAN) + 0.0);
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}
