//! Ellipses through points, some of which are wrong.
//!
//! The fit is algebraic, with the conic's trace as the constraint (Rosin, "A note on the least squares fitting of
//! ellipses", 1993; it needs one linear solve and is as good as Fitzgibbon's where, as here, most of the outline is
//! seen), repeated with Tukey's weights on the Sampson distance.

use super::linear::NormalEquations;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipse {
    pub x: f64,
    pub y: f64,
    /// Half axes.
    pub major: f64,
    pub minor: f64,
    /// Of the major axis, radians from x towards y.
    pub angle: f64,
}

/// A + C = 1 in `A x² + B xy + C y² + D x + E y + F = 0`, about `origin`, in units of `scale`.
struct Conic {
    coefficients: [f64; 6],
    origin: (f64, f64),
    scale: f64,
}

impl Ellipse {
    /// Fits an ellipse to at least five points. Points further than a few times the typical error do not count.
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        const ROUNDS: usize = 8;
        let mut weights = vec![1.0; points.len()];
        let mut conic = Conic::fit(points, &weights)?;
        for _ in 0..ROUNDS {
            let distances: Vec<f64> = points.iter().map(|&p| conic.sampson(p)).collect();
            let limit = tukey_limit(&distances, 1e-4);
            for (weight, distance) in weights.iter_mut().zip(&distances) {
                *weight = tukey(*distance, limit);
            }
            conic = Conic::fit(points, &weights)?;
        }
        conic.ellipse()
    }

    /// The point of the outline at an angle of the ellipse's own circle, with the outward normal.
    pub fn outline(&self, t: f64) -> ((f64, f64), (f64, f64)) {
        let (sin_t, cos_t) = t.sin_cos();
        let (sin, cos) = self.angle.sin_cos();
        let (u, v) = (self.major * cos_t, self.minor * sin_t);
        let (nu, nv) = (self.minor * cos_t, self.major * sin_t);
        let norm = nu.hypot(nv);
        (
            (self.x + u * cos - v * sin, self.y + u * sin + v * cos),
            ((nu * cos - nv * sin) / norm, (nu * sin + nv * cos) / norm),
        )
    }

    /// How far a point lies outside (positive) or inside, as a share of the radius in its direction.
    pub fn excess(&self, (x, y): (f64, f64)) -> f64 {
        let (sin, cos) = self.angle.sin_cos();
        let (dx, dy) = (x - self.x, y - self.y);
        ((dx * cos + dy * sin) / self.major).hypot((dy * cos - dx * sin) / self.minor) - 1.0
    }

    /// The same ellipse in a picture `factor` times as large; pixel centres are whole numbers in both.
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            x: (self.x + 0.5) * factor - 0.5,
            y: (self.y + 0.5) * factor - 0.5,
            major: self.major * factor,
            minor: self.minor * factor,
            angle: self.angle,
        }
    }
}

impl Conic {
    fn fit(points: &[(f64, f64)], weights: &[f64]) -> Option<Self> {
        let total: f64 = weights.iter().sum();
        if points.len() < 5 || total < 3.0 {
            return None;
        }
        let mean =
            |pick: fn(&(f64, f64)) -> f64| points.iter().zip(weights).map(|(p, w)| w * pick(p)).sum::<f64>() / total;
        let origin = (mean(|p| p.0), mean(|p| p.1));
        let spread = points.iter().zip(weights).map(|(p, w)| w * (p.0 - origin.0).hypot(p.1 - origin.1)).sum::<f64>();
        let scale = (spread / total).max(1e-9);
        let mut equations = NormalEquations::<5>::new([1e-9; 5]);
        for (point, &weight) in points.iter().zip(weights) {
            let (x, y) = ((point.0 - origin.0) / scale, (point.1 - origin.1) / scale);
            equations.add(&[x * y, y * y - x * x, x, y, 1.0], -x * x, weight);
        }
        let [b, c, d, e, f] = equations.solve()?;
        Some(Self { coefficients: [1.0 - c, b, c, d, e, f], origin, scale })
    }

    fn sampson(&self, point: (f64, f64)) -> f64 {
        let [a, b, c, d, e, f] = self.coefficients;
        let (x, y) = ((point.0 - self.origin.0) / self.scale, (point.1 - self.origin.1) / self.scale);
        let value = a * x * x + b * x * y + c * y * y + d * x + e * y + f;
        let gradient = (2.0 * a * x + b * y + d).hypot(b * x + 2.0 * c * y + e);
        value / gradient.max(1e-9)
    }

    fn ellipse(&self) -> Option<Ellipse> {
        let [a, b, c, d, e, f] = self.coefficients;
        let discriminant = 4.0 * a * c - b * b;
        if discriminant <= 1e-9 {
            return None;
        }
        let (x, y) = ((b * e - 2.0 * c * d) / discriminant, (b * d - 2.0 * a * e) / discriminant);
        let at_centre = f + (d * x + e * y) / 2.0;
        let root = (a - c).hypot(b);
        let (small, large) = ((a + c - root) / 2.0, (a + c + root) / 2.0);
        if at_centre >= 0.0 || small <= 0.0 {
            return None;
        }
        Some(Ellipse {
            x: x * self.scale + self.origin.0,
            y: y * self.scale + self.origin.1,
            major: (-at_centre / small).sqrt() * self.scale,
            minor: (-at_centre / large).sqrt() * self.scale,
            angle: 0.5 * (-b).atan2(c - a),
        })
    }
}

/// Where Tukey's weight becomes nought: 4.685 robust standard deviations, `floor` of them at least.
pub fn tukey_limit(errors: &[f64], floor: f64) -> f64 {
    let mut sizes: Vec<f64> = errors.iter().map(|e| e.abs()).collect();
    if sizes.is_empty() {
        return floor;
    }
    let middle = sizes.len() / 2;
    let (_, median, _) = sizes.select_nth_unstable_by(middle, f64::total_cmp);
    4.685 * (1.4826 * *median).max(floor)
}

/// Tukey's biweight.
pub fn tukey(error: f64, limit: f64) -> f64 {
    let share = (error / limit).powi(2);
    if share >= 1.0 { 0.0 } else { (1.0 - share).powi(2) }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    const TRUTH: Ellipse = Ellipse { x: 310.0, y: 205.0, major: 90.0, minor: 81.0, angle: 0.6 };

    fn outline(count: u32) -> Vec<(f64, f64)> {
        (0..count).map(|i| TRUTH.outline(TAU * f64::from(i) / f64::from(count)).0).collect()
    }

    fn assert_close(found: &Ellipse, tolerance: f64) {
        assert!((found.x - TRUTH.x).hypot(found.y - TRUTH.y) < tolerance, "{found:?}");
        assert!((found.major - TRUTH.major).abs() < tolerance, "{found:?}");
        assert!((found.minor - TRUTH.minor).abs() < tolerance, "{found:?}");
        assert!((found.angle - TRUTH.angle).abs() < tolerance / 10.0, "{found:?}");
    }

    #[test]
    fn an_ellipse_comes_back_from_its_outline() {
        assert_close(&Ellipse::fit(&outline(64)).unwrap(), 1e-6);
    }

    #[test]
    fn a_bite_out_of_the_outline_does_not_move_the_ellipse() {
        let mut points = outline(120);
        for point in &mut points[10..24] {
            *point = (point.0 + 0.1 * (TRUTH.x - point.0), point.1 + 0.1 * (TRUTH.y - point.1));
        }
        assert_close(&Ellipse::fit(&points).unwrap(), 0.05);
    }

    #[test]
    fn half_an_outline_is_enough() {
        assert_close(&Ellipse::fit(&outline(120)[..60]).unwrap(), 0.01);
    }

    #[test]
    fn points_on_a_line_make_no_ellipse() {
        let points: Vec<_> = (0..20).map(|i| (f64::from(i), 2.0 * f64::from(i))).collect();
        assert!(Ellipse::fit(&points).is_none());
    }
}
