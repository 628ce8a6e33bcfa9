//! The target's plane in the picture: a homography from millimetres to pixels, and back.

use shared::domain::position::Position;

use super::{
    ellipse::Ellipse,
    linear::{Matrix3, inverse, multiply},
};

/// Maps the target's plane (millimetres, right and up positive) to the upright picture and back. The centre of the
/// picture's first pixel is (0, 0).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    to_px: Matrix3,
    to_mm: Matrix3,
}

impl Plane {
    /// `None`: the matrix has no inverse.
    pub fn new(to_px: Matrix3) -> Option<Self> {
        let to_mm = inverse(&to_px)?;
        Some(Self { to_px, to_mm })
    }

    /// The plane in which a circle of `radius_mm` about the centre looks like this ellipse, seen from far away and
    /// without roll: a circle alone tells no more.
    pub fn from_ellipse(ellipse: &Ellipse, radius_mm: f64) -> Option<Self> {
        let (sin, cos) = ellipse.angle.sin_cos();
        let (a, b) = (ellipse.major / radius_mm, ellipse.minor / radius_mm);
        let (xx, xy, yy) = (a * cos * cos + b * sin * sin, (a - b) * sin * cos, a * sin * sin + b * cos * cos);
        Self::new([[xx, -xy, ellipse.x], [xy, -yy, ellipse.y], [0.0, 0.0, 1.0]])
    }

    /// The pixel that shows a position.
    pub fn px(&self, position: Position) -> (f64, f64) {
        apply(&self.to_px, position.x_mm, position.y_mm)
    }

    /// The position that a pixel shows.
    pub fn mm(&self, x_px: f64, y_px: f64) -> Position {
        let (x, y) = apply(&self.to_mm, x_px, y_px);
        Position::new(x, y)
    }

    /// The matrix that takes `(x mm, y mm, 1)` to homogeneous pixels.
    pub const fn matrix(&self) -> &Matrix3 {
        &self.to_px
    }

    /// The partial derivatives of [`Self::px`]: `[[dx/dX, dx/dY], [dy/dX, dy/dY]]`.
    pub fn jacobian(&self, position: Position) -> [[f64; 2]; 2] {
        let h = &self.to_px;
        let w = h[2][0] * position.x_mm + h[2][1] * position.y_mm + h[2][2];
        let (x, y) = self.px(position);
        [
            [(h[0][0] - x * h[2][0]) / w, (h[0][1] - x * h[2][1]) / w],
            [(h[1][0] - y * h[2][0]) / w, (h[1][1] - y * h[2][1]) / w],
        ]
    }

    /// Pixels per millimetre about a position: the root of how areas grow.
    pub fn pixels_per_mm(&self, position: Position) -> f64 {
        let [[a, b], [c, d]] = self.jacobian(position);
        (a * d - b * c).abs().sqrt()
    }

    /// The same plane with its own coordinates changed first: `change` is near the identity.
    pub fn compose(&self, change: &Matrix3) -> Option<Self> {
        Self::new(multiply(&self.to_px, change))
    }

    /// The same plane turned about its centre so that the target stands upright in the picture: the part of the
    /// Jacobian at the centre that is a rotation (its polar decomposition) is taken out.
    pub fn without_roll(&self) -> Option<Self> {
        // With pixels counted upwards, as millimetres are.
        let [[a, b], [c, d]] = self.jacobian(Position::CENTRE);
        self.turned((b + c).atan2(a - d))
    }

    /// The same plane with its axes turned by an angle in radians.
    pub fn turned(&self, angle: f64) -> Option<Self> {
        let (sin, cos) = angle.sin_cos();
        self.compose(&[[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    }
}

fn apply(m: &Matrix3, x: f64, y: f64) -> (f64, f64) {
    let w = m[2][0] * x + m[2][1] * y + m[2][2];
    ((m[0][0] * x + m[0][1] * y + m[0][2]) / w, (m[1][0] * x + m[1][1] * y + m[1][2]) / w)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tilted() -> Plane {
        Plane::new([[6.0, 0.3, 960.0], [0.2, -5.6, 540.0], [4e-4, -2e-4, 1.0]]).unwrap()
    }

    #[test]
    fn pixels_and_millimetres_are_inverse() {
        let position = Position::new(31.5, -44.25);
        let (x, y) = tilted().px(position);
        assert!(tilted().mm(x, y).distance_mm(position) < 1e-9);
    }

    #[test]
    fn up_on_the_target_is_up_in_the_picture() {
        let plane =
            Plane::from_ellipse(&Ellipse { x: 100.0, y: 80.0, major: 60.0, minor: 50.0, angle: 0.4 }, 30.0).unwrap();
        assert!(plane.px(Position::new(0.0, 10.0)).1 < 80.0);
        assert!(plane.px(Position::new(10.0, 0.0)).0 > 100.0);
    }

    #[test]
    fn a_turn_is_taken_out_again() {
        let plane = tilted().without_roll().unwrap();
        let again = plane.turned(0.2).unwrap().without_roll().unwrap();
        for position in [Position::new(20.0, 5.0), Position::new(-3.0, 40.0)] {
            let ((x, y), (u, v)) = (plane.px(position), again.px(position));
            assert!((x - u).hypot(y - v) < 1e-6);
        }
    }
}
