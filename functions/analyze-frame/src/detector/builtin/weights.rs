//! How sure it is that a disc is a hole, and that a spot is one disc more: weighed sums of features, which are the
//! logarithms of the odds.

use super::{discs::SPLIT_FEATURES, judge::FEATURES};

/// Weights of the features, in their order, for the three ways of looking (`Sense::by`): first for a disc by
/// itself, then for one among others. Fitted by logistic regression on 10098 discs, 4735 of them on holes, of frames
/// from two renderers that share no code; frames whose seeds were used here are not measured with.
const ALONE_OFFSET: [f64; 3] = [-15.20, -27.56, -10.72];
#[rustfmt::skip]
const ALONE: [[f64; 3]; FEATURES] = [
    [6.13, -5.87, 11.42], // share of the disc that deviates
    [8.12, -1.82, -3.49], // share of the ring about it that does not
    [1.08, 1.09, 1.15], // ln strength of the deviation
    [2.78, 1.07, 0.95], // ln of how much stronger than beyond the ring
    [0.07, 5.43, -0.11], // ln of the mean tone
    [-10.38, 9.25, -0.50], // how alike the tone is all over
    [4.50, 1.85, 6.96], // share of the edge where the tone ends
    [-0.17, 7.30, -0.73], // how far it ends where it does least
    [-0.44, -0.33, 0.21], // off the usual radius
    [1.32, 5.61, -2.22], // covered by no other disc
    [-0.26, -0.23, -4.20], // ln of the solid spot by the disc
    [0.39, -2.52, -0.29], // ln unrest beyond the ring
    [-1.15, 0.50, 2.01], // ln of the whole spot by the disc
    [-3.46, -0.01, -0.06], // beyond the rings
    [-1.34, 1.05, 1.54], // near an axis, where numbers are
];
const AMONG_OFFSET: [f64; 3] = [-10.92, -24.83, -8.88];
#[rustfmt::skip]
const AMONG: [[f64; 3]; FEATURES] = [
    [-0.13, -5.64, 10.54], // share of the disc that deviates
    [10.42, -1.34, -3.65], // share of the ring about it that does not
    [1.49, 0.88, 1.10], // ln strength of the deviation
    [2.44, 0.86, 1.00], // ln of how much stronger than beyond the ring
    [-0.08, 4.70, -0.05], // ln of the mean tone
    [-9.27, 9.50, -1.34], // how alike the tone is all over
    [6.10, 2.84, 6.89], // share of the edge where the tone ends
    [-1.16, 6.82, -0.68], // how far it ends where it does least
    [-0.43, -0.28, 0.21], // off the usual radius
    [1.12, 5.13, -2.33], // covered by no other disc
    [-0.46, -0.23, -4.09], // ln of the solid spot by the disc
    [1.33, -2.19, -0.20], // ln unrest beyond the ring
    [-0.06, 0.60, 1.99], // ln of the whole spot by the disc
    [-2.51, -0.00, -0.19], // beyond the rings
    [-1.33, 0.70, 1.57], // near an axis, where numbers are
];
/// Weight of how far a colour is off the surest holes' colour.
const OFF_COLOUR: [f64; 3] = [-4.54, -1.93, -1.14];
/// The same for covers with one disc more, on 1558 of them.
const SPLIT_OFFSET: [f64; 3] = [-5.81, -3.85, -4.38];
#[rustfmt::skip]
const SPLIT: [[f64; 3]; SPLIT_FEATURES] = [
    [5.56, 0.94, 3.05], // gain
    [4.21, 2.58, 7.11], // least own share
    [2.88, 8.01, -0.19], // distance of the nearest two
    [-0.00, 1.75, -0.04], // left uncovered before
    [2.41, -3.22, 15.80], // covered beside the spot before
    [-4.70, 1.52, -0.79], // misfit now
    [2.19, -2.44, -2.09], // area a disc
];
/// The logarithm of the odds that a disc is a hole, by itself.
pub fn logit(by: usize, features: &[f64; FEATURES]) -> f64 {
    ALONE_OFFSET[by] + weighed(features, &ALONE, by)
}

/// The same where it is known what colour the surest holes of the target have.
pub fn logit_among(by: usize, features: &[f64; FEATURES], off_colour: f64) -> f64 {
    AMONG_OFFSET[by] + weighed(features, &AMONG, by) + OFF_COLOUR[by] * off_colour
}

/// The logarithm of the odds that a cover is right to have one disc more.
pub fn split_logit(by: usize, features: &[f64; SPLIT_FEATURES]) -> f64 {
    SPLIT_OFFSET[by] + weighed(features, &SPLIT, by)
}

fn weighed<const N: usize>(features: &[f64; N], weights: &[[f64; 3]; N], by: usize) -> f64 {
    features.iter().zip(weights).map(|(feature, weights)| feature * weights[by]).sum()
}
