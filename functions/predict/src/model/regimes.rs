//! C-MAPSS's six operating regimes, recognised by the settings.

/// Altitude (1000 ft), Mach number and throttle resolver angle of each regime. The first is sea level, in which the
/// engines of FD001 and FD003 fly alone.
pub const REGIMES: [[f64; 3]; 6] = [
    [0.0, 0.0, 100.0],
    [10.0, 0.25, 100.0],
    [20.0, 0.70, 100.0],
    [25.0, 0.62, 60.0],
    [35.0, 0.84, 100.0],
    [42.0, 0.84, 100.0],
];

/// How far settings may lie from a regime's to be of it. C-MAPSS's scatter by a hundredth of this, and the regimes lie
/// ten times as far apart.
const TOLERANCE: [f64; 3] = [0.5, 0.05, 2.0];

/// The regime nearest to the settings, and whether they are of it at all.
pub fn recognise(settings: &[f64; 3]) -> (usize, bool) {
    let distance = |regime: &[f64; 3]| {
        let steps = regime.iter().zip(settings).zip(TOLERANCE);
        steps.map(|((centre, setting), tolerance)| ((setting - centre) / tolerance).abs()).fold(0.0, f64::max)
    };
    let mut nearest = (0, f64::INFINITY);
    for (number, regime) in REGIMES.iter().enumerate() {
        let away = distance(regime);
        if away < nearest.1 {
            nearest = (number, away);
        }
    }
    (nearest.0, nearest.1 <= 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_of_the_regime_they_scatter_about() {
        for (number, regime) in REGIMES.iter().enumerate() {
            let scattered = [regime[0] + 0.008, regime[1] - 0.002, regime[2]];
            assert_eq!(recognise(&scattered), (number, true));
        }
    }

    #[test]
    fn settings_between_regimes_are_of_none() {
        assert_eq!(recognise(&[24.0, 0.62, 60.0]), (3, false));
        assert!(!recognise(&[0.0, 0.0, 60.0]).1);
        assert!(!recognise(&[1e300, -1e300, 0.0]).1);
    }
}
