//! Random numbers from seeds: streams for what is laid out once, hashes for what every pixel needs.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A random stream whose numbers depend on its seed alone.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A stream of its own for one purpose: further numbers drawn for another purpose do not move it.
    pub fn for_purpose(seed: u64, purpose: u64) -> Self {
        Self::new(hash(seed ^ hash(purpose.wrapping_add(0x5DEE_CE66))))
    }

    /// Uniform in `low..high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    /// Uniform in `low..high`, as the pixels' type.
    pub fn tint(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.0.random::<f32>()
    }

    pub fn angle(&mut self) -> f64 {
        self.between(0.0, std::f64::consts::TAU)
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.between(0.0, 1.0) < probability
    }

    /// A normal deviate (Box–Muller), cut at four sigmas.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.between(f64::MIN_POSITIVE, 1.0).ln()).sqrt();
        (radius * self.angle().cos()).clamp(-4.0, 4.0)
    }

    pub fn seed(&mut self) -> u64 {
        self.0.random()
    }

    /// An index below `len`; 0 where `len` is 0.
    pub fn index(&mut self, len: usize) -> usize {
        if len == 0 { 0 } else { self.0.random_range(0..len) }
    }
}

/// SplitMix64's finaliser: a well-mixed number for each input.
pub fn hash(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
