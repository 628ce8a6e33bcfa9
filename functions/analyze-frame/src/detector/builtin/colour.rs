#![expect(clippy::cast_possible_truncation, reason = "colours are single precision")]
//! What colour holes have on this target.

use super::linear::median;

/// The colour of the surest holes: whatever is behind the paper, it is the same behind all of it.
pub struct HoleColour {
    middle: [f64; 3],
    spread: [f64; 3],
}

impl HoleColour {
    /// `None`: too few holes to know.
    pub fn of(colours: &[[f64; 3]]) -> Option<Self> {
        const LEAST: usize = 3;
        /// Light falls differently through each hole; in percent of paper's luma.
        const FLOOR: [f64; 3] = [6.0, 3.0, 3.0];
        if colours.len() < LEAST {
            return None;
        }
        let at = |pick: &dyn Fn(&[f64; 3]) -> f64| {
            let mut values: Vec<f32> = colours.iter().map(|colour| pick(colour) as f32).collect();
            median(&mut values).map_or(0.0, f64::from)
        };
        let middle = [0, 1, 2].map(|channel| at(&|colour| colour[channel]));
        let spread =
            [0, 1, 2].map(|channel| 1.4826 * at(&|colour| (colour[channel] - middle[channel]).abs()) + FLOOR[channel]);
        Some(Self { middle, spread })
    }

    /// Whether a colour is nearer to the holes' than to paper's and to the black's, of which the luma is given.
    pub fn is_nearest(&self, colour: &[f64; 3], ink: f64) -> bool {
        let distance = |other: [f64; 3]| {
            (0..3).map(|channel| ((colour[channel] - other[channel]) / self.spread[channel]).powi(2)).sum::<f64>()
        };
        let own = distance(self.middle);
        own < distance([100.0, 0.0, 0.0]) && own < distance([ink, 0.0, 0.0])
    }

    /// How far off a colour's tint is, whatever its brightness.
    pub fn off_tint(&self, colour: &[f64; 3]) -> f64 {
        let off = |channel: usize| (colour[channel] - self.middle[channel]) / self.spread[channel];
        off(1).hypot(off(2))
    }

    /// How far off a colour is, on a scale that grows ever slower.
    pub fn off(&self, colour: &[f64; 3]) -> f64 {
        const MOST: f64 = 8.0;
        let square = |channel: usize| ((colour[channel] - self.middle[channel]) / self.spread[channel]).powi(2);
        (square(0) + square(1) + square(2)).sqrt().min(MOST).ln_1p()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_holes_do_not_make_a_colour() {
        assert!(HoleColour::of(&[[20.0, 0.0, 0.0]; 2]).is_none());
    }

    #[test]
    fn one_odd_hole_does_not_move_the_colour() {
        let colour =
            HoleColour::of(&[[30.0, -5.0, 25.0], [32.0, -5.0, 26.0], [31.0, -6.0, 24.0], [90.0, 0.0, 0.0]]).unwrap();
        assert!(colour.off(&[31.0, -5.0, 25.0]) < 0.3);
        assert!(colour.off(&[90.0, 0.0, 0.0]) > 1.5);
        assert!(colour.is_nearest(&[40.0, -3.0, 18.0], 20.0));
        assert!(!colour.is_nearest(&[95.0, 0.0, 1.0], 20.0));
    }
}
