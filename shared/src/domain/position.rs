//! Where a shot lies on the target.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::target::mm_to_um;

/// A position on the target in millimetres from its centre: right and up are positive.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Position {
    pub x_mm: f64,
    pub y_mm: f64,
}

impl Position {
    pub const CENTRE: Self = Self { x_mm: 0.0, y_mm: 0.0 };

    pub const fn new(x_mm: f64, y_mm: f64) -> Self {
        Self { x_mm, y_mm }
    }

    /// Distance to another position in millimetres.
    pub fn distance_mm(self, other: Self) -> f64 {
        (self.x_mm - other.x_mm).hypot(self.y_mm - other.y_mm)
    }

    /// Distance from the target's centre in whole micrometres, as the scoring rules take it.
    pub fn radius_um(self) -> i64 {
        mm_to_um(self.distance_mm(Self::CENTRE))
    }
}
