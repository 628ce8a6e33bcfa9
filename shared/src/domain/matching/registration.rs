//! How a frame lies on the frames before it: the camera may be nudged between two pictures.
//!
//! The detector takes perspective out of a frame by the aiming mark. What is left is a similarity: a small rotation
//! (a round mark says nothing about it), a small shift and a small change of scale. It is estimated from the holes
//! themselves, as the most probable one under a prior that knows how far cameras move; so with one or two holes in
//! common, which would fit almost any movement, the estimate stays close to none.

use super::assignment::{Neighbours, Pair, assign_greedily};
use crate::domain::position::Position;

/// Standard deviation, per axis, of the distance between the same hole in two frames, in millimetres: a detector finds
/// a centre to about 0.3 mm, twice.
const SIGMA_MM: f64 = 0.45;

/// How far a camera moves: standard deviations of each part of the movement.
#[derive(Debug, Clone, Copy)]
struct Prior {
    scale: f64,
    /// In radians.
    rotation: f64,
    /// Per axis.
    shift_mm: f64,
    /// How improbable it is that this prior holds, as −ln of its probability.
    price: f64,
}

/// The camera was left alone: what moves is the estimate of the aiming mark.
const STILL: Prior = Prior { scale: 0.003, rotation: 0.005, shift_mm: 0.3, price: 0.0 };

/// The camera was nudged, which happens between few frames (one in twenty: ln 20 = 3). A frame lies within 2 %, 6° and
/// 2 mm of upright and centred, so two frames differ by twice that at the utmost: three of these.
const NUDGED: Prior = Prior { scale: 0.014, rotation: 0.07, shift_mm: 1.4, price: 3.0 };

/// A movement beyond this many standard deviations of [`NUDGED`] is none of the same target.
const FARTHEST_SIGMAS: f64 = 3.0;

/// Holes whose pairs are tried as a start. Eight that lie far apart hold some two that both frames show, even where
/// half of them are new or were missed.
const SEEDS: usize = 8;

/// Starts that are followed to their end.
const FINALISTS: usize = 6;

/// Rounds of matching and fitting; it settles after two or three.
const ROUNDS: usize = 10;

/// A similarity that takes positions of one frame to another: with the linear part 1 + (a, b) as a complex number, so
/// that it is linear in its four parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Movement {
    a: f64,
    b: f64,
    x_mm: f64,
    y_mm: f64,
}

impl Movement {
    const NONE: Self = Self { a: 0.0, b: 0.0, x_mm: 0.0, y_mm: 0.0 };

    pub fn apply(self, p: Position) -> Position {
        Position {
            x_mm: p.x_mm + self.a * p.x_mm - self.b * p.y_mm + self.x_mm,
            y_mm: p.y_mm + self.b * p.x_mm + self.a * p.y_mm + self.y_mm,
        }
    }

    /// The most probable movement that takes the first position of each pair to the second: least squares, held back
    /// by the prior. The normal equations of a similarity solve in closed form.
    fn fit(pairs: impl IntoIterator<Item = (Position, Position)>, prior: Prior) -> Self {
        let weight = |sigma: f64| (SIGMA_MM / sigma).powi(2);
        let mut n = weight(prior.shift_mm);
        let (mut x, mut y, mut dx, mut dy) = (0.0, 0.0, 0.0, 0.0);
        let (mut squares, mut along, mut across) = (0.0, 0.0, 0.0);
        for (from, to) in pairs {
            let (step_x, step_y) = (to.x_mm - from.x_mm, to.y_mm - from.y_mm);
            n += 1.0;
            x += from.x_mm;
            y += from.y_mm;
            dx += step_x;
            dy += step_y;
            squares += from.x_mm * from.x_mm + from.y_mm * from.y_mm;
            along += from.x_mm * step_x + from.y_mm * step_y;
            across += from.x_mm * step_y - from.y_mm * step_x;
        }
        let spread = squares - (x * x + y * y) / n;
        let a = (along - (x * dx + y * dy) / n) / (spread + weight(prior.scale));
        let b = (across - (x * dy - y * dx) / n) / (spread + weight(prior.rotation));
        Self { a, b, x_mm: (dx - a * x + b * y) / n, y_mm: (dy - a * y - b * x) / n }
    }

    /// Squared standard deviations that this movement is from none.
    fn squared_sigmas(self, prior: Prior) -> f64 {
        (self.a / prior.scale).powi(2)
            + (self.b / prior.rotation).powi(2)
            + (self.x_mm.powi(2) + self.y_mm.powi(2)) / prior.shift_mm.powi(2)
    }

    fn is_possible(self) -> bool {
        let within = |part: f64, sigma: f64| part.abs() <= FARTHEST_SIGMAS * sigma;
        within(self.a, NUDGED.scale)
            && within(self.b, NUDGED.rotation)
            && within(self.x_mm.hypot(self.y_mm), NUDGED.shift_mm)
    }
}

/// The movement that takes the positions found in a frame to those of the known shots.
///
/// No random sampling: a frame must give the same answer whenever it is analysed. The starts are no movement, and those
/// that take one or two holes, which lie far apart, to shots within reach; the best are refined by matching and
/// fitting in turn, and the most probable one is returned.
pub(super) fn register(known: &[Position], found: &[Position], gate_mm: f64) -> Movement {
    let scene = Scene { known, found, near: Neighbours::of(known), gate_mm };
    let still = scene.refine(Movement::NONE, STILL);
    let mut starts: Vec<(f64, Movement)> =
        scene.starts().into_iter().map(|start| (scene.rough_worth(start), start)).collect();
    starts.sort_by(|a, b| b.0.total_cmp(&a.0));
    let nudged = [Movement::NONE].into_iter().chain(starts.into_iter().map(|(_, start)| start).take(FINALISTS));
    let candidates = nudged.map(|start| scene.refine(start, NUDGED)).filter(|c| c.movement.is_possible());
    candidates.fold(still, |best, next| if next.worth > best.worth { next } else { best }).movement
}

struct Scene<'a> {
    known: &'a [Position],
    found: &'a [Position],
    near: Neighbours<'a>,
    gate_mm: f64,
}

/// A movement and how probable it is: the logarithm of its odds against matching nothing.
struct Candidate {
    movement: Movement,
    worth: f64,
}

impl Scene<'_> {
    fn pairs_under(&self, movement: Movement) -> Vec<Pair> {
        let moved: Vec<Position> = self.found.iter().map(|hole| movement.apply(*hole)).collect();
        assign_greedily(self.near.pairs(&moved, self.gate_mm), self.found.len(), self.known.len())
    }

    /// Matches and fits in turn until the matches stay.
    fn refine(&self, start: Movement, prior: Prior) -> Candidate {
        let mut movement = start;
        let mut pairs = self.pairs_under(movement);
        for _ in 0..ROUNDS {
            movement = Movement::fit(pairs.iter().map(|p| (self.found[p.found], self.known[p.known])), prior);
            let next = self.pairs_under(movement);
            let is_settled = next.iter().map(|p| (p.found, p.known)).eq(pairs.iter().map(|p| (p.found, p.known)));
            pairs = next;
            if is_settled {
                break;
            }
        }
        let worth = pairs.iter().map(|pair| self.pair_worth(pair.squared_mm)).sum::<f64>()
            - movement.squared_sigmas(prior) / 2.0
            - prior.price;
        Candidate { movement, worth }
    }

    /// A pair at the gate is worth nothing, a pair at no distance the most.
    fn pair_worth(&self, squared_mm: f64) -> f64 {
        (self.gate_mm * self.gate_mm - squared_mm) / (2.0 * SIGMA_MM * SIGMA_MM)
    }

    /// What a start seems worth: each hole takes the nearest shot that is left.
    fn rough_worth(&self, start: Movement) -> f64 {
        let mut is_free = vec![true; self.known.len()];
        let mut worth = 0.0;
        for hole in self.found {
            let near = self.near.within(start.apply(*hole), self.gate_mm).filter(|(shot, _)| is_free[*shot]);
            if let Some((shot, squared_mm)) = near.min_by(|a, b| a.1.total_cmp(&b.1)) {
                is_free[shot] = false;
                worth += self.pair_worth(squared_mm);
            }
        }
        worth - start.squared_sigmas(NUDGED) / 2.0
    }

    /// Movements to start from: those that take one or two seeds to partners within reach.
    fn starts(&self) -> Vec<Movement> {
        // The seeds come from the side that has fewer points: that is the one that the other should show in full.
        let from_found = self.found.len() <= self.known.len();
        let (few, many) = if from_found { (self.found, self.known) } else { (self.known, self.found) };
        let options: Vec<Vec<(Position, Position)>> = far_apart(few, SEEDS)
            .into_iter()
            .map(|seed| {
                let partners = many.iter().filter(|partner| self.is_within_reach(seed, **partner));
                partners.map(|partner| if from_found { (seed, *partner) } else { (*partner, seed) }).collect()
            })
            .collect();
        let singles = options.iter().flatten().map(|option| Movement::fit([*option], NUDGED));
        let mut starts: Vec<Movement> = singles.collect();
        for (i, first) in options.iter().enumerate() {
            for second in &options[i + 1..] {
                let both = first.iter().flat_map(|a| second.iter().map(move |b| [*a, *b]));
                starts.extend(both.filter(keeps_its_length).map(|pairs| Movement::fit(pairs, NUDGED)));
            }
        }
        starts.retain(|start| start.is_possible());
        starts
    }

    fn is_within_reach(&self, seed: Position, partner: Position) -> bool {
        let radius = seed.distance_mm(Position::CENTRE);
        let reach = FARTHEST_SIGMAS * (NUDGED.shift_mm + radius * (NUDGED.rotation + NUDGED.scale));
        seed.distance_mm(partner) < reach + self.gate_mm
    }
}

/// Whether the distance between two holes is the same in both frames, but for scale and noise.
fn keeps_its_length(pairs: &[(Position, Position); 2]) -> bool {
    let before = pairs[0].0.distance_mm(pairs[1].0);
    let after = pairs[0].1.distance_mm(pairs[1].1);
    (before - after).abs() <= FARTHEST_SIGMAS * (NUDGED.scale * before).hypot(SIGMA_MM)
}

/// Up to `count` points, each as far as can be from those before it; the first is the one farthest from the target's
/// centre.
fn far_apart(points: &[Position], count: usize) -> Vec<Position> {
    let mut chosen = Vec::new();
    let mut gap: Vec<f64> = points.iter().map(|point| point.distance_mm(Position::CENTRE)).collect();
    while chosen.len() < count.min(points.len()) {
        let farthest = (0..points.len()).max_by(|a, b| gap[*a].total_cmp(&gap[*b]));
        let Some(point) = farthest.map(|index| points[index]) else { break };
        for (gap, other) in gap.iter_mut().zip(points) {
            let to_point = point.distance_mm(*other);
            *gap = if chosen.is_empty() { to_point } else { gap.min(to_point) };
        }
        chosen.push(point);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GATE_MM: f64 = 2.25;

    fn turned(points: &[Position], degrees: f64, scale: f64, shift_mm: (f64, f64)) -> Vec<Position> {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let turn = |p: &Position| {
            Position::new(
                scale * (cos * p.x_mm - sin * p.y_mm) + shift_mm.0,
                scale * (sin * p.x_mm + cos * p.y_mm) + shift_mm.1,
            )
        };
        points.iter().map(turn).collect()
    }

    fn farthest_mm(known: &[Position], found: &[Position], movement: Movement) -> f64 {
        known.iter().zip(found).map(|(shot, hole)| shot.distance_mm(movement.apply(*hole))).fold(0.0, f64::max)
    }

    #[test]
    fn without_anything_in_common_nothing_moves() {
        let far = [Position::new(60.0, 0.0)];
        assert_eq!(register(&[], &far, GATE_MM), Movement::NONE);
        assert_eq!(register(&far, &[], GATE_MM), Movement::NONE);
        assert_eq!(register(&far, &[Position::new(-60.0, 0.0)], GATE_MM), Movement::NONE);
    }

    #[test]
    fn a_single_pair_is_taken_for_noise_as_far_as_noise_goes() {
        let movement = register(&[Position::new(10.0, 0.0)], &[Position::new(10.0, 0.4)], GATE_MM);
        assert!(movement.squared_sigmas(STILL) < 1.0, "{movement:?}");
        assert!(movement.apply(Position::new(-40.0, 0.0)).distance_mm(Position::new(-40.0, 0.0)) < 0.5);
    }

    #[test]
    fn a_single_shot_far_out_is_found_again_after_a_turn() {
        let known = [Position::new(60.0, 0.0)];
        let found = turned(&known, 6.0, 1.0, (0.0, 0.0));
        assert!(known[0].distance_mm(found[0]) > GATE_MM);
        assert!(farthest_mm(&known, &found, register(&known, &found, GATE_MM)) < 0.3);
    }

    #[test]
    fn of_two_holes_the_one_that_needs_no_movement_is_the_shot() {
        let known = [Position::new(60.0, 0.0)];
        let found = [Position::new(59.7, 5.0), Position::new(60.2, 0.1)];
        assert!(farthest_mm(&known, &found[1..], register(&known, &found, GATE_MM)) < 0.3);
    }

    proptest! {
        #[test]
        fn a_nudge_is_undone(
            xy in prop::collection::vec((-60.0..60.0, -60.0..60.0), 0..30),
            degrees in -6.0..6.0,
            scale in 0.98..1.02,
            shift_mm in (-1.4..1.4, -1.4..1.4),
        ) {
            let apart = [(40.0, 35.0), (-38.0, 30.0), (-33.0, -42.0), (36.0, -30.0)];
            let known: Vec<Position> = apart.iter().chain(&xy).map(|(x, y)| Position::new(*x, *y)).collect();
            let found = turned(&known, degrees, scale, shift_mm);
            let movement = register(&known, &found, GATE_MM);
            prop_assert!(farthest_mm(&known, &found, movement) < GATE_MM / 2.0, "{movement:?}");
        }
    }
}
