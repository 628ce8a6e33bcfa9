//! Whether what was found is what is true.

use serde_json::Value;

use super::figures::Found;
use crate::camera::TrueShot;

/// How far a hole may be found from where it is, in millimetres.
const CENTRE_TOLERANCE_MM: f64 = 1.0;
/// How far the total may be off for each shot, in rings.
const SCORE_TOLERANCE: f64 = 0.1;

/// What is wrong, in words; nothing if all is right.
pub struct Verdict {
    faults: Vec<String>,
    shots: usize,
    truth_is_known: bool,
}

impl Verdict {
    /// Holds the last frame's detections and the session's figures against the truth, where it is known, and the
    /// report against the session.
    pub fn of(truth: Option<&[TrueShot]>, found: &[Found], session: &Value, report: &str) -> Self {
        let shots = session["statistics"]["total_shots"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let mut faults = Vec::new();
        if let Some(truth) = truth {
            compare(truth, found, &mut faults);
            if shots != truth.len() {
                faults.push(format!("{shots} shots were counted, {} were fired", truth.len()));
            }
            let total: f64 = truth.iter().map(|shot| shot.score).sum();
            let counted = session["statistics"]["total_score"].as_f64().unwrap_or(0.0);
            #[expect(clippy::cast_precision_loss, reason = "a handful of shots")]
            let tolerance = SCORE_TOLERANCE * truth.len() as f64;
            println!("total {counted:.1}, true {total:.1}");
            if (counted - total).abs() > tolerance + 1e-9 {
                faults.push(format!("the total is {counted:.1}, and {total:.1} is true"));
            }
        }
        for number in 1..=shots {
            if !report.contains(&format!("data-shot=\"{number}\"")) {
                faults.push(format!("the report does not show shot {number}"));
            }
        }
        Self { faults, shots, truth_is_known: truth.is_some() }
    }

    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    pub fn print(&self) {
        for fault in &self.faults {
            println!("✗ {fault}");
        }
        if self.is_good() {
            let right = if self.truth_is_known { "all of them right" } else { "all of them in the report" };
            println!("✓ {} shots, {right}", self.shots);
        }
    }
}

/// Pairs each true shot with the nearest hole that is left, and prints them side by side.
fn compare(truth: &[TrueShot], found: &[Found], faults: &mut Vec<String>) {
    let mut left: Vec<&Found> = found.iter().collect();
    println!("\n  shot      true x      y  score     found x      y  score    off by");
    for shot in truth {
        let distance = |hole: &Found| (hole.x_mm - shot.x_mm).hypot(hole.y_mm - shot.y_mm);
        let nearest = (0..left.len()).min_by(|a, b| distance(left[*a]).total_cmp(&distance(left[*b])));
        let hole =
            nearest.filter(|index| distance(left[*index]) <= CENTRE_TOLERANCE_MM).map(|index| left.remove(index));
        let number = shot.index + 1;
        print!("  {number:>4}  {:>10.2} {:>6.2} {:>6.1}", shot.x_mm, shot.y_mm, shot.score);
        match hole {
            Some(hole) => {
                println!("  {:>10.2} {:>6.2} {:>6.1}  {:>5.2} mm", hole.x_mm, hole.y_mm, hole.score, distance(hole));
            }
            None => {
                println!("  not found");
                faults.push(format!("shot {number} was not found within {CENTRE_TOLERANCE_MM} mm"));
            }
        }
    }
    for hole in left {
        faults.push(format!("a hole at {:.1}, {:.1} mm is none", hole.x_mm, hole.y_mm));
    }
}
