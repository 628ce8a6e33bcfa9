//! Whether what is predicted is what is true, as far as a model may be held to that.

use serde_json::Value;

use super::{Cut, plot::Point};

/// The label's cap: beyond it engines are not told apart.
const CAP: u32 = 125;
/// Root mean square of the errors that a fleet of eight may have, in cycles. Twice what the model has over many.
const FLEET_ERROR: f64 = 25.0;
/// Of the points of a life, so many must lie within their interval, which is made for nine in ten.
const WITHIN: f64 = 0.7;

/// What is wrong, in words; nothing if all is right.
#[derive(Default)]
pub struct Verdict {
    faults: Vec<String>,
    error: f64,
}

impl Verdict {
    /// Holds a fleet against its engines.
    pub fn fleet(&mut self, answer: &Value, fleet: &[Cut]) {
        let engines = answer["engines"].as_array().map(Vec::as_slice).unwrap_or_default();
        let predicted: Vec<u64> = engines.iter().filter_map(|engine| engine["predicted_rul"].as_u64()).collect();
        self.expect(predicted.len() == fleet.len(), || {
            format!("{} engines are listed with a prediction, {} were loaded", predicted.len(), fleet.len())
        });
        self.expect(predicted.is_sorted(), || format!("the most critical engine is not first: {predicted:?}"));
        let critical = predicted.iter().filter(|rul| **rul < 20).count();
        self.expect(answer["summary"]["critical"] == critical, || {
            format!("{critical} engines are critical, the summary says {}", answer["summary"]["critical"])
        });
        let error = |cut: &Cut| {
            let engine = engines.iter().find(|engine| engine["engine_id"] == *cut.name)?;
            Some(engine["predicted_rul"].as_f64()? - f64::from(cut.left.min(CAP)))
        };
        self.error = root_mean_square(fleet.iter().filter_map(error));
        let error = self.error;
        self.expect(error <= FLEET_ERROR, || {
            format!("the fleet's error is {error:.1} cycles, {FLEET_ERROR} are allowed")
        });
    }

    /// Holds a life against the intervals that were predicted along it.
    pub fn life(&mut self, points: &[Point]) {
        #[expect(clippy::cast_precision_loss, reason = "a hundred points")]
        let share = points.iter().filter(|point| point.holds()).count() as f64 / points.len() as f64;
        self.expect(share >= WITHIN, || {
            format!("of the life that is drawn only {:.0} % lie within their interval", 100.0 * share)
        });
    }

    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    pub fn print(&self) {
        println!();
        for fault in &self.faults {
            println!("✗ {fault}");
        }
        if self.is_good() {
            println!("✓ the most critical engine first, {:.1} cycles beside the truth (root mean square)", self.error);
        }
    }

    fn expect(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(fault());
        }
    }
}

fn root_mean_square(errors: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = errors.fold((0.0, 0.0), |(count, sum), error| (count + 1.0, sum + error * error));
    (sum / f64::max(count, 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cut(name: &str, left: u32) -> Cut {
        Cut { name: name.into(), readings: json!([]), left }
    }

    fn faults(ruls: [u64; 2], critical: u64) -> Vec<String> {
        let engines = json!([
            { "engine_id": "a", "predicted_rul": ruls[0] }, { "engine_id": "b", "predicted_rul": ruls[1] },
        ]);
        let mut verdict = Verdict::default();
        let answer = json!({ "engines": engines, "summary": { "critical": critical } });
        verdict.fleet(&answer, &[cut("a", 12), cut("b", 190)]);
        verdict.faults
    }

    #[test]
    fn each_thing_that_is_wrong_is_a_fault() {
        assert!(faults([10, 125], 1).is_empty());
        assert!(faults([10, 125], 2)[0].contains("1 engines are critical, the summary says 2"));
        assert!(faults([60, 15], 1).iter().any(|fault| fault.contains("is not first")));
        assert!(faults([60, 80], 0).iter().any(|fault| fault.contains("cycles")));
    }
}
