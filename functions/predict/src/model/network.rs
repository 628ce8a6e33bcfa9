//! A small network of two hidden layers.

use super::features::FEATURE_COUNT;

/// Neurons of the hidden layers.
pub const HIDDEN: [usize; 2] = [64, 32];

/// Numbers of one network: weights by input, then biases, layer by layer.
pub const NUMBERS: usize = FEATURE_COUNT * HIDDEN[0] + HIDDEN[0] + HIDDEN[0] * HIDDEN[1] + HIDDEN[1] + HIDDEN[1] + 1;

/// A network's share of the artefact's numbers.
#[derive(Debug, Clone, Copy)]
pub struct Network<'a>(&'a [f32]);

impl<'a> Network<'a> {
    /// A network of [`NUMBERS`] numbers.
    pub fn new(numbers: &'a [f32]) -> Self {
        Self(numbers)
    }

    /// The life that is left, as a share of the cap.
    pub fn predict(&self, features: &[f32; FEATURE_COUNT]) -> f32 {
        let (first, rest) = layer::<{ HIDDEN[0] }>(self.0, features);
        let (second, rest) = layer::<{ HIDDEN[1] }>(rest, &first.map(bend));
        let ([share], _) = layer::<1>(rest, &second.map(bend));
        share
    }
}

/// Sums of the weighted inputs with their biases, and the numbers of the layers that follow.
fn layer<'a, const OUT: usize>(numbers: &'a [f32], inputs: &[f32]) -> ([f32; OUT], &'a [f32]) {
    let (weights, rest) = numbers.split_at_checked(inputs.len() * OUT).unwrap_or((&[], &[]));
    let (biases, rest) = rest.split_at_checked(OUT).unwrap_or((&[], &[]));
    let mut sums = [0.0; OUT];
    for (input, weights) in inputs.iter().zip(weights.chunks_exact(OUT)) {
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum += input * weight;
        }
    }
    for (sum, bias) in sums.iter_mut().zip(biases) {
        *sum += bias;
    }
    (sums, rest)
}

/// The neurons' curve: like SiLU, of square roots alone, which are the same on every platform where `exp` is not.
pub fn bend(x: f32) -> f32 {
    0.5 * x * (1.0 + x / (1.0 + x * x).sqrt())
}

/// The curve's slope.
pub fn bend_slope(x: f32) -> f32 {
    let root = (1.0 + x * x).sqrt();
    0.5 * (1.0 + x / root + x / (root * root * root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_curve() {
        for x in [-4.0_f32, -1.0, -0.1, 0.0, 0.3, 2.0, 5.0] {
            let step = 1.0 / 64.0;
            let measured = (bend(x + step) - bend(x - step)) / (2.0 * step);
            assert!((measured - bend_slope(x)).abs() < 1e-3, "{x}");
        }
    }
}
