#![expect(clippy::cast_possible_truncation, reason = "colours are single precision")]
//! Painting holes: several samples a pixel, and holes that run into each other share one opening.

use crate::{
    canvas::{Canvas, Colour, scale},
    dice::{Dice, hash},
    hole::{HoleShape, Place},
    scene::{Backing, PlacedHole, Scene},
    sheet::Sheet,
    texture::{Texture, smoothstep},
    view::Projection,
};
use shared::domain::position::Position;

/// What is behind the paper, and how it is lit through the holes.
struct Behind {
    colour: Colour,
    texture: Texture,
    /// How far the paper's shadow is thrown, in millimetres.
    shift: (f32, f32),
    penumbra: f32,
    ambient: f32,
}

impl Behind {
    fn new(scene: &Scene, light_from: (f32, f32)) -> Self {
        let mut dice = scene.stream(6);
        let calibre = scene.target.rings().calibre_mm() as f32;
        let throw = calibre * dice.tint(0.05, 0.5);
        Self {
            colour: backing_colour(scene.backing, &mut dice),
            texture: Texture::fractal(dice.seed(), 16, 4, 0.7),
            shift: (light_from.0 * throw, light_from.1 * throw),
            penumbra: calibre * dice.tint(0.05, 0.2),
            ambient: dice.tint(0.12, 0.5),
        }
    }

    fn at(&self, x: f64, y: f64, holes: &[&HoleShape]) -> Colour {
        let (sx, sy) = (x + f64::from(self.shift.0), y + f64::from(self.shift.1));
        let margin = holes.iter().map(|hole| hole.inside_mm(sx, sy)).fold(f32::MIN, f32::max);
        let lit = smoothstep(-self.penumbra, self.penumbra, margin);
        let grain = 1.0 + 0.08 * self.texture.at(x as f32 * 9.0, y as f32 * 9.0);
        scale(self.colour, (self.ambient + (1.0 - self.ambient) * lit) * grain)
    }
}

fn backing_colour(backing: Backing, dice: &mut Dice) -> Colour {
    const COLOURS: [Colour; 5] =
        [[0.75, 0.16, 0.03], [0.1, 0.42, 0.1], [0.55, 0.05, 0.05], [0.72, 0.52, 0.06], [0.06, 0.14, 0.45]];
    const PALE: [Colour; 3] = [[0.42, 0.29, 0.17], [0.5, 0.4, 0.28], [0.45, 0.44, 0.42]];
    let hue = match backing {
        Backing::Dark => [0.022, 0.021, 0.02],
        Backing::Light => PALE[dice.index(PALE.len())],
        Backing::Coloured => COLOURS[dice.index(COLOURS.len())],
    };
    let level = dice.tint(0.7, 1.2);
    hue.map(|channel| channel * level * dice.tint(0.9, 1.1))
}

pub fn paint_holes(
    canvas: &mut Canvas,
    scene: &Scene,
    holes: &[(usize, &PlacedHole)],
    sheet: &Sheet,
    projection: &Projection,
    light_from: (f32, f32),
) {
    let calibre = scene.target.rings().calibre_mm();
    let shapes: Vec<HoleShape> = holes.iter().map(|(_, hole)| HoleShape::new(hole, calibre, sheet.paper)).collect();
    let behind = Behind::new(scene, light_from);
    // Where two holes' boxes overlap, the pixel is painted with both of them by the first.
    let mut painted = std::collections::HashSet::new();
    for shape in &shapes {
        let near: Vec<&HoleShape> = shapes.iter().filter(|other| touches(shape, other)).collect();
        let (x_mm, y_mm) = shape.centre();
        let bounds = projection.disc_px(Position::new(x_mm, y_mm), shape.reach_mm());
        let samples = if bounds.2 - bounds.0 > 80.0 { 2 } else { 4 };
        for (x, y, px, py) in canvas.clip(bounds).pixels() {
            if near.len() > 1 && !painted.insert((x, y)) {
                continue;
            }
            let under = canvas.get(x, y);
            let mut sum = [0.0_f32; 3];
            for (dx, dy) in grid(samples, hash((x * 7919 + y) as u64)) {
                let at = projection.to_mm(px + dx, py + dy);
                let seen = sample(at, under, &near, &behind, sheet.paper, light_from);
                sum.iter_mut().zip(seen).for_each(|(sum, seen)| *sum += seen);
            }
            let share = 1.0 / (samples * samples) as f32;
            canvas.set(x, y, scale(sum, share));
        }
    }
}

fn touches(one: &HoleShape, other: &HoleShape) -> bool {
    let ((ax, ay), (bx, by)) = (one.centre(), other.centre());
    // Boxes are squares about the discs: √2 of the reach covers their corners.
    (ax - bx).hypot(ay - by) < (one.reach_mm() + other.reach_mm()) * std::f64::consts::SQRT_2
}

fn sample(
    at: Position,
    under: Colour,
    holes: &[&HoleShape],
    behind: &Behind,
    paper: Colour,
    light_from: (f32, f32),
) -> Colour {
    let mut colour = under;
    let mut flap = None;
    for hole in holes {
        match hole.at(at.x_mm, at.y_mm, colour, paper, light_from) {
            // Nothing can hang where a hole has taken the paper away.
            Place::Open => return behind.at(at.x_mm, at.y_mm, holes),
            Place::Flap(fibres) => flap = Some(fibres),
            Place::Paper(around) => colour = around,
        }
    }
    flap.unwrap_or(colour)
}

/// Offsets of `n` × `n` samples within a pixel, shifted as one by a hash so that no grid shows.
fn grid(n: usize, bits: u64) -> impl Iterator<Item = (f64, f64)> {
    let step = 1.0 / n as f64;
    let jitter = |bits: u64| ((bits & 0xFF) as f64 / 255.0 - 0.5) * step * 0.5;
    let (jx, jy) = (jitter(bits), jitter(bits >> 8));
    (0..n * n).map(move |i| (((i % n) as f64 + 0.5) * step - 0.5 + jx, ((i / n) as f64 + 0.5) * step - 0.5 + jy))
}
