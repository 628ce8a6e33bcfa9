//! ISSF paper targets: ring dimensions and decimal scoring.
//!
//! Source: ISSF General Technical Rules, "Target standards"; decimal scoring is linear in the distance of the shot's
//! centre from the target's centre. Lengths are integer micrometres, so that a score is cut where the rules cut it and
//! not where a binary fraction happens to fall.

use std::{fmt, ops::Add};

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::openapi;

/// A target type that a session can be shot on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetType {
    /// 25 m precision and 50 m pistol.
    Standard,
    #[serde(rename = "air_pistol_10m")]
    AirPistol10m,
    #[serde(rename = "air_rifle_10m")]
    AirRifle10m,
    #[serde(rename = "rapid_fire_25m")]
    RapidFire25m,
    #[serde(rename = "rifle_50m")]
    Rifle50m,
}

/// Dimensions of a target, all of them diameters in micrometres unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingTable {
    pub ten_ring_um: i64,
    /// Growth of the diameter from one ring to the next.
    pub step_um: i64,
    /// Value of the outermost ring; what lies outside it is a miss.
    pub lowest_ring: u8,
    pub inner_ten_um: Option<i64>,
    /// The aiming mark.
    pub black_um: i64,
    /// Diameter of the bullet or pellet that the score is gauged with.
    pub calibre_um: i64,
}

impl TargetType {
    pub const ALL: [Self; 5] =
        [Self::Standard, Self::AirPistol10m, Self::AirRifle10m, Self::RapidFire25m, Self::Rifle50m];

    /// The name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::AirPistol10m => "air_pistol_10m",
            Self::AirRifle10m => "air_rifle_10m",
            Self::RapidFire25m => "rapid_fire_25m",
            Self::Rifle50m => "rifle_50m",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    pub const fn rings(self) -> &'static RingTable {
        match self {
            Self::Standard => &RingTable {
                ten_ring_um: 50_000,
                step_um: 50_000,
                lowest_ring: 1,
                inner_ten_um: Some(25_000),
                black_um: 200_000,
                calibre_um: 5_600,
            },
            Self::AirPistol10m => &RingTable {
                ten_ring_um: 11_500,
                step_um: 16_000,
                lowest_ring: 1,
                inner_ten_um: Some(5_000),
                black_um: 59_500,
                calibre_um: 4_500,
            },
            Self::AirRifle10m => &RingTable {
                ten_ring_um: 500,
                step_um: 5_000,
                lowest_ring: 1,
                inner_ten_um: None,
                black_um: 30_500,
                calibre_um: 4_500,
            },
            Self::RapidFire25m => &RingTable {
                ten_ring_um: 100_000,
                step_um: 80_000,
                lowest_ring: 5,
                inner_ten_um: Some(50_000),
                black_um: 500_000,
                calibre_um: 5_600,
            },
            Self::Rifle50m => &RingTable {
                ten_ring_um: 10_400,
                step_um: 16_000,
                lowest_ring: 1,
                inner_ten_um: Some(5_000),
                black_um: 112_400,
                calibre_um: 5_600,
            },
        }
    }
}

impl RingTable {
    /// Diameter of a ring in micrometres; `ring` runs from `lowest_ring` to 10.
    pub fn diameter_um(&self, ring: u8) -> i64 {
        self.ten_ring_um + self.step_um * i64::from(10 - ring.min(10))
    }

    /// Diameter of the outermost ring in micrometres.
    pub fn outermost_um(&self) -> i64 {
        self.diameter_um(self.lowest_ring)
    }

    pub fn black_mm(&self) -> f64 {
        um_to_mm(self.black_um)
    }

    pub fn calibre_mm(&self) -> f64 {
        um_to_mm(self.calibre_um)
    }

    pub fn outermost_mm(&self) -> f64 {
        um_to_mm(self.outermost_um())
    }

    /// Decimal score of a hole whose centre lies `distance_um` from the target's centre.
    ///
    /// Inside R10 = (10 ring + calibre) / 2 the score is `11 − d/R10`, outside it `10 − (d − R10)/(step/2)`; it is cut
    /// to a tenth, 10.9 at most, and a miss below the outermost ring.
    pub fn score(&self, distance_um: i64) -> Score {
        let distance = distance_um.max(0);
        let ten_diameter = self.ten_ring_um + self.calibre_um;
        // Twice the distance over the diameter avoids halving odd micrometres.
        let tenths = if 2 * distance <= ten_diameter {
            (110 * ten_diameter - 20 * distance).div_euclid(ten_diameter)
        } else {
            (100 * self.step_um - 10 * (2 * distance - ten_diameter)).div_euclid(self.step_um)
        };
        let tenths = tenths.min(i64::from(Score::BEST.0));
        if tenths < 10 * i64::from(self.lowest_ring) {
            return Score::MISS;
        }
        Score(u16::try_from(tenths).unwrap_or(0))
    }

    /// Whether a hole at this distance touches the aiming mark as the rules gauge it: its edge, not its centre.
    pub fn is_in_black(&self, distance_um: i64) -> bool {
        2 * distance_um <= self.black_um + self.calibre_um
    }
}

/// A decimal score in tenths, 0.0 to 10.9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Score(u16);

impl Score {
    pub const MISS: Self = Self(0);
    pub const BEST: Self = Self(109);

    /// A score from tenths, 10.9 at most.
    pub fn from_tenths(tenths: u16) -> Self {
        Self(tenths.min(Self::BEST.0))
    }

    pub const fn tenths(self) -> u16 {
        self.0
    }

    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

impl Add<Score> for u32 {
    type Output = u32;

    fn add(self, score: Score) -> u32 {
        self + u32::from(score.0)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl Serialize for Score {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_f64())
    }
}

impl PartialSchema for Score {
    fn schema() -> RefOr<Schema> {
        openapi::number(Self::MISS.as_f64()..=Self::BEST.as_f64()).description(Some("A decimal score.")).into()
    }
}

impl ToSchema for Score {}

/// Millimetres to whole micrometres, rounded; what is not a number is as far away as can be.
pub fn mm_to_um(mm: f64) -> i64 {
    const FAR_UM: f64 = 1e12;
    if !mm.is_finite() {
        return 1_000_000_000_000;
    }
    #[expect(clippy::cast_possible_truncation, reason = "clamped to ±1e12, which an i64 holds")]
    let um = (mm * 1000.0).round().clamp(-FAR_UM, FAR_UM) as i64;
    um
}

/// Micrometres to millimetres.
pub fn um_to_mm(um: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "target dimensions are below 2^53 micrometres")]
    let um = um as f64;
    um / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outermost_rings_are_those_of_the_rules() {
        let outermost: Vec<i64> = TargetType::ALL.iter().map(|t| t.rings().outermost_um()).collect();
        assert_eq!(outermost, [500_000, 155_500, 45_500, 500_000, 154_400]);
    }

    #[test]
    fn scores_are_cut_and_not_rounded() {
        let cases = [
            (TargetType::AirPistol10m, 0, "10.9"),
            (TargetType::AirPistol10m, 800, "10.9"),
            (TargetType::AirPistol10m, 801, "10.8"),
            (TargetType::AirPistol10m, 8_000, "10.0"),
            (TargetType::AirPistol10m, 8_001, "9.9"),
            (TargetType::AirPistol10m, 80_000, "1.0"),
            (TargetType::AirPistol10m, 80_001, "0.0"),
            (TargetType::AirRifle10m, 250, "10.9"),
            (TargetType::AirRifle10m, 2_500, "10.0"),
            (TargetType::AirRifle10m, 25_001, "0.0"),
            (TargetType::Standard, 27_800, "10.0"),
            (TargetType::Standard, 27_801, "9.9"),
            (TargetType::Standard, 252_800, "1.0"),
            (TargetType::RapidFire25m, 52_800, "10.0"),
            (TargetType::RapidFire25m, 252_800, "5.0"),
            (TargetType::RapidFire25m, 252_801, "0.0"),
            (TargetType::Rifle50m, 8_000, "10.0"),
        ];
        for (target, distance, expected) in cases {
            assert_eq!(target.rings().score(distance).to_string(), expected, "{target:?} at {distance} µm");
        }
    }

    #[test]
    fn air_targets_follow_their_short_formula_at_every_micrometre_of_a_tenth() {
        for tenths in 10..=109_i64 {
            let distance = (110 - tenths) * 800;
            assert_eq!(i64::from(TargetType::AirPistol10m.rings().score(distance).tenths()), tenths);
        }
    }

    #[test]
    fn names_round_trip() {
        for target in TargetType::ALL {
            assert_eq!(TargetType::from_name(target.name()), Some(target));
            assert_eq!(serde_json::to_value(target).unwrap(), target.name());
        }
    }
}
