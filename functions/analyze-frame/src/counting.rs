//! What a frame adds to its session.

use shared::{
    domain::{
        matching::{Hole, Known, match_holes},
        session::FrameNumber,
        shot::Shot,
    },
    ids::Ids,
    store::sessions::Loaded,
};
use uuid::Uuid;

use crate::detector::Findings;

/// Most new shots that one frame may add: with the frame and the session they must fit one transaction. What is over
/// is on the next frame too.
const MAX_NEW_SHOTS: usize = 90;

/// What the frame's holes are, and what they change.
#[derive(Debug, Default)]
pub struct Counted {
    pub new: Vec<Shot>,
    /// Known shots that this frame shows earlier than any before it, with its number.
    pub earlier: Vec<Shot>,
    /// For each hole of the findings the shot that it is, if it counts.
    pub holes: Vec<Option<CountedHole>>,
    /// The frame shows another view or another target than those before it; nothing was added.
    pub other_view: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct CountedHole {
    pub shot_id: Uuid,
    pub new: bool,
}

/// Matches the findings with the session's shots. A frame without a target adds nothing.
pub fn count(loaded: &Loaded, findings: &Findings, frame: FrameNumber, ids: Ids) -> Counted {
    let rings = loaded.session.target_type().rings();
    let known: Vec<Known> = loaded.shots.iter().map(Known::from).collect();
    let positions: Vec<_> = findings.holes.iter().map(|hole| hole.position).collect();
    if findings.target.is_none() {
        return Counted { holes: vec![None; positions.len()], ..Counted::default() };
    }
    let matching = match_holes(&known, &positions, frame, rings.calibre_mm());
    let mut counted = Counted { other_view: matching.other_view, ..Counted::default() };
    for (hole, found) in matching.holes.iter().zip(&findings.holes) {
        counted.holes.push(match *hole {
            Hole::Known(index) => loaded.shots.get(index).map(|shot| CountedHole { shot_id: shot.id, new: false }),
            Hole::New(position) if counted.new.len() < MAX_NEW_SHOTS => {
                let shot = Shot::scored(ids.uuid(), position, rings, frame, found.confidence, found.diameter_mm);
                counted.new.push(shot);
                Some(CountedHole { shot_id: shot.id, new: true })
            }
            Hole::New(_) | Hole::Uncounted => None,
        });
    }
    let earlier = matching.earlier.iter().filter_map(|index| loaded.shots.get(*index));
    counted.earlier = earlier.map(|shot| Shot { first_frame: frame, ..*shot }).collect();
    counted
}
