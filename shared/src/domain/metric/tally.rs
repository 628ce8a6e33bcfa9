//! What a delivery's observations come to in the counters.

use super::{AsOf, Components, History, Observation};

/// Confidence from which on an observation counts as a confident one, in tenths.
const CONFIDENT: u32 = 800;

/// How far a delivery's observations are to be trusted, all in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scores {
    /// Observations that were scored.
    pub scored: u64,
    /// Of these, with a confidence of at least 80.
    pub confident: u64,
    /// The sum of their confidences, in tenths.
    pub tenths: u64,
}

/// Scores observations by what their delivery alone says, at the moment that it stands for: the same whenever, and
/// however often, it is worked out.
pub fn tally<'a>(observations: impl IntoIterator<Item = &'a Observation>, as_of: &AsOf) -> Scores {
    observations.into_iter().fold(Scores::default(), |scores, observation| {
        let Observation { metric, value, observed_at, evidence, .. } = observation;
        let components = Components::of(*metric, *value, evidence, &History(&[]));
        let tenths = components.confidence(Components::freshness(*metric, *observed_at, as_of.at())).tenths();
        Scores {
            scored: scores.scored + 1,
            confident: scores.confident + u64::from(tenths >= CONFIDENT),
            tenths: scores.tenths + u64::from(tenths),
        }
    })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use serde_json::json;

    use super::*;
    use crate::{
        domain::{metric::normalise, terra::DataType},
        ids::DeliveryId,
    };

    #[test]
    fn a_delivery_is_scored_as_of_its_own_moment() {
        let night = json!({
            "metadata": {
                "start_time": "2026-03-01T22:00:00Z", "end_time": "2026-03-02T06:00:00Z",
                "summary_id": "n", "upload_type": 1
            },
            // The maximum is below the average: neither is worth much. The duration stands.
            "heart_rate_data": { "summary": { "avg_hr_bpm": 61, "max_hr_bpm": 55 } },
            "sleep_durations_data": { "asleep": { "duration_asleep_state_seconds": 27_000 } },
        });
        let document = normalise(DataType::Sleep, "OURA", &night).unwrap();
        let morning = DateTime::parse_from_rfc3339("2026-03-02T07:00:00Z").unwrap().to_utc();
        let scores = |at| tally(&document.observations, &AsOf::new(at, &DeliveryId("d".to_owned())));
        let Scores { scored, confident, tenths } = scores(morning);
        assert_eq!((scored, confident), (3, 1));
        assert!((1_500..2_300).contains(&tenths), "{tenths}");
        assert!(scores(morning + TimeDelta::days(3)).tenths < tenths);
        assert_eq!(tally(&[], &AsOf::new(morning, &DeliveryId("d".to_owned()))), Scores::default());
    }
}
