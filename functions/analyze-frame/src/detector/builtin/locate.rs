//! Finds the target: a dark, round mark with the rings of the target type about it.

use std::f64::consts::TAU;

use shared::domain::{frame::DecodedFrame, position::Position, target::TargetType};

use super::{
    LocatedTarget,
    aiming_mark::dark_marks,
    ellipse::Ellipse,
    linear::median,
    plane::Plane,
    pyramid::Pyramid,
    rings::{Agreement, fit_to_rings},
    roll::upright,
};

/// Longest side of the picture in which marks are looked for.
pub const SEARCH_PX: usize = 512;
/// Marks that are looked at closely.
const MOST_MARKS: usize = 5;
/// Confidence from which on no other mark is looked at.
const SURE: f64 = 0.8;
/// Directions in which the edge of a mark is measured.
const RAYS: usize = 240;
/// Least difference in brightness between mark and paper.
const LEAST_STEP: f32 = 18.0;
/// Least share of the black's edge, and of the rings in view, that must lie where the plane puts them. Rings tell a
/// target from any other dark disc.
const LEAST_EDGE: f64 = 0.5;
const LEAST_RINGS: f64 = 0.4;

/// Finds the target in a frame. `None`: there is none of this type.
pub fn locate(frame: &DecodedFrame, target: TargetType) -> Option<LocatedTarget> {
    locate_in(&Pyramid::new(&frame.luma, SEARCH_PX), target)
}

pub fn locate_in(pyramid: &Pyramid<'_>, target: TargetType) -> Option<LocatedTarget> {
    let small = pyramid.smallest();
    let mut best: Option<(Plane, Agreement)> = None;
    for mark in dark_marks(small.raster, MOST_MARKS) {
        let fit = refine(pyramid, mark.ellipse.scaled(small.factor))
            .and_then(|ellipse| Plane::from_ellipse(&ellipse, target.rings().black_mm() / 2.0))
            .and_then(|start| fit_to_rings(pyramid, start, target))
            .filter(|(plane, agreement)| is_plausible(plane, target, agreement));
        if let Some(fit) = fit {
            let surely = confidence(&fit.1) >= SURE;
            if best.as_ref().is_none_or(|known| confidence(&known.1) < confidence(&fit.1)) {
                best = Some(fit);
            }
            if surely {
                break;
            }
        }
    }
    best.map(|(plane, agreement)| LocatedTarget {
        centre_px: plane.px(Position::CENTRE),
        pixels_per_mm: plane.pixels_per_mm(Position::CENTRE),
        confidence: confidence(&agreement),
        plane: upright(&plane, pyramid, target),
    })
}

fn confidence(agreement: &Agreement) -> f64 {
    0.5 * (agreement.edge + agreement.rings)
}

/// Enough of edge and rings, and no plane seen at a grazing angle.
fn is_plausible(plane: &Plane, target: TargetType, agreement: &Agreement) -> bool {
    let radius = target.rings().outermost_mm() / 2.0;
    let centre = plane.pixels_per_mm(Position::CENTRE);
    let even = [(radius, 0.0), (-radius, 0.0), (0.0, radius), (0.0, -radius)]
        .into_iter()
        .all(|(x, y)| (0.5..2.0).contains(&(plane.pixels_per_mm(Position::new(x, y)) / centre)));
    even && agreement.edge >= LEAST_EDGE && agreement.rings >= LEAST_RINGS && agreement.rings_seen >= 2
}

/// Fits the ellipse anew to the mark's edge in the full picture, in two steps, the second closer.
fn refine(pyramid: &Pyramid<'_>, rough: Ellipse) -> Option<Ellipse> {
    let nearer = refine_within(pyramid, &rough, 0.10)?;
    refine_within(pyramid, &nearer, 0.04)
}

/// Measures where the picture turns from dark to light along normals, within a share of the radius on both sides.
fn refine_within(pyramid: &Pyramid<'_>, ellipse: &Ellipse, share: f64) -> Option<Ellipse> {
    const SAMPLES: i32 = 24;
    const LAG: usize = 4;
    let reach = (share * ellipse.minor).max(4.0);
    let step = reach / f64::from(SAMPLES);
    let level = pyramid.level_for(2.0 * step);
    let mut edges: Vec<((f64, f64), f32)> = Vec::with_capacity(RAYS);
    for ray in 0..RAYS {
        let (point, normal) = ellipse.outline(TAU * ray as f64 / RAYS as f64);
        let place = |at: f64| (point.0 + at * step * normal.0, point.1 + at * step * normal.1);
        let profile: Option<Vec<f32>> = (-SAMPLES..=SAMPLES).map(|i| level.sample(place(f64::from(i)))).collect();
        let Some(profile) = profile else { continue };
        let steps: Vec<f32> = profile.windows(2 * LAG + 1).map(|w| w[2 * LAG] - w[0]).collect();
        let Some(best) = (0..steps.len()).max_by(|&i, &j| steps[i].total_cmp(&steps[j])) else { continue };
        let centroid = centroid(&steps, best) + LAG as f64 - f64::from(SAMPLES);
        edges.push((place(centroid), steps[best]));
    }
    if edges.len() < RAYS / 3 {
        return None;
    }
    let mut sizes: Vec<f32> = edges.iter().map(|e| e.1).collect();
    let typical = median(&mut sizes)?;
    if typical < LEAST_STEP {
        return None;
    }
    let points: Vec<(f64, f64)> = edges.iter().filter(|e| e.1 > 0.4 * typical).map(|e| e.0).collect();
    let fitted = Ellipse::fit(&points)?;
    (fitted.minor > 0.6 * fitted.major && (0.7..1.4).contains(&(fitted.major / ellipse.major))).then_some(fitted)
}

/// The middle of a step's peak, to a fraction of a sample.
fn centroid(steps: &[f32], best: usize) -> f64 {
    let (from, to) = (best.saturating_sub(4), (best + 5).min(steps.len()));
    let floor = 0.5 * steps[best];
    let (mut sum, mut moment) = (0.0, 0.0);
    for (i, step) in steps.iter().enumerate().take(to).skip(from) {
        let weight = f64::from((step - floor).max(0.0));
        sum += weight;
        moment += weight * i as f64;
    }
    if sum > 0.0 { moment / sum } else { best as f64 }
}
