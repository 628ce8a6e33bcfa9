//! Whether what is shown is what was measured.

use serde_json::Value;

use super::fortnight::Expected;

/// What is wrong, in words; nothing if all is right.
#[derive(Default)]
pub struct Verdict {
    faults: Vec<String>,
    metrics: usize,
}

impl Verdict {
    /// Holds a metric against what is expected of it.
    pub fn metric(&mut self, shown: &[Value], expected: &Expected) {
        let Expected { metric, value, source, confidence } = expected;
        let Some(row) = shown.iter().find(|row| row["metric"] == *metric) else {
            return self.faults.push(format!("{metric} is not there"));
        };
        self.metrics += 1;
        let (found, sure) = (row["value"].as_f64(), row["confidence"].as_f64().unwrap_or(f64::NAN));
        if !found.is_some_and(|found| (found - value).abs() < 1e-6) {
            self.faults.push(format!("{metric} is {}, and {value} was measured", row["value"]));
        }
        if row["source"] != *source {
            self.faults.push(format!("{metric} comes from {}, and {source} measured it last", row["source"]));
        }
        if !confidence.contains(&sure) {
            let (low, high) = (confidence.start(), confidence.end());
            self.faults.push(format!("the confidence of {metric} is {sure:.1}, and not from {low} to {high}"));
        }
    }

    pub fn expect(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(fault());
        }
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
            println!("✓ {} metrics, each as it was measured and as sure as it may be; no job is dead", self.metrics);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(row: Value) -> Vec<String> {
        let expected = Expected { metric: "steps", value: 9_000.0, source: "GARMIN", confidence: 75.0..=100.0 };
        let mut verdict = Verdict::default();
        verdict.metric(&[row], &expected);
        verdict.faults
    }

    #[test]
    fn each_thing_that_is_wrong_is_a_fault_of_its_own() {
        let row = |metric, value, source, confidence| json!({ "metric": metric, "value": value, "source": source, "confidence": confidence });
        assert!(faults(row("steps", 9_000.0, "GARMIN", 91.0)).is_empty());
        for (row, fault) in [
            (row("distance", 9_000.0, "GARMIN", 91.0), "steps is not there"),
            (row("steps", 1_234.0, "GARMIN", 91.0), "steps is 1234.0, and 9000 was measured"),
            (row("steps", 9_000.0, "OURA", 91.0), "steps comes from \"OURA\", and GARMIN measured it last"),
            (row("steps", 9_000.0, "GARMIN", 74.9), "the confidence of steps is 74.9, and not from 75 to 100"),
        ] {
            assert_eq!(faults(row), [fault]);
        }
    }
}
