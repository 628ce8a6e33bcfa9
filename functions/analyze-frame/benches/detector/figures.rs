//! The figures of a group of frames.

use std::process::ExitCode;
use std::time::Duration;

use crate::matching::Outcome;

pub const HEADER: &str = "target          backing   frames  holes  target %  found %  pairs %  invented %  doubled %  \
                          centre mm mean/max  score mean/max  decode ms p50/p95  detect ms p50/p95";

/// What has to hold over all frames.
const LEAST_FOUND: f64 = 99.0;
const MOST_INVENTED: f64 = 0.5;
const LEAST_PAIRS: f64 = 90.0;
const MOST_MEAN_SCORE_ERROR: f64 = 0.1;
const MOST_SCORE_ERROR: f64 = 0.3;

#[derive(Default, Clone)]
pub struct Figures {
    frames: usize,
    targets: usize,
    holes: usize,
    separate: usize,
    found: usize,
    pairs: usize,
    pairs_seen: usize,
    invented: usize,
    doubled: usize,
    centre_errors: Vec<f64>,
    score_errors: Vec<f64>,
    decode: Vec<Duration>,
    detect: Vec<Duration>,
}

impl Figures {
    pub fn add(&mut self, outcome: &Outcome) {
        let separate = || outcome.holes.iter().filter(|(separate, _)| *separate);
        self.frames += 1;
        self.targets += usize::from(outcome.target_found);
        self.holes += outcome.holes.len();
        self.separate += separate().count();
        self.found += separate().filter(|(_, found)| found.is_some()).count();
        self.pairs += outcome.pairs.0;
        self.pairs_seen += outcome.pairs.1;
        self.invented += outcome.invented.len();
        self.doubled += outcome.doubled;
        let matches = outcome.holes.iter().filter_map(|(_, found)| *found);
        self.centre_errors.extend(matches.clone().map(|found| found.centre_error_mm));
        self.score_errors.extend(matches.map(|found| found.score_error));
        self.decode.push(outcome.decode);
        self.detect.push(outcome.detect);
    }

    pub fn merge(&mut self, other: &Self) {
        self.frames += other.frames;
        self.targets += other.targets;
        self.holes += other.holes;
        self.separate += other.separate;
        self.found += other.found;
        self.pairs += other.pairs;
        self.pairs_seen += other.pairs_seen;
        self.invented += other.invented;
        self.doubled += other.doubled;
        self.centre_errors.extend(&other.centre_errors);
        self.score_errors.extend(&other.score_errors);
        self.decode.extend(&other.decode);
        self.detect.extend(&other.detect);
    }

    pub fn row(&self, target: &str, backing: &str) -> String {
        format!(
            "{target:<16}{backing:<10}{:>6}{:>7}{:>10}{:>9}{:>9}{:>12}{:>11}{:>20}{:>16}{:>19}{:>19}",
            self.frames,
            self.holes,
            percent(self.targets, self.frames),
            percent(self.found, self.separate),
            percent(self.pairs_seen, self.pairs),
            percent(self.invented, self.holes),
            percent(self.doubled, self.holes),
            format!("{:.3} / {:.2}", mean(&self.centre_errors), most(&self.centre_errors)),
            format!("{:.3} / {:.1}", mean(&self.score_errors), most(&self.score_errors)),
            format!("{:.1} / {:.1}", percentile_ms(&self.decode, 0.5), percentile_ms(&self.decode, 0.95)),
            format!("{:.1} / {:.1}", percentile_ms(&self.detect, 0.5), percentile_ms(&self.detect, 0.95)),
        )
    }

    /// Says which figures are missed; a figure without data, as pairs where there are none, is not.
    pub fn verdict(&self) -> ExitCode {
        let found = share(self.found, self.separate).unwrap_or(100.0);
        let pairs = share(self.pairs_seen, self.pairs).unwrap_or(100.0);
        let invented = share(self.invented, self.holes).unwrap_or(0.0);
        let figures = [
            ("separate holes found", found, found >= LEAST_FOUND, format!("≥ {LEAST_FOUND} %")),
            ("pairs seen as two", pairs, pairs >= LEAST_PAIRS, format!("≥ {LEAST_PAIRS} %")),
            ("invented", invented, invented <= MOST_INVENTED, format!("≤ {MOST_INVENTED} %")),
            at_most("mean score error", mean(&self.score_errors), MOST_MEAN_SCORE_ERROR),
            at_most("largest score error", most(&self.score_errors), MOST_SCORE_ERROR),
        ];
        let mut code = ExitCode::SUCCESS;
        for (name, value, kept, limit) in figures {
            println!("{:<6} {name}: {value:.3} ({limit})", if kept { "ok" } else { "MISSED" });
            if !kept {
                code = ExitCode::FAILURE;
            }
        }
        code
    }
}

/// Scores are tenths: a hair above the limit is the binary fraction's and not the detector's.
fn at_most(name: &'static str, value: f64, limit: f64) -> (&'static str, f64, bool, String) {
    (name, value, value <= limit + 1e-9, format!("≤ {limit}"))
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}

fn percent(part: usize, whole: usize) -> String {
    share(part, whole).map_or_else(|| "-".to_owned(), |share| format!("{share:.2}"))
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

fn percentile_ms(durations: &[Duration], share: f64) -> f64 {
    let mut sorted = durations.to_vec();
    sorted.sort();
    let rank = (0..sorted.len()).find(|&rank| (rank + 1) as f64 >= share * sorted.len() as f64);
    rank.map_or(0.0, |rank| sorted[rank].as_secs_f64() * 1000.0)
}
