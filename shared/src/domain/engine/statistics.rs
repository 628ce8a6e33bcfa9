//! What each sensor of an engine did over its history.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Reading, SENSORS};

/// One sensor over a history, in the sensor's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct SensorStatistics {
    pub mean: f64,
    /// Of a sample (n − 1); 0 for a single reading.
    pub std: f64,
    pub min: f64,
    pub max: f64,
    /// Of the line with the least squares, per cycle; 0 for a single reading.
    pub slope: f64,
}

/// The statistics of every sensor, in the order of [`SENSORS`]; none without a reading.
pub fn statistics(readings: &[Reading]) -> Option<[(&'static str, SensorStatistics); SENSORS.len()]> {
    let sensors = SENSORS.into_iter().enumerate();
    let all = sensors.map(|(column, name)| {
        let points = readings.iter().filter_map(|read| Some((f64::from(read.cycle), *read.sensors.get(column)?)));
        Some((name, of(points)?))
    });
    all.collect::<Option<Vec<_>>>()?.try_into().ok()
}

/// Of points (cycle, value), in one pass (Welford 1962, and its counterpart for the covariance).
fn of(points: impl Iterator<Item = (f64, f64)>) -> Option<SensorStatistics> {
    let (mut count, mut mean_x, mut mean_y) = (0.0, 0.0, 0.0);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for (x, y) in points {
        count += 1.0;
        let (dx, dy) = (x - mean_x, y - mean_y);
        mean_x += dx / count;
        mean_y += dy / count;
        xx += dx * (x - mean_x);
        yy += dy * (y - mean_y);
        xy += dx * (y - mean_y);
        min = min.min(y);
        max = max.max(y);
    }
    let (std, slope) = if count > 1.0 { ((yy / (count - 1.0)).sqrt(), xy / xx) } else { (0.0, 0.0) };
    (count > 0.0).then_some(SensorStatistics { mean: mean_y, std, min, max, slope })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(cycle: u32, value: f64) -> Reading {
        Reading { cycle, settings: [0.0; 3], sensors: [value; 14] }
    }

    #[test]
    fn a_line_has_its_slope_and_its_spread() {
        let readings: Vec<_> = [(1, 10.0), (2, 12.0), (4, 16.0), (5, 18.0)].map(|(cycle, y)| reading(cycle, y)).into();
        let all = statistics(&readings).unwrap();
        assert_eq!((all[0].0, all[13].0), ("s2", "s21"));
        let SensorStatistics { mean, std, min, max, slope } = all[5].1;
        assert_eq!((mean, min, max), (14.0, 10.0, 18.0));
        assert!((slope - 2.0).abs() < 1e-12 && (std - 3.651_483_716_701_107).abs() < 1e-12, "{slope} {std}");
    }

    #[test]
    fn one_reading_has_no_spread_and_none_has_no_statistics() {
        let one = statistics(&[reading(7, 3.0)]).unwrap();
        assert_eq!(one[0].1, SensorStatistics { mean: 3.0, std: 0.0, min: 3.0, max: 3.0, slope: 0.0 });
        assert_eq!(statistics(&[]), None);
    }
}
