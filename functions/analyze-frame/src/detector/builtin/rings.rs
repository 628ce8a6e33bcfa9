#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sample counts, small and positive")]
//! Takes tilt and perspective out by the printed rings.
//!
//! One circle's ellipse leaves its plane open: the centre of the ellipse is not the picture of the circle's centre. Two
//! concentric circles fix the plane up to a rotation (Kim, Gurdjos & Kweon, "Geometric and algebraic constraints of
//! projected concentric circles", 2005). Here every printed ring is measured in many directions, and the homography is
//! adjusted to all of them at once by Gauss-Newton with Tukey's weights, from the edge of the black outwards and inwards
//! so that each ring is looked for where its neighbours put it.

use std::f64::consts::TAU;

use shared::domain::{position::Position, target::TargetType};

use super::{
    ellipse::{tukey, tukey_limit},
    linear::{NormalEquations, median},
    plane::Plane,
    pyramid::{Level, Pyramid},
};

/// Directions in which a ring is measured, neighbouring rays that are averaged in each, and how far from where it is
/// expected a ring is looked for, as a share of its clearance.
#[derive(Clone, Copy)]
struct Care {
    sectors: usize,
    rays: usize,
    reach: f64,
}

/// While circles are added one by one, and in the end.
const COARSE: Care = Care { sectors: 36, rays: 4, reach: 0.75 };
const FINE: Care = Care { sectors: 72, rays: 6, reach: 0.4 };
const FINAL: Care = Care { sectors: 72, rays: 6, reach: 0.75 };
/// Circles known in each coarse step; then all of them.
const COARSE_STEPS: [usize; 7] = [1, 1, 2, 3, 5, 7, 9];
const FINE_STEPS: usize = 2;
/// A line stands out if its response is this many times the typical response.
const STANDS_OUT: f32 = 2.5;

/// A circle that is printed on the target.
#[derive(Debug, Clone, Copy)]
pub struct PrintedCircle {
    pub radius_mm: f64,
    /// Half the space to the next circle: nothing else is printed that near, but numerals.
    pub clearance_mm: f64,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The edge of the black.
    Edge,
    /// A dark line on white.
    Dark,
    /// A light line on black.
    Light,
}

/// Where a ring was seen in one direction.
struct Sighting {
    angle: f64,
    radius_mm: f64,
    excess_mm: f64,
}

/// How well the printed rings agree with a plane.
#[derive(Debug, Clone, Copy, Default)]
pub struct Agreement {
    /// Share of the black's edge that is where it should be.
    pub edge: f64,
    /// Share of the rings that can be in the picture and are seen.
    pub rings: f64,
    pub rings_seen: usize,
}

/// The circles of a target, nearest to the edge of the black first.
pub fn printed_circles(target: TargetType) -> Vec<PrintedCircle> {
    let table = target.rings();
    let black = table.black_mm() / 2.0;
    let mut radii: Vec<f64> = (table.lowest_ring..=10).map(|ring| table.diameter_um(ring) as f64 / 2000.0).collect();
    radii.extend(table.inner_ten_um.map(|um| um as f64 / 2000.0));
    // The black's edge may be a ring itself (air pistol, rapid fire), but for tenths of a millimetre.
    radii.retain(|radius| (radius - black).abs() > 0.02 * black);
    radii.push(black);
    let clearance = |radius: f64| {
        let gaps = radii.iter().map(|other| (other - radius).abs()).filter(|gap| *gap > 0.0);
        gaps.fold(radius, f64::min) / 2.0
    };
    let kind = |radius: f64| match radius {
        r if r == black => Kind::Edge,
        r if r < black => Kind::Light,
        _ => Kind::Dark,
    };
    let mut circles: Vec<PrintedCircle> =
        radii.iter().map(|&r| PrintedCircle { radius_mm: r, clearance_mm: clearance(r), kind: kind(r) }).collect();
    circles.sort_by(|a, b| (a.radius_mm - black).abs().total_cmp(&(b.radius_mm - black).abs()));
    circles
}

/// Adjusts a plane to the rings, and says how well they agree in the end.
pub fn fit_to_rings(pyramid: &Pyramid<'_>, start: Plane, target: TargetType) -> Option<(Plane, Agreement)> {
    let circles = printed_circles(target);
    let scale = start.pixels_per_mm(Position::CENTRE);
    let circles: Vec<PrintedCircle> =
        circles.into_iter().filter(|c| c.radius_mm * scale > 3.0 && c.clearance_mm * scale > 2.0).collect();
    let unit = target.rings().black_mm() / 2.0;
    let mut plane = start;
    let coarse = COARSE_STEPS.into_iter().chain([circles.len()]).map(|known| (known.min(circles.len()), COARSE));
    for (known, care) in coarse.chain([(circles.len(), FINE); FINE_STEPS]) {
        let sightings: Vec<Sighting> =
            circles[..known].iter().flat_map(|circle| sight(pyramid, &plane, circle, care)).collect();
        plane = adjust(&plane, &sightings, unit, scale)?;
    }
    let plane = plane.without_roll()?;
    Some((plane, agreement(pyramid, &plane, &circles, scale)))
}

/// One Gauss-Newton step. The unknowns are the seven ways to change a homography's own plane other than turning it.
fn adjust(plane: &Plane, sightings: &[Sighting], unit: f64, scale: f64) -> Option<Plane> {
    // One circle leaves shift and perspective open to each other; a little of both keeps perspective small until a
    // second circle decides.
    const RIDGE: [f64; 7] = [1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-2, 1e-2];
    let excesses: Vec<f64> = sightings.iter().map(|s| s.excess_mm).collect();
    let limit = tukey_limit(&excesses, 0.3 / scale);
    let mut equations = NormalEquations::<7>::new(RIDGE);
    for sighting in sightings {
        let ((sin, cos), r) = (sighting.angle.sin_cos(), sighting.radius_mm / unit);
        let (sin2, cos2) = (2.0 * sighting.angle).sin_cos();
        let row = [cos, sin, r, r * cos2, r * sin2, -r * r * cos, -r * r * sin];
        equations.add(&row, sighting.excess_mm / unit, tukey(sighting.excess_mm, limit));
    }
    let [tx, ty, size, stretch, shear, px, py] = equations.solve()?;
    plane.compose(&[
        [1.0 + size + stretch, shear, tx * unit],
        [shear, 1.0 + size - stretch, ty * unit],
        [px / unit, py / unit, 1.0],
    ])
}

/// Looks for a circle in every direction.
fn sight(pyramid: &Pyramid<'_>, plane: &Plane, circle: &PrintedCircle, care: Care) -> Vec<Sighting> {
    let mut profiles = Vec::with_capacity(care.sectors);
    let scan = Scan::new(pyramid, plane, circle, care);
    for angle in scan.angles() {
        if let Some(profile) = scan.profile(plane, angle) {
            let (at, response) = scan.strongest(&profile, circle.kind);
            profiles.push((angle, at, response));
        }
    }
    let mut responses: Vec<f32> = profiles.iter().map(|p| p.2).collect();
    let typical = median(&mut responses).unwrap_or(0.0);
    profiles
        .into_iter()
        .filter(|&(_, _, response)| response > 0.3 * typical && response > 1.0)
        .map(|(angle, excess_mm, _)| Sighting { angle, radius_mm: circle.radius_mm, excess_mm })
        .collect()
}

/// How one circle is sampled: along which radii, how densely.
struct Scan<'a> {
    level: Level<'a>,
    radius_mm: f64,
    step_mm: f64,
    /// Samples on each side of the expected radius.
    reach: usize,
    /// Samples between a line and its surroundings.
    lag: usize,
    /// Neighbouring radii that one profile is the mean of.
    across: usize,
    sectors: usize,
}

impl<'a> Scan<'a> {
    fn new(pyramid: &'a Pyramid<'_>, plane: &Plane, circle: &PrintedCircle, care: Care) -> Self {
        let scale = plane.pixels_per_mm(Position::CENTRE);
        // Eighteen samples between the circle and half-way to the next one at least, whatever the picture's size.
        let level = pyramid.level_for(circle.clearance_mm * scale / 9.0);
        let pitch_mm = level.factor / scale;
        let step_mm = pitch_mm / 2.0;
        let reach = (care.reach * circle.clearance_mm / step_mm).round().clamp(6.0, 48.0) as usize;
        let arc = TAU * circle.radius_mm / care.sectors as f64 / pitch_mm;
        let across = (arc as usize).clamp(1, care.rays);
        Self { level, radius_mm: circle.radius_mm, step_mm, reach, lag: 4, across, sectors: care.sectors }
    }

    fn angles(&self) -> impl Iterator<Item = f64> + use<> {
        let sectors = self.sectors;
        (0..sectors).map(move |sector| TAU * (sector as f64 + 0.5) / sectors as f64)
    }

    /// Brightness from inside to outside, averaged over a sector. `None`: the sector is not in the picture.
    fn profile(&self, plane: &Plane, angle: f64) -> Option<Vec<f32>> {
        let total = 2 * (self.reach + self.lag) + 1;
        let first = self.radius_mm - (self.reach + self.lag) as f64 * self.step_mm;
        let mut profile = vec![0.0; total];
        for ray in 0..self.across {
            let offset = (ray as f64 + 0.5) / self.across as f64 - 0.5;
            let (sin, cos) = (angle + offset * TAU / self.sectors as f64).sin_cos();
            for (i, value) in profile.iter_mut().enumerate() {
                let r = first + i as f64 * self.step_mm;
                *value += self.level.sample(plane.px(Position::new(r * cos, r * sin)))?;
            }
        }
        profile.iter_mut().for_each(|value| *value /= self.across as f32);
        Some(profile)
    }

    fn response(&self, profile: &[f32], at: usize, kind: Kind) -> f32 {
        let (inner, here, outer) = (profile[at - self.lag], profile[at], profile[at + self.lag]);
        match kind {
            Kind::Edge => outer - inner,
            // The nearer side decides, so that the edge of the black does not look like a line.
            Kind::Dark => inner.min(outer) - here,
            Kind::Light => here - inner.max(outer),
        }
    }

    /// Where along the profile the response is greatest, in millimetres beyond the expected radius, and its size.
    fn strongest(&self, profile: &[f32], kind: Kind) -> (f64, f32) {
        let responses: Vec<f32> = (0..=2 * self.reach).map(|i| self.response(profile, i + self.lag, kind)).collect();
        let best = (0..responses.len()).max_by(|&i, &j| responses[i].total_cmp(&responses[j])).unwrap_or(self.reach);
        let mut at = best as f64;
        if let (Some(&left), Some(&right)) = (responses.get(best.wrapping_sub(1)), responses.get(best + 1)) {
            let curvature = left - 2.0 * responses[best] + right;
            if curvature < -1e-3 {
                at += f64::from(0.5 * (left - right) / curvature);
            }
        }
        ((at - self.reach as f64) * self.step_mm, responses[best])
    }
}

/// Counts the rings that lie where the plane puts them.
fn agreement(pyramid: &Pyramid<'_>, plane: &Plane, circles: &[PrintedCircle], scale: f64) -> Agreement {
    let (mut agreement, mut visible) = (Agreement::default(), 0_usize);
    for circle in circles {
        let scan = Scan::new(pyramid, plane, circle, FINAL);
        let mut profiles: Vec<Vec<f32>> = Vec::new();
        let mut near = 0_usize;
        let tolerance = (0.2 * circle.clearance_mm).max(1.0 / scale);
        for angle in scan.angles() {
            if let Some(profile) = scan.profile(plane, angle) {
                near += usize::from(scan.strongest(&profile, circle.kind).0.abs() <= tolerance);
                profiles.push(profile);
            }
        }
        if circle.kind == Kind::Edge {
            agreement.edge = near as f64 / profiles.len().max(1) as f64;
        } else if profiles.len() * 6 >= FINAL.sectors {
            visible += 1;
            agreement.rings_seen += usize::from(scan.line_is_seen(&profiles, circle.kind));
        }
    }
    agreement.rings = agreement.rings_seen as f64 / visible.max(1) as f64;
    agreement
}

impl Scan<'_> {
    /// Whether the middle profile over all directions has a line at the expected radius that stands out.
    fn line_is_seen(&self, profiles: &[Vec<f32>], kind: Kind) -> bool {
        let length = 2 * (self.reach + self.lag) + 1;
        let middle: Vec<f32> = (0..length)
            .map(|i| {
                let mut column: Vec<f32> = profiles.iter().map(|profile| profile[i]).collect();
                median(&mut column).unwrap_or(0.0)
            })
            .collect();
        let (at, strongest) = self.strongest(&middle, kind);
        let mut sizes: Vec<f32> =
            (0..=2 * self.reach).map(|i| self.response(&middle, i + self.lag, kind).abs()).collect();
        let typical = median(&mut sizes).unwrap_or(0.0);
        at.abs() <= 2.5 * self.step_mm && strongest > 0.7 && strongest > STANDS_OUT * typical.max(0.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_of_the_black_comes_first_and_is_no_line() {
        for target in TargetType::ALL {
            let circles = printed_circles(target);
            assert_eq!(circles[0].kind, Kind::Edge, "{target:?}");
            assert_eq!(circles.iter().filter(|c| c.kind == Kind::Edge).count(), 1, "{target:?}");
        }
    }

    #[test]
    fn lines_are_light_inside_the_black_and_dark_outside() {
        let circles = printed_circles(TargetType::AirPistol10m);
        assert_eq!(circles.iter().filter(|c| c.kind == Kind::Light).count(), 4);
        assert_eq!(circles.iter().filter(|c| c.kind == Kind::Dark).count(), 6);
    }
}
