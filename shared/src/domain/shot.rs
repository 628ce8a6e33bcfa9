//! Shots: holes that were found, scored and counted once.

use uuid::Uuid;

use super::{
    position::Position,
    session::FrameNumber,
    target::{RingTable, Score},
};

/// A shot of a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shot {
    pub id: Uuid,
    /// Where it lies, in the coordinates of the session's first counted frame.
    pub position: Position,
    pub score: Score,
    /// The earliest frame that shows it.
    pub first_frame: FrameNumber,
    /// How sure the detector was, 0 to 1.
    pub confidence: f64,
    /// Diameter of the hole as it was seen, in millimetres; the score is gauged with the rules' calibre instead.
    pub diameter_mm: f64,
}

impl Shot {
    /// A shot with the score that the target's rules give its position.
    pub fn scored(
        id: Uuid,
        position: Position,
        rings: &RingTable,
        first_frame: FrameNumber,
        confidence: f64,
        diameter_mm: f64,
    ) -> Self {
        Self { id, position, score: rings.score(position.radius_um()), first_frame, confidence, diameter_mm }
    }
}

/// The shots in the order in which they count as fired; a shot's number is its index plus one.
///
/// A frame is the finest clock there is. Shots that the same frame shows first are taken from the top of the target
/// down and from left to right, which depends neither on their random ids nor on the order in which frames arrived;
/// the id decides only between holes at the very same place.
pub fn in_firing_order(mut shots: Vec<Shot>) -> Vec<Shot> {
    shots.sort_by(|a, b| {
        a.first_frame
            .cmp(&b.first_frame)
            .then(b.position.y_mm.total_cmp(&a.position.y_mm))
            .then(a.position.x_mm.total_cmp(&b.position.x_mm))
            .then(a.id.cmp(&b.id))
    });
    shots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::target::TargetType;

    fn shot(id: u128, frame: u32, x_mm: f64, y_mm: f64) -> Shot {
        let rings = TargetType::AirPistol10m.rings();
        let frame = FrameNumber::try_from(frame).unwrap();
        Shot::scored(Uuid::from_u128(id), Position::new(x_mm, y_mm), rings, frame, 0.9, 4.4)
    }

    #[test]
    fn a_shot_is_scored_by_the_rules_of_its_target() {
        assert_eq!(shot(1, 1, 3.0, 4.0).score.to_string(), "10.3");
    }

    #[test]
    fn shots_count_by_frame_then_from_the_top_and_from_the_left() {
        let ordered = [
            shot(9, 1, 0.0, 0.0),
            shot(8, 2, 5.0, 3.0),
            shot(7, 2, -5.0, 1.0),
            shot(6, 2, 5.0, 1.0),
            shot(5, 3, 0.0, 9.0),
        ];
        let mut shuffled = ordered.to_vec();
        shuffled.sort_by_key(|shot| shot.id);
        assert_eq!(in_firing_order(shuffled), ordered);
    }
}
