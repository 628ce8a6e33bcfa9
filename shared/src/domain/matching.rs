//! Shots matched across frames: which holes of a frame are known, and which are new.
//!
//! A frame shows every hole that was made before it. So what is known is looked for first, and what is left over is
//! new; and frames may come twice, late or from a nudged camera without a shot counting twice.

mod assignment;
mod registration;
#[cfg(test)]
mod tests;

use assignment::{Neighbours, Pair, assign};
use registration::register;

use super::{position::Position, session::FrameNumber, shot::Shot};

/// A hole and a shot are the same if their centres are closer than this many calibres, once the frame lies on the
/// others: half a calibre is five times the noise of a centre.
const HOLE_MATCH_CALIBRES: f64 = 0.5;

/// A shot that a frame should show and does not is looked for once more among the holes that nothing else explains, up
/// to this many calibres away: that it was missed while a new hole appeared beside it is less likely than that one of
/// the two positions is poor.
const LOST_MATCH_CALIBRES: f64 = 1.0;

/// By how much a shot that a frame should show is preferred to one that it need not show, in mm². Nineteen of twenty
/// such shots are found: 2σ² ln 20 with the σ of 0.45 mm between the positions of a hole in two frames.
const EXPECTED_ADVANTAGE_MM2: f64 = 1.2;

/// The share of the shots that a frame must show, of those that it can show; otherwise it is another view or another
/// target. One in this many may be missed.
const MISSED_ONE_IN: usize = 5;
/// One shot that a frame does not show proves nothing, however few there are: a detector may miss a hole or see one too
/// many. Taken for another view, every later frame of a young session would be lost to its one wrong shot.
const MISSED_ALWAYS: usize = 1;

/// A shot that is known already.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    pub position: Position,
    pub first_frame: FrameNumber,
}

impl From<&Shot> for Known {
    fn from(shot: &Shot) -> Self {
        Self { position: shot.position, first_frame: shot.first_frame }
    }
}

/// What a hole of the frame is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Hole {
    /// The known shot at this index.
    Known(usize),
    /// A new shot; its position in the coordinates of the known shots.
    New(Position),
    /// Nothing that can be counted: the frame is another view or another target.
    Uncounted,
}

/// What a frame says about the session's shots.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    /// One entry for each hole that was found, in the same order.
    pub holes: Vec<Hole>,
    /// Indices of the known shots whose `first_frame` this frame's number replaces: they were first seen in a later
    /// frame.
    pub earlier: Vec<usize>,
    /// The frame is another view or another target: nothing may be added (`degraded`).
    pub other_view: bool,
}

/// Matches the holes found in frame number `frame` with the shots that are known.
pub fn match_holes(known: &[Known], found: &[Position], frame: FrameNumber, calibre_mm: f64) -> Matching {
    let scene = Scene::of(known, found, frame, calibre_mm);
    let mut pairs = scene.assign(HOLE_MATCH_CALIBRES * calibre_mm, |_| true);
    let matched = Matched::of(&scene, &pairs);
    if scene.is_other_view(&matched) {
        return Matching { holes: vec![Hole::Uncounted; found.len()], earlier: Vec::new(), other_view: true };
    }
    pairs.extend(scene.assign(LOST_MATCH_CALIBRES * calibre_mm, |pair| {
        scene.is_expected(pair.known) && !matched.is_shown[pair.known] && matched.shot_of[pair.found].is_none()
    }));
    let Matched { shot_of, is_shown } = Matched::of(&scene, &pairs);
    let holes = shot_of.iter().zip(&scene.moved).map(|(shot, at)| shot.map_or(Hole::New(*at), Hole::Known)).collect();
    let earlier = (0..known.len()).filter(|shot| is_shown[*shot] && !scene.is_expected(*shot)).collect();
    Matching { holes, earlier, other_view: false }
}

/// A frame laid on the known shots.
struct Scene<'a> {
    known: &'a [Known],
    positions: Vec<Position>,
    /// The holes in the coordinates of the known shots.
    moved: Vec<Position>,
    frame: FrameNumber,
}

/// Who is matched.
struct Matched {
    /// For each hole.
    shot_of: Vec<Option<usize>>,
    /// For each known shot.
    is_shown: Vec<bool>,
}

impl Matched {
    fn of(scene: &Scene<'_>, pairs: &[Pair]) -> Self {
        let mut shot_of = vec![None; scene.moved.len()];
        let mut is_shown = vec![false; scene.known.len()];
        for pair in pairs {
            shot_of[pair.found] = Some(pair.known);
            is_shown[pair.known] = true;
        }
        Self { shot_of, is_shown }
    }
}

impl<'a> Scene<'a> {
    fn of(known: &'a [Known], found: &[Position], frame: FrameNumber, calibre_mm: f64) -> Self {
        let positions: Vec<Position> = known.iter().map(|shot| shot.position).collect();
        let movement = register(&positions, found, HOLE_MATCH_CALIBRES * calibre_mm);
        Self { known, positions, moved: found.iter().map(|hole| movement.apply(*hole)).collect(), frame }
    }

    /// Whether the frame should show this shot: holes stay, so it shows those of the frames before it.
    fn is_expected(&self, shot: usize) -> bool {
        self.known[shot].first_frame <= self.frame
    }

    /// The best assignment of the pairs that are closer than the gate and may be.
    fn assign(&self, gate_mm: f64, may_be: impl Fn(&Pair) -> bool) -> Vec<Pair> {
        let mut pairs = Neighbours::of(&self.positions).pairs(&self.moved, gate_mm);
        pairs.retain(may_be);
        assign(&pairs, |pair| {
            let advantage = if self.is_expected(pair.known) { EXPECTED_ADVANTAGE_MM2 } else { 0.0 };
            gate_mm * gate_mm - pair.squared_mm + advantage
        })
    }

    /// Whether too much is missing: shots that the frame should show; and where it comes late, holes that the later
    /// frames should have shown as well.
    fn is_other_view(&self, matched: &Matched) -> bool {
        let is_too_many = |missing: usize, of: usize| missing * MISSED_ONE_IN > of;
        let expected: Vec<usize> = (0..self.known.len()).filter(|shot| self.is_expected(*shot)).collect();
        let missing = expected.iter().filter(|shot| !matched.is_shown[**shot]).count();
        let is_late = expected.len() < self.known.len();
        let strangers = matched.shot_of.iter().filter(|shot| shot.is_none()).count();
        let is_missing = missing > MISSED_ALWAYS && is_too_many(missing, expected.len());
        is_missing || (is_late && is_too_many(strangers, self.moved.len()))
    }
}
