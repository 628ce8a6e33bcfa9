//! The built-in model of an engine's remaining useful life.

/// The label's cap, in cycles: beyond it an engine shows no wear yet (Heimes 2008).
pub const CAP: f64 = 125.0;

/// Coverage of the prediction interval.
pub const LEVEL: f64 = 0.9;

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

/// Stand-in until the trained model is there.
pub fn estimate(_readings: &[shared::domain::engine::Reading]) -> Estimate {
    Estimate { rul: 60.0, low: 40.0, high: Some(80.0), confidence: 0.5, warnings: Vec::new() }
}

pub fn version() -> &'static str {
    "stand-in"
}
