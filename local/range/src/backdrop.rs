#![expect(clippy::cast_possible_truncation, reason = "colours are computed in single precision")]
//! What is seen behind and around the paper.

use crate::{
    canvas::{Colour, mix, scale},
    dice::Dice,
    texture::Texture,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Material {
    Wood,
    Plaster,
    Sand,
    Rubber,
    Cardboard,
}

/// A flat wall, in millimetres of its own.
pub struct Backdrop {
    material: Material,
    colour: Colour,
    coarse: Texture,
    fine: Texture,
    origin: (f32, f32),
    /// Texels a millimetre.
    scale: f32,
    contrast: f32,
    plank_mm: f32,
    upright: bool,
}

impl Backdrop {
    pub fn choose(dice: &mut Dice) -> Self {
        const MATERIALS: [Material; 5] =
            [Material::Wood, Material::Plaster, Material::Sand, Material::Rubber, Material::Cardboard];
        let material = MATERIALS[dice.index(MATERIALS.len())];
        let hue: Colour = match material {
            Material::Wood => [0.42, 0.27, 0.15],
            Material::Plaster => [0.5, 0.49, 0.46],
            Material::Sand => [0.45, 0.36, 0.24],
            Material::Rubber => [0.05, 0.05, 0.055],
            Material::Cardboard => [0.4, 0.29, 0.19],
        };
        let level = dice.tint(0.35, 1.25);
        Self {
            material,
            colour: hue.map(|channel| channel * level * dice.tint(0.9, 1.1)),
            coarse: Texture::fractal(dice.seed(), 4, 5, 0.6),
            fine: Texture::fractal(dice.seed(), 64, 3, 0.9),
            origin: (dice.tint(0.0, 256.0), dice.tint(0.0, 256.0)),
            scale: dice.tint(0.6, 1.6),
            contrast: dice.tint(0.5, 1.3),
            plank_mm: dice.tint(70.0, 160.0),
            upright: dice.chance(0.5),
        }
    }

    pub fn at(&self, x_mm: f32, y_mm: f32) -> Colour {
        let (x, y) = (self.origin.0 + x_mm * self.scale, self.origin.1 + y_mm * self.scale);
        match self.material {
            Material::Wood => self.wood(x_mm, y_mm),
            Material::Plaster => self.rough(x, y, 0.1, 0.06),
            Material::Sand => self.rough(x, y, 0.18, 0.3),
            Material::Rubber => self.rough(x, y, 0.12, 0.35),
            Material::Cardboard => {
                let flutes = 1.0 + 0.03 * (x_mm * 0.9).sin();
                scale(self.rough(x, y, 0.06, 0.04), flutes)
            }
        }
    }

    fn rough(&self, x: f32, y: f32, coarse: f32, fine: f32) -> Colour {
        let change = coarse * self.coarse.at(x * 0.5, y * 0.5) + fine * self.fine.at(x * 3.0, y * 3.0);
        scale(self.colour, (1.0 + self.contrast * change).max(0.1))
    }

    fn wood(&self, x_mm: f32, y_mm: f32) -> Colour {
        let (along, across) = if self.upright { (y_mm, x_mm) } else { (x_mm, y_mm) };
        let plank = (across / self.plank_mm).floor();
        let within = across / self.plank_mm - plank;
        let shift = plank * 61.7 + self.origin.0;
        let warp = 6.0 * self.coarse.at(along * 0.05 + shift, across * 0.05);
        let grain = self.coarse.at(along * 0.04 + shift, across * 1.1 * self.scale + warp);
        let pores = self.fine.at(along * 0.15 + shift, across * 4.0);
        let tone = 1.0 + 0.15 * self.coarse.at(plank * 37.0, 11.0);
        let gap = within.min(1.0 - within) * self.plank_mm;
        let seam = if gap < 1.2 { 0.25 + 0.6 * gap } else { 1.0 };
        scale(self.colour, (tone + self.contrast * (0.22 * grain + 0.1 * pores)).max(0.1) * seam)
    }
}

/// A thing that holds the paper: a bar in front of its edge.
pub struct Bar {
    centre: (f32, f32),
    half: (f32, f32),
    colour: Colour,
}

impl Bar {
    /// Bars that leave a half-width of `free_mm` round the centre alone, on a paper of the given half sizes.
    pub fn choose(free_mm: f64, paper: (f64, f64), dice: &mut Dice) -> Vec<Self> {
        let margin = (paper.0.min(paper.1) - free_mm).max(0.0);
        let grip = free_mm + margin * dice.between(0.3, 0.8);
        let thickness = free_mm * dice.between(0.04, 0.12);
        let level = dice.tint(0.02, 0.35);
        let colour = [level, level * dice.tint(0.9, 1.05), level * dice.tint(0.8, 1.1)];
        let bar = |x: f64, y: f64, half_x: f64, half_y: f64| Self {
            centre: (x as f32, y as f32),
            half: (half_x as f32, half_y as f32),
            colour,
        };
        match dice.index(4) {
            0 => Vec::new(),
            1 => vec![bar(0.0, grip + thickness, paper.0 * dice.between(0.3, 1.1), thickness)],
            2 => {
                let length = paper.1 * dice.between(0.3, 0.7);
                [-1.0, 1.0].map(|side| bar(side * (grip + thickness), -0.2 * paper.1, thickness, length)).into()
            }
            _ => {
                let (apart, length) = (paper.0 * dice.between(0.3, 0.8), free_mm * dice.between(0.05, 0.12));
                [-1.0, 1.0].map(|side| bar(side * apart, grip + thickness * 1.5, length, thickness * 1.5)).into()
            }
        }
    }

    /// Paints the bar over a colour; `pixel_mm` softens its edge.
    pub fn over(&self, under: Colour, x_mm: f32, y_mm: f32, pixel_mm: f32) -> Colour {
        let (dx, dy) = ((x_mm - self.centre.0).abs() - self.half.0, (y_mm - self.centre.1).abs() - self.half.1);
        let outside = dx.max(dy);
        // A bevel: the rim of the bar catches the light.
        let bevel = if outside > -0.25 * self.half.0.min(self.half.1) { 1.25 } else { 1.0 };
        mix(under, scale(self.colour, bevel), (0.5 - outside / pixel_mm).clamp(0.0, 1.0))
    }
}
