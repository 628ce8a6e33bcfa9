//! The built-in model of an engine's remaining useful life: an average of small networks and boosted trees, trained on
//! C-MAPSS. How it was trained and how well it does is in `docs/model-card.md`.

pub mod artefact;
pub mod features;
pub mod history;
pub mod interval;
pub mod limits;
pub mod network;
pub mod regimes;
pub mod trees;
pub mod trend;

use std::sync::OnceLock;

use shared::domain::engine::Reading;

use artefact::Artefact;
use features::{FEATURE_COUNT, Features};
use history::History;
use interval::Interval;
use limits::Doubts;

/// The label's cap, in cycles: beyond it an engine shows no wear yet (Heimes 2008).
pub const CAP: f64 = 125.0;

/// Coverage of the prediction interval.
pub const LEVEL: f64 = 0.9;

/// The networks' share of the prediction; the forest has the rest.
pub const NETWORKS_SHARE: f64 = 0.6;

/// Features further than this from the training engines' mean, in standard deviations, count as this far.
const FARTHEST: f32 = 6.0;

/// The trained model, as `cargo train` wrote it.
static ARTEFACT: &[u8] = include_bytes!("../model/turbofan.bin");

/// `builtin-` and the first eight hexadecimal digits of the artefact's SHA-256, which `cargo train` wrote beside it.
const VERSION: &str = include_str!("../model/version.txt");

/// What a history says of the engine's remaining useful life.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Cycles until failure, 0 to [`CAP`].
    pub rul: f64,
    /// Lower end of the interval at [`LEVEL`], in cycles.
    pub low: f64,
    /// Its upper end; none where it lies at the cap, beyond which the model does not tell engines apart.
    pub high: Option<f64>,
    /// 0 to 1.
    pub confidence: f64,
    /// What speaks against the history or the answer, for the caller.
    pub warnings: Vec<String>,
}

/// Estimates an engine's remaining life from its readings, in the order of their cycles and from its first where they
/// are there.
///
/// The interval holds what held-out engines' predictions were off by; `confidence` is the share of 0 to [`CAP`] that it
/// leaves out. What speaks against the history opens the interval and lowers the confidence, and is said in `warnings`.
/// No readings at all give no confidence at all.
///
/// The first call reads the artefact, which takes some milliseconds: a function that calls `estimate(&[])` while it starts
/// pays for them there. A call takes about a tenth of a millisecond, hardly more for a long history.
pub fn estimate(readings: &[Reading]) -> Estimate {
    match model() {
        Some(model) if !readings.is_empty() => model.estimate(readings),
        Some(_) => Estimate::unknown("there are no readings"),
        None => Estimate::unknown("the built-in model cannot be read"),
    }
}

/// The model's version: `builtin-` and the beginning of its artefact's SHA-256.
pub fn version() -> &'static str {
    VERSION.trim_ascii_end()
}

/// Reads the artefact now, in milliseconds, so that no request waits for that: while an instance starts it has a whole
/// processor.
pub fn load() {
    model();
}

fn model() -> Option<&'static Artefact> {
    static MODEL: OnceLock<Option<Artefact>> = OnceLock::new();
    MODEL.get_or_init(|| Artefact::from_bytes(ARTEFACT)).as_ref()
}

impl Estimate {
    /// An estimate that says nothing.
    fn unknown(why: &str) -> Self {
        Self { rul: CAP, low: 0.0, high: None, confidence: 0.0, warnings: vec![why.to_owned()] }
    }
}

impl Artefact {
    /// Estimates by this model, for the trainer and the tests; [`estimate`] does by the one that is built in.
    pub fn estimate(&self, readings: &[Reading]) -> Estimate {
        let history = History::of(readings, &self.scales);
        let features = Features::of(&history, history.readings(), &self.scales.failure);
        let doubts = Doubts::about(readings, &history, &self.limits);
        let rul = self.predict(&features);
        let interval = Interval::about(rul, doubts.doubt, &self.residuals);
        Estimate {
            rul,
            low: interval.low,
            high: interval.closed_high(),
            confidence: interval.confidence(doubts.doubt),
            warnings: doubts.warnings,
        }
    }

    /// Cycles that are left.
    fn predict(&self, Features(values): &Features) -> f64 {
        let values = &scaled(values, &self.centre, &self.stretch);
        let networks = self.networks().map(|network| f64::from(network.predict(values)).clamp(0.0, 1.0));
        let (sum, count) = networks.fold((0.0, 0.0), |(sum, count), share| (sum + share, count + 1.0));
        blend(sum / count, f64::from(self.forest.predict(values)))
    }
}

/// Cycles that are left, by the mean of the networks and by the forest, both as shares of the cap.
pub fn blend(networks: f64, forest: f64) -> f64 {
    (networks * NETWORKS_SHARE + forest.clamp(0.0, 1.0) * (1.0 - NETWORKS_SHARE)) * CAP
}

/// Features centred and stretched, and cut where they lie far out.
pub fn scaled(
    features: &[f32; FEATURE_COUNT],
    centre: &[f32; FEATURE_COUNT],
    stretch: &[f32; FEATURE_COUNT],
) -> [f32; FEATURE_COUNT] {
    let mut scaled = *features;
    for ((value, centre), stretch) in scaled.iter_mut().zip(centre).zip(stretch) {
        *value = ((*value - centre) * stretch).clamp(-FARTHEST, FARTHEST);
    }
    scaled
}

#[cfg(test)]
mod tests;
