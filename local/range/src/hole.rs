#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "angles become indices of a closed table; colours are single precision"
)]
//! One hole: torn outline, flaps of paper, lead ring, dent.

use crate::{
    canvas::{Colour, mix, scale},
    dice::Dice,
    scene::PlacedHole,
    texture::smoothstep,
};

const ANGLES: usize = 128;

/// A closed function of the angle.
struct Around([f32; ANGLES]);

impl Around {
    fn noise(dice: &mut Dice) -> Self {
        let mut values = [0.0; ANGLES];
        values.iter_mut().for_each(|value| *value = dice.normal() as f32);
        Self(values)
    }

    fn at(&self, turns: f32) -> f32 {
        let place = turns.rem_euclid(1.0) * ANGLES as f32;
        let index = place as usize % ANGLES;
        let share = place - place.floor();
        self.0[index] * (1.0 - share) + self.0[(index + 1) % ANGLES] * share
    }
}

/// What a place of the target is, as far as one hole is concerned.
pub enum Place {
    /// Nothing is left: the backing is seen.
    Open,
    /// Torn fibres that hang into the hole.
    Flap(Colour),
    /// Paper: factors and colours that the hole's surroundings add to it.
    Paper(Colour),
}

/// A hole's shape, which depends on its own seed only and so never changes from frame to frame.
pub struct HoleShape {
    centre: (f64, f64),
    radius: f32,
    /// Radius in units of the mean radius.
    outline: Around,
    jags: Around,
    rim_noise: Around,
    /// Direction in turns, depth in radii; 0 where no flap is left.
    flap: (f32, f32),
    fibre: Colour,
    rim_width: f32,
    rim_tone: f32,
    lead: f32,
    lead_radius: f32,
    dent: f32,
}

impl HoleShape {
    pub fn new(hole: &PlacedHole, calibre_mm: f64, paper: Colour) -> Self {
        let mut dice = Dice::new(hole.seed);
        let radius = (hole.diameter_mm / 2.0) as f32;
        let torn = dice.tint(0.15, 1.0);
        let outline = outline(torn, &mut dice);
        let grey = dice.tint(0.18, 0.55);
        let fibre = mix(scale(paper, dice.tint(0.45, 0.9)), [grey, grey * 1.02, grey * 1.06], dice.tint(0.2, 0.9));
        let flap_depth = if dice.chance(0.65) { dice.tint(0.08, 0.5) } else { 0.0 };
        Self {
            centre: (hole.position.x_mm, hole.position.y_mm),
            radius,
            outline,
            jags: Around::noise(&mut dice),
            rim_noise: Around::noise(&mut dice),
            flap: (dice.tint(0.0, 1.0), flap_depth),
            fibre,
            rim_width: dice.tint(0.05, 0.18),
            rim_tone: dice.tint(0.5, 1.0),
            lead: if dice.chance(0.45) { dice.tint(0.15, 0.65) } else { 0.0 },
            lead_radius: (calibre_mm / 2.0) as f32 * dice.tint(1.0, 1.25),
            dent: if dice.chance(0.5) { dice.tint(0.0, 0.14) } else { 0.0 },
        }
    }

    pub fn centre(&self) -> (f64, f64) {
        self.centre
    }

    /// Beyond this distance from its centre the hole changes nothing.
    pub fn reach_mm(&self) -> f64 {
        f64::from((self.radius * 1.75).max(self.lead_radius * 1.15))
    }

    /// How far inside the outline a place is, in millimetres; negative outside.
    pub fn inside_mm(&self, x: f64, y: f64) -> f32 {
        let (dx, dy) = self.relative(x, y);
        self.radius * self.outline.at(turns(dx, dy)) - dx.hypot(dy)
    }

    /// What is seen at a place of which `under` is the printed paper; `light_from` points to the light.
    pub fn at(&self, x: f64, y: f64, under: Colour, paper: Colour, light_from: (f32, f32)) -> Place {
        let (dx, dy) = self.relative(x, y);
        let distance = dx.hypot(dy);
        let turn = turns(dx, dy);
        let edge = self.radius * self.outline.at(turn);
        if distance < edge {
            return self.within(dx, dy, distance, edge, light_from);
        }
        let lit = (dx * light_from.0 + dy * light_from.1) / distance.max(1e-6);
        Place::Paper(self.around(distance - edge, turn, lit, under, paper, distance))
    }

    fn within(&self, dx: f32, dy: f32, distance: f32, edge: f32, light_from: (f32, f32)) -> Place {
        let (direction, depth) = self.flap;
        if depth == 0.0 {
            return Place::Open;
        }
        // What is open is a disc of the same size, moved away from the flap.
        let (sin, cos) = (direction * std::f32::consts::TAU).sin_cos();
        let (ox, oy) = (dx + cos * depth * self.radius, dy + sin * depth * self.radius);
        let turn = turns(ox, oy);
        let opening = self.radius * (1.0 + 0.06 * self.jags.at(turn));
        if ox.hypot(oy) < opening {
            return Place::Open;
        }
        let lit = (cos * light_from.0 + sin * light_from.1) * 0.25;
        let streak = 1.0 + 0.22 * self.jags.at(turn * 3.0) + 0.12 * self.rim_noise.at(turn * 7.0);
        // A flap bends inwards: it is darkest where it leaves the paper.
        let bend = 0.65 + 0.35 * smoothstep(0.0, 0.3 * self.radius, edge - distance);
        Place::Flap(scale(self.fibre, ((1.0 - lit) * streak * bend).max(0.15)))
    }

    /// Paper round the hole: `beyond` is the distance from its edge, `lit` 1 on the side that the light comes from.
    fn around(&self, beyond: f32, turn: f32, lit: f32, under: Colour, paper: Colour, distance: f32) -> Colour {
        let wipe = self.lead * (1.0 - smoothstep(0.75, 1.12, distance / self.lead_radius));
        let leaded =
            mix(under, [0.16, 0.165, 0.175], wipe * (0.8 + 0.2 * self.rim_noise.at(turn + 0.4)).clamp(0.0, 1.0));
        let dented = scale(leaded, 1.0 - self.dent * lit * (-beyond / (0.35 * self.radius)).exp());
        let width = self.radius * self.rim_width * (1.0 + 0.9 * self.rim_noise.at(turn)).max(0.0);
        if width <= 0.0 {
            return dented;
        }
        let core = scale(paper, self.rim_tone * (1.0 + 0.25 * lit + 0.1 * self.jags.at(turn)));
        mix(dented, core, 1.0 - smoothstep(0.55, 1.0, beyond / width))
    }

    fn relative(&self, x: f64, y: f64) -> (f32, f32) {
        ((x - self.centre.0) as f32, (y - self.centre.1) as f32)
    }
}

/// Smooth lobes, small jags and a few tears; the mean stays 1, and no lobe moves the centre.
fn outline(torn: f32, dice: &mut Dice) -> Around {
    let mut values = [1.0_f32; ANGLES];
    for lobe in 2..9_u8 {
        let (strength, phase) = (dice.normal() as f32 * 0.035 * torn / f32::from(lobe).sqrt(), dice.tint(0.0, 6.3));
        for (i, value) in values.iter_mut().enumerate() {
            let angle = i as f32 / ANGLES as f32 * std::f32::consts::TAU;
            *value += strength * (f32::from(lobe) * angle + phase).cos();
        }
    }
    values.iter_mut().for_each(|value| *value += 0.018 * torn * dice.normal() as f32);
    let tears = dice.index(4);
    for _ in 0..tears {
        let (at, length, half) = (dice.index(ANGLES), dice.tint(0.05, 0.4) * torn, 1 + dice.index(4));
        for step in 0..=2 * half {
            let share = 1.0 - (step as f32 - half as f32).abs() / (half + 1) as f32;
            values[(at + step) % ANGLES] += length * share * share;
        }
    }
    values.iter_mut().for_each(|value| *value = value.clamp(0.7, 1.5));
    Around(values)
}

fn turns(dx: f32, dy: f32) -> f32 {
    dy.atan2(dx) / std::f32::consts::TAU
}
