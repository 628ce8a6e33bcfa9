//! Random numbers from seeds.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A random stream whose numbers depend on its seed and its purpose alone.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn for_purpose(seed: u64, purpose: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(purpose);
        Self(random)
    }

    /// Uniform in `low..high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.between(0.0, 1.0) < probability
    }

    /// A normal deviate (Box–Muller), cut at four sigmas.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.between(f64::MIN_POSITIVE, 1.0).ln()).sqrt();
        (radius * self.between(0.0, std::f64::consts::TAU).cos()).clamp(-4.0, 4.0)
    }

    /// An index below `len`; 0 where `len` is 0.
    pub fn index(&mut self, len: usize) -> usize {
        if len == 0 { 0 } else { self.0.random_range(0..len) }
    }
}
