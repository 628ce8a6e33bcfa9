//! Which part of the target is drawn, and how millimetres become units of the drawing.

use shared::domain::{
    position::Position,
    shot::Shot,
    target::{RingTable, um_to_mm},
};

use super::labels::Point;

/// Side of the square drawing in its own units.
pub(super) const SIDE: f64 = 600.0;

/// The innermost ring that a view ends at: closer in, the rings would no longer show where one is.
const CLOSEST_RING: u8 = 9;

/// Room around what must be seen, as a share of it: for numbers beside holes.
const MARGIN: f64 = 1.1;

/// A square about the target's centre.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// From the centre to the edge, in millimetres.
    pub reach_mm: f64,
    /// The ring that the view is zoomed to, if it does not show the whole target.
    pub zoomed_to: Option<u8>,
}

impl View {
    /// The closest view that ends at a ring and shows all shots in full; beyond the rings where a shot lies there.
    pub fn of(rings: &RingTable, shots: &[Shot]) -> Self {
        let edge = |shot: &Shot| shot.position.distance_mm(Position::CENTRE) + rings.calibre_mm() / 2.0;
        let farthest = shots.iter().map(edge).fold(0.0, f64::max);
        let closest = CLOSEST_RING.max(rings.lowest_ring);
        let ring = (rings.lowest_ring + 1..=closest).rev().find(|ring| radius_mm(rings, *ring) >= farthest);
        match ring.filter(|_| !shots.is_empty()) {
            Some(ring) => Self { reach_mm: MARGIN * radius_mm(rings, ring), zoomed_to: Some(ring) },
            None => Self { reach_mm: MARGIN * farthest.max(rings.outermost_mm() / 2.0), zoomed_to: None },
        }
    }

    /// A length in units.
    pub fn length(self, mm: f64) -> f64 {
        mm * SIDE / (2.0 * self.reach_mm)
    }

    /// A position in units; right stays right, and up is up although y grows downwards.
    pub fn point(self, position: Position) -> Point {
        Point { x: SIDE / 2.0 + self.length(position.x_mm), y: SIDE / 2.0 - self.length(position.y_mm) }
    }

    /// A round length for the scale: the longest of 1, 2, 5, 10, … mm that takes at most a quarter of the side.
    pub fn scale_mm(self) -> f64 {
        let most = self.reach_mm / 2.0;
        let decade = 10.0_f64.powf(most.log10().floor());
        [5.0, 2.0].into_iter().map(|step| step * decade).find(|length| *length <= most).unwrap_or(decade)
    }
}

pub(super) fn radius_mm(rings: &RingTable, ring: u8) -> f64 {
    um_to_mm(rings.diameter_um(ring)) / 2.0
}

#[cfg(test)]
mod tests {
    use shared::domain::{session::FrameNumber, target::TargetType};

    use super::*;

    fn view(target: TargetType, x_mm: &[f64]) -> View {
        let shot = |x: &f64| {
            let id = uuid::Uuid::nil();
            Shot::scored(id, Position::new(*x, 0.0), target.rings(), FrameNumber::MIN, 0.9, 4.5)
        };
        View::of(target.rings(), &x_mm.iter().map(shot).collect::<Vec<_>>())
    }

    #[test]
    fn a_view_ends_at_the_outermost_ring_that_is_needed() {
        let cases: [(TargetType, &[f64], Option<u8>); 7] = [
            (TargetType::AirPistol10m, &[], None),
            (TargetType::AirPistol10m, &[0.0], Some(9)),
            (TargetType::AirPistol10m, &[0.0, -19.4], Some(8)),
            (TargetType::AirPistol10m, &[19.6], Some(7)),
            (TargetType::AirPistol10m, &[70.0], None),
            (TargetType::RapidFire25m, &[10.0], Some(9)),
            (TargetType::RapidFire25m, &[240.0], None),
        ];
        for (target, shots, zoomed_to) in cases {
            assert_eq!(view(target, shots).zoomed_to, zoomed_to, "{target:?} {shots:?}");
        }
    }

    #[test]
    fn a_shot_beyond_the_rings_is_still_on_the_paper() {
        let view = view(TargetType::AirRifle10m, &[60.0]);
        assert!(view.point(Position::new(62.25, 0.0)).x <= SIDE);
    }

    #[test]
    fn up_is_up_and_right_is_right() {
        let view = View { reach_mm: 30.0, zoomed_to: None };
        assert_eq!(view.point(Position::new(3.0, 6.0)), Point { x: 330.0, y: 240.0 });
    }

    #[test]
    fn the_scale_is_a_round_length_of_at_most_a_quarter() {
        let scales = [10.0, 24.0, 43.0, 85.5, 275.0].map(|reach_mm| View { reach_mm, zoomed_to: None }.scale_mm());
        assert_eq!(scales, [5.0, 10.0, 20.0, 20.0, 100.0]);
    }
}
