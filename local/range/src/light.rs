#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "light is computed in single precision"
)]
//! How the target is lit and exposed.

use crate::{canvas::Colour, dice::Dice, view::View};

/// Light over the frame: linear across the target, darker towards the frame's corners, with a colour of its own.
#[derive(Debug, Clone, Copy)]
pub struct Light {
    /// Exposure and colour cast together.
    gain: Colour,
    /// Change of the light from the target's centre to its outermost ring, to the right and downwards.
    gradient: (f32, f32),
    vignette: f32,
    centre: (f32, f32),
    radius: f32,
    frame: (f32, f32),
    /// A reflection on the glossy black: place in target radii, width, strength.
    sheen: (f32, f32, f32, f32),
    /// Where the light comes from, as a unit vector on the target (right, up).
    pub from: (f32, f32),
}

impl Light {
    /// `radius_px` is the outermost ring's radius in the frame.
    pub fn new(view: &View, radius_px: f64, dice: &mut Dice) -> Self {
        let (sin, cos) = dice.angle().sin_cos();
        let (from, change) = ((cos as f32, sin as f32), dice.tint(0.0, 0.4));
        // The paper's brightness in the encoded frame, 0.6 to 0.9 of full scale.
        let exposure = dice.tint(0.6, 0.9).powf(2.2) / 0.75;
        let warmth = dice.tint(-0.14, 0.18);
        let green = dice.tint(-0.04, 0.04);
        Self {
            gain: [exposure * (1.0 + warmth), exposure * (1.0 + green), exposure * (1.0 - warmth)],
            gradient: (from.0 * change, -from.1 * change),
            vignette: dice.tint(0.0, 0.35),
            centre: (view.centre_px.0 as f32, view.centre_px.1 as f32),
            radius: radius_px as f32,
            frame: (view.width as f32, view.height as f32),
            sheen: (
                dice.tint(-0.6, 0.6),
                dice.tint(-0.6, 0.6),
                dice.tint(0.15, 0.5),
                if dice.chance(0.5) { dice.tint(0.0, 0.09) } else { 0.0 },
            ),
            from,
        }
    }

    /// The same light a moment later: a lamp flickers, the camera meters anew.
    #[must_use]
    pub fn nudged(&self, view: &View, dice: &mut Dice) -> Self {
        let gain = dice.tint(0.93, 1.07);
        Self {
            gain: self.gain.map(|channel| channel * gain * dice.tint(0.985, 1.015)),
            gradient: (self.gradient.0 + dice.tint(-0.03, 0.03), self.gradient.1 + dice.tint(-0.03, 0.03)),
            centre: (view.centre_px.0 as f32, view.centre_px.1 as f32),
            ..*self
        }
    }

    /// What a pixel's reflectance is multiplied with.
    pub fn at(&self, x_px: f32, y_px: f32) -> Colour {
        let (u, v) = ((x_px - self.centre.0) / self.radius, (y_px - self.centre.1) / self.radius);
        let slope = (u * self.gradient.0 + v * self.gradient.1).clamp(-0.7, 0.7);
        let (cx, cy) = (x_px / self.frame.0 - 0.5, y_px / self.frame.1 - 0.5);
        let level = (1.0 + slope) * (1.0 - self.vignette * 2.0 * (cx * cx + cy * cy));
        self.gain.map(|channel| channel * level)
    }

    /// Light that the glossy ink mirrors at a place, u and v in target radii (right, up).
    pub fn sheen(&self, u: f32, v: f32) -> f32 {
        let (x, y, width, strength) = self.sheen;
        if strength == 0.0 {
            return 0.0;
        }
        let d2 = ((u - x) * (u - x) + (v - y) * (v - y)) / (width * width);
        strength / (1.0 + d2 * d2)
    }
}
