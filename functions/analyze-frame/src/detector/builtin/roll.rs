#![expect(clippy::cast_possible_truncation, reason = "brightness differences")]
//! How far the target is turned in its plane, by its ring numbers.
//!
//! Circles do not say where up is; the ring numbers do, which stand on the target's two axes. In every band between two
//! rings the ink is summed along directions about the four axes; where it piles up on opposite sides and in many bands
//! at the same angle, there is the axis.

use std::f64::consts::FRAC_PI_2;

use shared::domain::{position::Position, target::TargetType};

use super::{linear::median, plane::Plane, pyramid::Pyramid};

/// A target that hangs more askew than that is taken for one that hangs straight.
const MOST_DEGREES: f64 = 15.0;
const STEPS_PER_DEGREE: f64 = 4.0;
/// The peak must be this many times the typical sum.
const STANDS_OUT: f32 = 4.0;
/// Least ink that makes a peak, in bands with full ink on an axis.
const LEAST_INK: f32 = 0.10;

/// The distances at which ring numbers stand: half-way between neighbouring rings, in millimetres, and half the band.
pub fn number_bands(target: TargetType) -> impl Iterator<Item = (f64, f64)> {
    let table = target.rings();
    let radius = |ring: u8| table.diameter_um(ring) as f64 / 2000.0;
    (table.lowest_ring..10).map(move |ring| {
        let (outer, inner) = (radius(ring), radius(ring + 1));
        (outer.midpoint(inner), (outer - inner) / 2.0)
    })
}

/// The same plane with its axes through the ring numbers; unchanged where these are not to be seen.
pub fn upright(plane: &Plane, pyramid: &Pyramid<'_>, target: TargetType) -> Plane {
    roll(plane, pyramid, target).and_then(|angle| plane.turned(angle)).unwrap_or(*plane)
}

/// The angle from the plane's axes to the target's, in radians.
fn roll(plane: &Plane, pyramid: &Pyramid<'_>, target: TargetType) -> Option<f64> {
    #[expect(clippy::cast_sign_loss, reason = "a positive constant")]
    let count = (2.0 * MOST_DEGREES * STEPS_PER_DEGREE) as usize + 1;
    let angle = |step: usize| (step as f64 / STEPS_PER_DEGREE - MOST_DEGREES).to_radians();
    let black = target.rings().black_mm() / 2.0;
    let mut ink = vec![0.0_f32; count];
    for band in number_bands(target) {
        let sides: Vec<Vec<f32>> = (0..4)
            .map(|axis| {
                let start = f64::from(axis) * FRAC_PI_2;
                ink_along(plane, pyramid, band, band.0 < black, (0..count).map(|step| start + angle(step)))
            })
            .collect();
        for (step, sum) in ink.iter_mut().enumerate() {
            *sum += sides[0][step].min(sides[2][step]) + sides[1][step].min(sides[3][step]);
        }
    }
    let best = (0..count).max_by(|&i, &j| ink[i].total_cmp(&ink[j]))?;
    let typical = median(&mut ink.clone())?;
    if ink[best] < LEAST_INK || ink[best] < STANDS_OUT * typical {
        return None;
    }
    // The middle of the peak, as far as it is above half its height.
    let above = |step: &usize| ink[*step] > 0.5 * ink[best];
    let from = best - (0..best).rev().take_while(above).count();
    let to = best + (best + 1..count).take_while(above).count();
    let weight: f64 = (from..=to).map(|step| f64::from(ink[step])).sum();
    let moment: f64 = (from..=to).map(|step| f64::from(ink[step]) * angle(step)).sum();
    (weight > 0.0).then(|| moment / weight)
}

/// Ink in a band in several directions, each 0 to 1: how far the middle of the band is from its usual brightness
/// towards ink, as a share of full ink.
fn ink_along(
    plane: &Plane,
    pyramid: &Pyramid<'_>,
    (middle, half): (f64, f64),
    in_black: bool,
    angles: impl Iterator<Item = f64>,
) -> Vec<f32> {
    /// Places across the middle of the band.
    const ACROSS: [f64; 7] = [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3];
    /// Full ink, in grey levels; more does not count.
    const FULL: f32 = 60.0;
    let level = pyramid.level_for(half * plane.pixels_per_mm(Position::CENTRE) / 12.0);
    let read: Vec<[Option<f32>; 7]> = angles
        .map(|angle| {
            let (sin, cos) = angle.sin_cos();
            ACROSS.map(|at| {
                let r = middle + at * half;
                level.sample(plane.px(Position::new(r * cos, r * sin)))
            })
        })
        .collect();
    let mut values: Vec<f32> = read.iter().flatten().flatten().copied().collect();
    let Some(usual) = median(&mut values) else { return vec![0.0; read.len()] };
    let ink = |value: &f32| (if in_black { value - usual } else { usual - value } / FULL).clamp(0.0, 1.0);
    read.iter().map(|places| places.iter().flatten().map(ink).sum::<f32>() / ACROSS.len() as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_between_their_rings() {
        let bands: Vec<(f64, f64)> = number_bands(TargetType::AirPistol10m).collect();
        assert_eq!(bands.len(), 9);
        assert!((bands[0].0 - 73.75).abs() < 1e-9 && (bands[0].1 - 4.0).abs() < 1e-9);
    }
}
