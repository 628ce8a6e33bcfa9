//! The pinhole camera: where a point of the target's plane lies in the frame, and back.
//!
//! Pixels are continuous coordinates: the centre of the first pixel is (0.5, 0.5), y grows downwards.

use serde::{Deserialize, Serialize};
use shared::domain::position::Position;

use crate::dice::Dice;

/// How the camera sees the target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct View {
    pub width: u32,
    pub height: u32,
    /// Scale at the target's centre, before foreshortening.
    pub pixels_per_mm: f64,
    /// Focal length in pixels: the smaller, the stronger the perspective.
    pub focal_px: f64,
    /// Angle between the target's normal and the line of sight.
    pub tilt_deg: f64,
    /// Direction of the axis that the target is tilted about, in its plane.
    pub tilt_axis_deg: f64,
    pub roll_deg: f64,
    /// Where the target's centre is seen.
    pub centre_px: (f64, f64),
}

/// Projective map between the target's plane in millimetres and the frame in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Projection {
    to_px: [[f64; 3]; 3],
    to_mm: [[f64; 3]; 3],
}

impl View {
    pub fn projection(&self) -> Projection {
        let f = self.focal_px;
        let distance = f / self.pixels_per_mm;
        let (half_w, half_h) = (f64::from(self.width) / 2.0, f64::from(self.height) / 2.0);
        let rotation = rotation(self.tilt_deg, self.tilt_axis_deg, self.roll_deg);
        let offset_x = (self.centre_px.0 - half_w) / f * distance;
        let offset_y = (half_h - self.centre_px.1) / f * distance;
        let column = |x: f64, y: f64, z: f64| [f * x + half_w * z, half_h * z - f * y, z];
        let first = column(rotation[0][0], rotation[1][0], rotation[2][0]);
        let second = column(rotation[0][1], rotation[1][1], rotation[2][1]);
        let third = column(offset_x, offset_y, distance);
        let to_px = [0, 1, 2].map(|row| [first[row], second[row], third[row]]);
        Projection { to_px, to_mm: inverse(&to_px) }
    }

    /// The same target after the camera was touched: shifted, turned and zoomed a little.
    #[must_use]
    pub fn nudged(&self, dice: &mut Dice) -> Self {
        let shift = f64::from(self.height) / 1080.0;
        Self {
            pixels_per_mm: self.pixels_per_mm * dice.between(0.993, 1.007),
            tilt_deg: (self.tilt_deg + dice.between(-0.7, 0.7)).abs(),
            tilt_axis_deg: self.tilt_axis_deg + dice.between(-2.0, 2.0),
            roll_deg: self.roll_deg + dice.between(-0.5, 0.5),
            centre_px: (
                self.centre_px.0 + shift * dice.between(-9.0, 9.0),
                self.centre_px.1 + shift * dice.between(-6.0, 6.0),
            ),
            ..*self
        }
    }
}

impl Projection {
    pub fn to_px(&self, position: Position) -> (f64, f64) {
        apply(&self.to_px, position.x_mm, position.y_mm)
    }

    pub fn to_mm(&self, x_px: f64, y_px: f64) -> Position {
        let (x_mm, y_mm) = apply(&self.to_mm, x_px, y_px);
        Position::new(x_mm, y_mm)
    }

    /// Rows of the matrix that takes (x px, y px, 1) to homogeneous millimetres.
    pub fn rows_to_mm(&self) -> &[[f64; 3]; 3] {
        &self.to_mm
    }

    /// Side in millimetres of what one pixel covers at a place of the target, the geometric mean of both directions.
    pub fn pixel_mm(&self, at: Position) -> f64 {
        let (x, y) = self.to_px(at);
        let here = self.to_mm(x, y);
        let right = self.to_mm(x + 1.0, y);
        let below = self.to_mm(x, y + 1.0);
        let (ax, ay) = (right.x_mm - here.x_mm, right.y_mm - here.y_mm);
        let (bx, by) = (below.x_mm - here.x_mm, below.y_mm - here.y_mm);
        (ax * by - ay * bx).abs().sqrt()
    }

    /// The pixel box (left, top, right, bottom) that a disc of the target covers.
    pub fn disc_px(&self, centre: Position, radius_mm: f64) -> (f64, f64, f64, f64) {
        let mut bounds = (f64::MAX, f64::MAX, f64::MIN, f64::MIN);
        for step in 0..32_u32 {
            let (sin, cos) = (f64::from(step) * std::f64::consts::TAU / 32.0).sin_cos();
            // The polygon's corners lie a little outside the disc, so that its sides touch it.
            let radius = radius_mm / (std::f64::consts::PI / 32.0).cos();
            let (x, y) = self.to_px(Position::new(centre.x_mm + radius * cos, centre.y_mm + radius * sin));
            bounds = (bounds.0.min(x), bounds.1.min(y), bounds.2.max(x), bounds.3.max(y));
        }
        bounds
    }
}

/// Tilt about an axis of the plane (Rodrigues), then roll about the line of sight.
fn rotation(tilt_deg: f64, axis_deg: f64, roll_deg: f64) -> [[f64; 3]; 3] {
    let (st, ct) = tilt_deg.to_radians().sin_cos();
    let (ay, ax) = axis_deg.to_radians().sin_cos();
    let tilt = [
        [ct + ax * ax * (1.0 - ct), ax * ay * (1.0 - ct), ay * st],
        [ax * ay * (1.0 - ct), ct + ay * ay * (1.0 - ct), -ax * st],
        [-ay * st, ax * st, ct],
    ];
    let (sr, cr) = roll_deg.to_radians().sin_cos();
    let mix = |a: f64, b: f64| [0, 1, 2].map(|column| a * tilt[0][column] + b * tilt[1][column]);
    [mix(cr, -sr), mix(sr, cr), tilt[2]]
}

fn apply(m: &[[f64; 3]; 3], x: f64, y: f64) -> (f64, f64) {
    let [u, v, w] = m.map(|row| row[0] * x + row[1] * y + row[2]);
    (u / w, v / w)
}

/// Inverse up to scale, which a projective map does not need.
fn inverse(m: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let minor = |r0: usize, c0: usize, r1: usize, c1: usize| m[r0][c0] * m[r1][c1] - m[r0][c1] * m[r1][c0];
    [
        [minor(1, 1, 2, 2), -minor(0, 1, 2, 2), minor(0, 1, 1, 2)],
        [-minor(1, 0, 2, 2), minor(0, 0, 2, 2), -minor(0, 0, 1, 2)],
        [minor(1, 0, 2, 1), -minor(0, 0, 2, 1), minor(0, 0, 1, 1)],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        View {
            width: 1920,
            height: 1080,
            pixels_per_mm: 6.0,
            focal_px: 1800.0,
            tilt_deg: 17.0,
            tilt_axis_deg: 40.0,
            roll_deg: 2.0,
            centre_px: (1010.0, 500.0),
        }
    }

    #[test]
    fn pixels_lead_back_to_their_millimetres() {
        let projection = view().projection();
        for (x, y) in [(0.0, 0.0), (70.0, -12.5), (-60.0, 44.0)] {
            let (px, py) = projection.to_px(Position::new(x, y));
            let back = projection.to_mm(px, py);
            assert!(back.distance_mm(Position::new(x, y)) < 1e-9);
        }
    }

    #[test]
    fn the_centre_is_seen_where_the_view_says() {
        let (x, y) = view().projection().to_px(Position::CENTRE);
        assert!((x - 1010.0).abs() < 1e-9 && (y - 500.0).abs() < 1e-9);
    }

    #[test]
    fn up_on_the_target_is_up_in_the_frame() {
        let straight = View { tilt_deg: 0.0, roll_deg: 0.0, ..view() }.projection();
        let (x, y) = straight.to_px(Position::new(10.0, 10.0));
        assert!((x - 1070.0).abs() < 1e-9 && (y - 440.0).abs() < 1e-9);
    }

    #[test]
    fn tilt_shortens_one_direction_and_keeps_the_other() {
        let tilted = View { tilt_deg: 20.0, tilt_axis_deg: 0.0, roll_deg: 0.0, focal_px: 1e6, ..view() }.projection();
        let (x, _) = tilted.to_px(Position::new(50.0, 0.0));
        let (_, y) = tilted.to_px(Position::new(0.0, 50.0));
        assert!((x - 1310.0).abs() < 0.5);
        assert!((500.0 - y - 300.0 * 20.0_f64.to_radians().cos()).abs() < 0.5);
    }
}
