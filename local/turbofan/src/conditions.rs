//! Where an engine flies.

use crate::dice::Dice;

/// C-MAPSS's operating regimes: altitude (1000 ft), Mach number, throttle resolver angle.
pub const REGIMES: [[f64; 3]; 6] = [
    [0.0, 0.0, 100.0],
    [10.0, 0.25, 100.0],
    [20.0, 0.70, 100.0],
    [25.0, 0.62, 60.0],
    [35.0, 0.84, 100.0],
    [42.0, 0.84, 100.0],
];

/// The settings scatter by so much above a regime's.
const SCATTER: [f64; 3] = [0.008, 0.002, 0.0];

/// Operating regimes of an engine's flights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conditions {
    /// Always at sea level, as in FD001 and FD003.
    One,
    /// Each cycle in one of six, as in FD002 and FD004.
    Six,
}

impl Conditions {
    /// A cycle's regime and settings.
    pub(crate) fn fly(self, dice: &mut Dice) -> (usize, [f64; 3]) {
        let regime = match self {
            Self::One => 0,
            // The highest regime is flown twice as often as each of the others.
            Self::Six => dice.index(REGIMES.len() + 1).min(REGIMES.len() - 1),
        };
        let mut settings = REGIMES[regime];
        for (setting, scatter) in settings.iter_mut().zip(SCATTER) {
            *setting = ((*setting + dice.between(0.0, scatter)) * 1e4).round() / 1e4;
        }
        (regime, settings)
    }
}
