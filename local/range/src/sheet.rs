#![expect(clippy::cast_possible_truncation, reason = "colours are computed in single precision")]
//! The paper: its size, colour, grain, folds and what somebody wrote on it.

use shared::domain::target::TargetType;

use crate::{
    canvas::{Colour, mix, scale},
    dice::Dice,
    print::{Ink, Mark, Print, number},
    texture::Texture,
};

pub struct Sheet {
    pub print: Print,
    /// Marks that are not the target's: notes in pen, a number in a corner.
    pub notes: Vec<Mark>,
    /// Half the width and half the height.
    pub half_mm: (f64, f64),
    /// The paper's middle, seen from the target's.
    pub offset_mm: (f64, f64),
    pub paper: Colour,
    ink: Colour,
    pen: Colour,
    grain: Texture,
    clouds: Texture,
    grain_strength: f32,
    cloud_strength: f32,
    texels_a_mm: f32,
    /// A fold: its angle, its distance from the centre, its strength.
    crease: (f32, f32, f32, f32),
}

impl Sheet {
    pub fn new(target: TargetType, printed: bool, dice: &mut Dice) -> Self {
        let half_mm = half_size(target, dice);
        let outermost = target.rings().outermost_mm() / 2.0;
        let slack = (half_mm.0.min(half_mm.1) - outermost).max(0.0) * 0.25;
        let level = dice.tint(0.62, 0.88);
        let yellow = dice.tint(0.0, 0.3);
        let black = dice.tint(0.018, 0.06);
        let (sin, cos) = dice.angle().sin_cos();
        Self {
            print: if printed { Print::new(target, dice) } else { Print::blank() },
            notes: notes(half_mm, outermost, dice),
            half_mm,
            offset_mm: (dice.between(-slack, slack), dice.between(-slack, slack)),
            paper: [level, level * (1.0 - 0.35 * yellow), level * (1.0 - yellow)],
            ink: [black, black * dice.tint(1.0, 1.15), black * dice.tint(1.0, 1.4)],
            pen: [dice.tint(0.02, 0.1), dice.tint(0.02, 0.08), dice.tint(0.05, 0.4)],
            grain: Texture::fractal(dice.seed(), 64, 3, 0.9),
            clouds: Texture::fractal(dice.seed(), 4, 4, 0.6),
            grain_strength: dice.tint(0.005, 0.035),
            cloud_strength: dice.tint(0.01, 0.05),
            texels_a_mm: (155.0 / (2.0 * outermost)) as f32,
            crease: (
                cos as f32,
                sin as f32,
                (dice.between(-0.9, 0.9) * outermost) as f32,
                if dice.chance(0.3) { dice.tint(0.02, 0.09) } else { 0.0 },
            ),
        }
    }

    /// Distance to the paper's edge in millimetres, negative on the paper.
    pub fn outside_mm(&self, x_mm: f32, y_mm: f32) -> f32 {
        let (half_w, half_h) = (self.half_mm.0 as f32, self.half_mm.1 as f32);
        ((x_mm - self.offset_mm.0 as f32).abs() - half_w).max((y_mm - self.offset_mm.1 as f32).abs() - half_h)
    }

    /// Reflectance of paper and ink at a place; `mirrored` is what the glossy ink reflects there.
    pub fn at(&self, x_mm: f32, y_mm: f32, pixel_mm: f32, mirrored: f32) -> Colour {
        let whiteness = self.print.whiteness((x_mm * x_mm + y_mm * y_mm).sqrt(), pixel_mm);
        let (u, v) = (x_mm * self.texels_a_mm, y_mm * self.texels_a_mm);
        let grain = self.grain.at(u * 4.0, v * 4.0);
        let clouds = self.clouds.at(u * 0.7, v * 0.7);
        let fold = self.fold(x_mm, y_mm);
        let paper = 1.0 + self.grain_strength * grain + self.cloud_strength * clouds + fold;
        let gloss = mirrored * (1.0 + 0.5 * clouds + 0.35 * grain + 4.0 * fold).max(0.0);
        let ink = 1.0 + 3.0 * self.grain_strength * grain + 2.0 * self.cloud_strength * clouds;
        let black = [0, 1, 2].map(|channel| self.ink[channel] * ink + gloss);
        mix(black, scale(self.paper, paper), whiteness)
    }

    /// The colour of an ink where it was laid on.
    pub fn ink(&self, ink: Ink) -> Colour {
        match ink {
            Ink::Black => self.ink,
            Ink::Paper => scale(self.paper, 0.97),
            Ink::Pen => self.pen,
        }
    }

    /// Light and dark side of a crease.
    fn fold(&self, x_mm: f32, y_mm: f32) -> f32 {
        let (cos, sin, distance, strength) = self.crease;
        let d = (x_mm * cos + y_mm * sin - distance) * self.texels_a_mm * 0.6;
        strength * d / (1.0 + d * d * d * d)
    }
}

fn half_size(target: TargetType, dice: &mut Dice) -> (f64, f64) {
    let (width, height) = match target {
        TargetType::AirPistol10m => (170.0, 170.0),
        TargetType::AirRifle10m => (80.0, 80.0),
        TargetType::Rifle50m => (250.0, 250.0),
        TargetType::Standard => (550.0, if dice.chance(0.5) { 550.0 } else { 520.0 }),
        TargetType::RapidFire25m => (550.0, if dice.chance(0.5) { 550.0 } else { 520.0 }),
    };
    (width / 2.0, height / 2.0)
}

/// A start number in a corner, and now and then a signature beside it.
fn notes(half: (f64, f64), outermost: f64, dice: &mut Dice) -> Vec<Mark> {
    let mut notes = Vec::new();
    let unit = outermost * 0.01;
    if dice.chance(0.5) {
        let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
        let (x, y) = (side * (half.0 - 12.0 * unit), dice.between(0.86, 0.92) * half.1);
        for place in 0..3_u32 {
            let digit = u8::try_from(dice.index(10)).unwrap_or(0);
            let centre = (x + f64::from(place) * 3.5 * unit - 3.5 * unit, y);
            notes.extend(number(digit, centre, 5.0 * unit, 0.6 * unit, Ink::Black));
        }
    }
    if dice.chance(0.35) {
        let mut at = (dice.between(-0.9, 0.6) * half.0, -dice.between(0.84, 0.94) * half.1);
        let mut points = vec![at];
        for step in 0..14_u32 {
            let up = if step % 2 == 0 { 1.0 } else { -1.0 };
            at = (at.0 + unit * dice.between(0.3, 2.6), at.1 + up * unit * dice.between(1.0, 6.0));
            points.push(at);
        }
        notes.push(Mark { points, width_mm: unit * 0.7, ink: Ink::Pen });
    }
    notes
}
