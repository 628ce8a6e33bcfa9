//! What the demo prints: progress, the session's figures, and how long each step took.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::Failure;

/// A detection of the last frame.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    pub x_mm: f64,
    pub y_mm: f64,
    pub score: f64,
}

/// What came up on the way.
#[derive(Debug, Default)]
pub struct Figures {
    times: BTreeMap<&'static str, Vec<Duration>>,
    last_frame: Vec<Found>,
}

impl Figures {
    /// Runs a step and keeps how long it took.
    pub async fn time<T>(
        &mut self,
        step: &'static str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let started = Instant::now();
        let outcome = work.await;
        self.times.entry(step).or_default().push(started.elapsed());
        outcome
    }

    /// Prints what a frame showed.
    pub fn frame(&mut self, name: &str, analysis: &Value) {
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let detections = analysis["detections"].as_array().map(Vec::as_slice).unwrap_or_default();
        self.last_frame = detections
            .iter()
            .map(|hole| Found {
                x_mm: number(&hole["position"]["x_mm"]),
                y_mm: number(&hole["position"]["y_mm"]),
                score: number(&hole["score"]),
            })
            .collect();
        let new: Vec<String> = detections
            .iter()
            .filter(|hole| hole["new"] == true)
            .map(|hole| format!("{:.1}", number(&hole["score"])))
            .collect();
        let target = if analysis["target"].is_null() { "no target" } else { "target" };
        let degraded = if analysis["degraded"] == true { "  (degraded)" } else { "" };
        let new = if new.is_empty() { "–".to_owned() } else { new.join("  ") };
        println!(
            "{name}  {target}  {:>2} holes  {:>4} ms  new: {new}{degraded}",
            detections.len(),
            analysis["processing_time_ms"]
        );
    }

    pub fn detections(&self) -> &[Found] {
        &self.last_frame
    }

    /// Prints how long each step took.
    pub fn print_times(&self) {
        println!("  step              calls    median      slowest");
        for (step, times) in &self.times {
            let mut times = times.clone();
            times.sort();
            let millis = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
            println!(
                "  {step:<16} {:>6} {:>7.1} ms {:>9.1} ms",
                times.len(),
                millis(times.get(times.len() / 2)),
                millis(times.last())
            );
        }
        println!();
    }
}

/// Prints statistics and advice of an ended session.
pub fn print_result(session: &Value) {
    let statistics = &session["statistics"];
    let group = &statistics["group"];
    println!();
    for (name, value) in [
        ("shots", &statistics["total_shots"]),
        ("total", &statistics["total_score"]),
        ("average", &statistics["average_score"]),
        ("best", &statistics["best_score"]),
        ("worst", &statistics["worst_score"]),
        ("in the black, %", &statistics["accuracy_percentage"]),
        ("mean radius, mm", &group["mean_radius_mm"]),
        ("σ, mm", &group["sigma_mm"]),
        ("extreme spread, mm", &group["extreme_spread_mm"]),
        ("offset x, mm", &group["offset_mm"]["x"]),
        ("offset y, mm", &group["offset_mm"]["y"]),
    ] {
        println!("  {name:<20} {value:>8}");
    }
    for (name, key) in [("strengths", "strengths"), ("improvements", "improvements"), ("next steps", "next_steps")] {
        for text in session["coaching_advice"][key].as_array().into_iter().flatten() {
            println!("  {name:<14} {}", text.as_str().unwrap_or_default());
        }
    }
}

/// What was written, and where.
pub struct Written {
    pub plot: PathBuf,
    pub report: PathBuf,
}

/// Writes the report, and its plot as a picture of its own.
pub fn write(folder: &Path, report: &str) -> Result<Written, Failure> {
    fs::create_dir_all(folder)?;
    let written = Written { plot: folder.join("plot.svg"), report: folder.join("report.html") };
    let start = report.find("<svg").ok_or("the report has no plot")?;
    let end = report.rfind("</svg>").ok_or("the report's plot has no end")? + "</svg>".len();
    fs::write(&written.plot, report.get(start..end).ok_or("the report's plot is torn")?)?;
    fs::write(&written.report, report)?;
    Ok(written)
}
