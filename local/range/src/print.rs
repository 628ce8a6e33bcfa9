#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "radii are clamped to the profile before they become indices"
)]
//! What the printer puts on the paper: aiming mark, rings, ring numbers, aiming lines.
//!
//! Source of the layout: ISSF General Technical Rules, "Target standards": rings are measured to the outer edge of
//! their line; numbers stand upright in the middle of their zone on the vertical and the horizontal line; rapid fire has
//! white aiming lines in place of the horizontal numbers.

use shared::domain::target::{TargetType, um_to_mm};

use crate::{dice::Dice, digits};

const PROFILE_STEP_MM: f32 = 0.01;

/// A printed target.
pub struct Print {
    /// Integral of the whiteness over the radius, a sample every `PROFILE_STEP_MM`.
    integral: Vec<f32>,
    pub marks: Vec<Mark>,
}

/// A line drawn with a round pen, in millimetres on the target.
pub struct Mark {
    pub points: Vec<(f64, f64)>,
    pub width_mm: f64,
    pub ink: Ink,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Black,
    /// Paper left unprinted within the black.
    Paper,
    Pen,
}

/// Sizes that printers choose within the rules.
struct Layout {
    line_mm: f64,
    number_mm: f64,
    stroke_mm: f64,
    highest_number: u8,
    aiming_lines: bool,
}

impl Layout {
    fn choose(target: TargetType, dice: &mut Dice) -> Self {
        let (line, number, stroke, highest_number) = match target {
            TargetType::AirPistol10m => ((0.12, 0.3), (1.8, 2.6), (0.2, 0.4), 8),
            TargetType::AirRifle10m => ((0.1, 0.2), (1.3, 1.9), (0.15, 0.3), 8),
            TargetType::Rifle50m => ((0.2, 0.3), (2.5, 3.5), (0.3, 0.5), 8),
            TargetType::Standard => ((0.2, 0.5), (8.0, 11.0), (0.8, 1.3), 9),
            TargetType::RapidFire25m => ((0.3, 0.8), (5.0, 11.0), (0.7, 1.3), 9),
        };
        Self {
            line_mm: dice.between(line.0, line.1),
            number_mm: dice.between(number.0, number.1),
            stroke_mm: dice.between(stroke.0, stroke.1),
            highest_number,
            aiming_lines: target == TargetType::RapidFire25m && dice.chance(0.6),
        }
    }
}

impl Print {
    pub fn new(target: TargetType, dice: &mut Dice) -> Self {
        let layout = Layout::choose(target, dice);
        let mut marks = numbers(target, &layout);
        if layout.aiming_lines {
            marks.extend(aiming_lines(target));
        }
        Self { integral: integrate(&profile(target, layout.line_mm)), marks }
    }

    /// A sheet that nothing is printed on.
    pub fn blank() -> Self {
        Self { integral: vec![0.0, PROFILE_STEP_MM], marks: Vec::new() }
    }

    /// Mean whiteness (0 ink, 1 paper) between two radii around `radius_mm`, `width_mm` apart.
    pub fn whiteness(&self, radius_mm: f32, width_mm: f32) -> f32 {
        let half = width_mm * 0.5;
        ((self.integral_to(radius_mm + half) - self.integral_to(radius_mm - half)) / width_mm).clamp(0.0, 1.0)
    }

    fn integral_to(&self, radius_mm: f32) -> f32 {
        if radius_mm < 0.0 {
            // The profile goes on unchanged on the other side of the centre.
            return -self.integral_to(-radius_mm);
        }
        let place = radius_mm / PROFILE_STEP_MM;
        let last = self.integral.len() - 1;
        if place >= last as f32 {
            return self.integral[last] + radius_mm - last as f32 * PROFILE_STEP_MM;
        }
        let index = place as usize;
        let share = place - index as f32;
        self.integral[index] * (1.0 - share) + self.integral[index + 1] * share
    }
}

/// Whiteness of each step of the radius.
fn profile(target: TargetType, line_mm: f64) -> Vec<f32> {
    let rings = target.rings();
    let black = rings.black_mm() / 2.0;
    let steps = ((rings.outermost_mm().max(rings.black_mm()) / 2.0 + 1.0) / f64::from(PROFILE_STEP_MM)) as usize;
    let mut whiteness = vec![1.0_f32; steps];
    cover(&mut whiteness, 0.0, black, 0.0);
    let mut radii: Vec<f64> = (rings.lowest_ring..=10).map(|ring| um_to_mm(rings.diameter_um(ring)) / 2.0).collect();
    radii.extend(rings.inner_ten_um.map(|diameter| um_to_mm(diameter) / 2.0));
    for radius in radii {
        if (radius - black).abs() < 1e-6 {
            continue; // the edge of the black is the ring
        }
        // A ten ring smaller than two lines is printed as a dot.
        let inner = if radius < 2.0 * line_mm { 0.0 } else { radius - line_mm };
        cover(&mut whiteness, inner, radius, if radius < black { 1.0 } else { 0.0 });
    }
    whiteness
}

fn cover(whiteness: &mut [f32], from_mm: f64, to_mm: f64, value: f32) {
    let step = f64::from(PROFILE_STEP_MM);
    let first = (from_mm / step) as usize;
    let last = ((to_mm / step).ceil() as usize).min(whiteness.len());
    for (offset, cell) in whiteness[first..last].iter_mut().enumerate() {
        let start = (first + offset) as f64 * step;
        let share = ((to_mm.min(start + step) - from_mm.max(start)) / step).clamp(0.0, 1.0) as f32;
        *cell += (value - *cell) * share;
    }
}

fn integrate(whiteness: &[f32]) -> Vec<f32> {
    let mut sum = 0.0_f64;
    let step = f64::from(PROFILE_STEP_MM);
    let mut integral = vec![0.0];
    integral.extend(whiteness.iter().map(|&value| {
        sum += f64::from(value) * step;
        sum as f32
    }));
    integral
}

fn numbers(target: TargetType, layout: &Layout) -> Vec<Mark> {
    let rings = target.rings();
    let black = rings.black_mm() / 2.0;
    let mut marks = Vec::new();
    for ring in rings.lowest_ring..=layout.highest_number {
        let radius = um_to_mm(rings.diameter_um(ring) + rings.diameter_um(ring + 1)) / 4.0;
        let ink = if radius < black { Ink::Paper } else { Ink::Black };
        let mut places = vec![(0.0, radius), (0.0, -radius)];
        if !layout.aiming_lines {
            places.extend([(radius, 0.0), (-radius, 0.0)]);
        }
        for place in places {
            marks.extend(number(ring, place, layout.number_mm, layout.stroke_mm, ink));
        }
    }
    marks
}

/// The strokes of one digit.
pub fn number(digit: u8, centre: (f64, f64), height_mm: f64, stroke_mm: f64, ink: Ink) -> impl Iterator<Item = Mark> {
    let size = height_mm - stroke_mm;
    digits::strokes(digit).iter().map(move |stroke| Mark {
        points: stroke.iter().map(|&(x, y)| (centre.0 + x * size, centre.1 + y * size)).collect(),
        width_mm: stroke_mm,
        ink,
    })
}

/// White bars of 125 × 5 mm from the edge of the black inwards.
fn aiming_lines(target: TargetType) -> impl Iterator<Item = Mark> {
    const LENGTH_MM: f64 = 125.0;
    const WIDTH_MM: f64 = 5.0;
    let edge = target.rings().black_mm() / 2.0;
    [-1.0, 1.0].into_iter().map(move |side| Mark {
        points: vec![(side * (edge - WIDTH_MM / 2.0), 0.0), (side * (edge - LENGTH_MM + WIDTH_MM / 2.0), 0.0)],
        width_mm: WIDTH_MM,
        ink: Ink::Paper,
    })
}

impl Mark {
    /// Distance from a place to the middle of the line, in millimetres.
    pub fn distance_mm(&self, x: f64, y: f64) -> f64 {
        self.points.windows(2).map(|ends| segment_distance((x, y), ends[0], ends[1])).fold(f64::MAX, f64::min)
    }

    /// The box (left, bottom, right, top) around the line, in millimetres.
    pub fn bounds_mm(&self) -> (f64, f64, f64, f64) {
        let half = self.width_mm / 2.0;
        self.points.iter().fold((f64::MAX, f64::MAX, f64::MIN, f64::MIN), |b, &(x, y)| {
            (b.0.min(x - half), b.1.min(y - half), b.2.max(x + half), b.3.max(y + half))
        })
    }
}

fn segment_distance(p: (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length2 = dx * dx + dy * dy;
    let t = if length2 > 0.0 { (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / length2).clamp(0.0, 1.0) } else { 0.0 };
    (p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Radii at which the whiteness crosses one half.
    fn edges(print: &Print, to_mm: f32) -> Vec<f32> {
        let at = |step: u32| print.whiteness(step as f32 * 0.01, 0.01) > 0.5;
        (1..(to_mm * 100.0) as u32).filter(|&step| at(step) != at(step - 1)).map(|step| step as f32 * 0.01).collect()
    }

    #[test]
    fn every_ring_ends_where_the_table_says() {
        for target in TargetType::ALL {
            let rings = target.rings();
            let print = Print::new(target, &mut Dice::new(7));
            let edges = edges(&print, 260.0);
            let mut diameters: Vec<i64> = (rings.lowest_ring..=10).map(|ring| rings.diameter_um(ring)).collect();
            diameters.extend(rings.inner_ten_um);
            diameters.push(rings.black_um);
            for diameter in diameters {
                let radius = um_to_mm(diameter) as f32 / 2.0;
                assert!(edges.iter().any(|edge| (edge - radius).abs() < 0.02), "{target:?} {radius}: {edges:?}");
            }
        }
    }

    #[test]
    fn a_line_narrower_than_a_pixel_keeps_its_ink() {
        let print = Print::new(TargetType::AirPistol10m, &mut Dice::new(7));
        let ink: f32 = (0..20).map(|i| 1.0 - print.whiteness(60.0 + i as f32 * 0.5, 0.5)).sum::<f32>() * 0.5;
        let line = 0.12..0.3;
        assert!(line.contains(&ink), "one ring between 60 and 70 mm: {ink} mm of ink");
    }

    #[test]
    fn air_pistol_has_numbers_one_to_eight_in_four_directions() {
        let print = Print::new(TargetType::AirPistol10m, &mut Dice::new(7));
        let strokes: usize = (1..=8).map(|digit| digits::strokes(digit).len()).sum();
        assert_eq!(print.marks.len(), 4 * strokes);
    }
}
