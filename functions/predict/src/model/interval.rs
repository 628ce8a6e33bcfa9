//! The prediction interval: how far predictions of held-out engines were off, by what was predicted.

use super::CAP;

/// Predictions, five cycles apart from 0 to the cap, for which the residuals' quantiles are kept.
pub const STEPS: usize = 26;

/// Cycles between them.
pub const STEP: f64 = 5.0;

/// Quantiles of truth less prediction, of engines that the predicting networks did not see (CV+), about each of
/// [`STEPS`] predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Residuals {
    /// Under which a twentieth of the residuals lies, in cycles.
    pub low: [f32; STEPS],
    /// Over which a twentieth lies.
    pub high: [f32; STEPS],
}

/// Where the life that is left lies in nine cases of ten.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    /// At most [`CAP`], where the interval is open.
    pub high: f64,
}

impl Interval {
    /// The interval about a prediction; `doubt` (0 to 1) in the history opens it to all that is possible.
    pub fn about(rul: f64, doubt: f64, residuals: &Residuals) -> Self {
        let low = (rul + between(&residuals.low, rul)).clamp(0.0, rul);
        let high = (rul + between(&residuals.high, rul)).clamp(rul, CAP);
        Self { low: low * (1.0 - doubt), high: high + (CAP - high) * doubt }
    }

    /// None where the interval reaches the cap, beyond which engines aren't told apart.
    pub fn closed_high(&self) -> Option<f64> {
        (self.high < CAP).then_some(self.high)
    }

    /// The share of the scale that the interval leaves out, lessened by the doubt: an interval of 10 cycles gives 0.92,
    /// one that excludes nothing gives 0.
    pub fn confidence(&self, doubt: f64) -> f64 {
        ((1.0 - (self.high - self.low) / CAP) * (1.0 - doubt)).clamp(0.0, 1.0)
    }
}

/// The table's value at a prediction, on a line between its two neighbours.
fn between(table: &[f32; STEPS], rul: f64) -> f64 {
    let mut reached = f64::from(table[0]);
    let (mut at, mut before) = (0.0, reached);
    for value in table {
        if at > rul {
            return before + (f64::from(*value) - before) * (rul - (at - STEP)) / STEP;
        }
        before = f64::from(*value);
        reached = before;
        at += STEP;
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn residuals() -> Residuals {
        Residuals { low: [-10.0; STEPS], high: std::array::from_fn(|step| step as f32) }
    }

    #[test]
    fn residuals_are_taken_on_a_line_between_the_steps() {
        let table = residuals().high;
        for (rul, at) in [(0.0, 0.0), (5.0, 1.0), (7.5, 1.5), (124.0, 24.8), (125.0, 25.0)] {
            assert!((between(&table, rul) - at).abs() < 1e-9, "{rul}");
        }
    }

    #[test]
    fn an_interval_keeps_to_the_scale_and_is_open_at_the_cap() {
        let near = Interval::about(4.0, 0.0, &residuals());
        assert_eq!(near.low, 0.0);
        assert_eq!(near.closed_high(), Some(4.8));
        assert_eq!(Interval::about(120.0, 0.0, &residuals()).closed_high(), None);
    }

    #[test]
    fn doubt_opens_the_interval_and_takes_confidence() {
        let mut before = f64::INFINITY;
        for doubt in [0.0, 0.2, 0.5, 0.9, 1.0] {
            let interval = Interval::about(60.0, doubt, &residuals());
            let confidence = interval.confidence(doubt);
            assert!(confidence < before);
            before = confidence;
        }
        assert_eq!(before, 0.0);
    }
}
