#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bin indices are small and positive")]
//! What printed lines, and the edge of the black, look like on this sheet.
//!
//! Their width, strength and blur are unknown and change over the picture, so they are read off: about each printed
//! circle, for every distance from it, the median over a stretch of the circle that is several holes long. Holes are
//! fewer than that and leave no trace in it.

use super::{
    linear::median,
    rings::{Kind, PrintedCircle},
};

/// Bins per pixel of the sheet.
const BINS_PER_PX: f32 = 2.0;
/// Half the width of the zone about a circle, in pixels of the sheet.
const ZONE_PX: f32 = 4.0;
/// Shortest stretch of a circle that a median is taken over, in calibres. A circle with less than one such stretch to
/// spare takes the profile of the others of its kind: a single hole could cover most of it.
const STRETCH_CALIBRES: f32 = 3.2;
const MOST_SECTORS: usize = 32;

/// Expected deviation from the bare ground as a share of the contrast between paper and black, and its spread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected {
    pub share: f32,
    pub spread: f32,
}

struct Zone {
    kind: Kind,
    /// Number of the first bin, counted from the target's centre.
    first: usize,
    bins: usize,
    sectors: usize,
    /// Too small to be read off itself.
    borrows: bool,
    read: Vec<Vec<f32>>,
    expected: Vec<Expected>,
}

/// The zones about all printed circles.
pub struct Lines {
    zones: Vec<Zone>,
    /// Zone number by bin from the centre, 0 for none, else one more.
    by_bin: Vec<u8>,
}

impl Lines {
    pub fn new(circles: &[PrintedCircle], pixels_per_mm: f64, calibre_px: f64) -> Self {
        let mut zones = Vec::new();
        let mut by_bin: Vec<u8> = Vec::new();
        for circle in circles {
            let radius = (circle.radius_mm * pixels_per_mm) as f32;
            let half = ZONE_PX.min((circle.clearance_mm * pixels_per_mm) as f32);
            let first = ((radius - half).max(0.0) * BINS_PER_PX) as usize;
            let bins = ((radius + half) * BINS_PER_PX) as usize + 1 - first;
            let stretches = std::f32::consts::TAU * radius / (STRETCH_CALIBRES * calibre_px as f32);
            let sectors = (stretches as usize).clamp(1, MOST_SECTORS);
            zones.push(Zone {
                kind: circle.kind,
                first,
                bins,
                sectors,
                borrows: stretches < 4.0,
                read: vec![Vec::new(); bins * sectors],
                expected: vec![Expected::default(); bins * sectors],
            });
            by_bin.resize(by_bin.len().max(first + bins), 0);
            by_bin[first..first + bins].fill(zones.len() as u8);
        }
        Self { zones, by_bin }
    }

    /// Whether a place this far from the centre, in sheet pixels, is in a line's zone.
    #[inline]
    pub fn covers(&self, radius: f32) -> bool {
        self.by_bin.get(bin(radius)).is_some_and(|&zone| zone > 0)
    }

    /// Takes note of one pixel's deviation, as a share of the contrast.
    #[inline]
    pub fn note(&mut self, (dx, dy): (f32, f32), radius: f32, share: f32) {
        if let Some((zone, at)) = self.find((dx, dy), radius) {
            self.zones[zone].read[at].push(share);
        }
    }

    /// What is to be expected at a place.
    #[inline]
    pub fn expected(&self, (dx, dy): (f32, f32), radius: f32) -> Expected {
        self.find((dx, dy), radius).map_or_else(Expected::default, |(zone, at)| self.zones[zone].expected[at])
    }

    fn find(&self, (dx, dy): (f32, f32), radius: f32) -> Option<(usize, usize)> {
        let bin = bin(radius);
        let number = usize::from(*self.by_bin.get(bin)?).checked_sub(1)?;
        let zone = &self.zones[number];
        let sector = (turn(dx, dy) * zone.sectors as f32) as i32 as usize;
        Some((number, sector.min(zone.sectors - 1) * zone.bins + (bin - zone.first)))
    }

    /// Turns what was noted into what is expected.
    pub fn learn(&mut self) {
        for zone in &mut self.zones {
            for (expected, read) in zone.expected.iter_mut().zip(&mut zone.read) {
                *expected = middle(read);
            }
            zone.read = Vec::new();
        }
        for number in 0..self.zones.len() {
            if self.zones[number].borrows {
                let profile = self.borrowed(number);
                let zone = &mut self.zones[number];
                for (at, expected) in zone.expected.iter_mut().enumerate() {
                    *expected = profile[at % zone.bins];
                }
            }
        }
    }

    /// The middle profile of the larger circles of a zone's kind, uncertain where it is strong.
    fn borrowed(&self, number: usize) -> Vec<Expected> {
        let zone = &self.zones[number];
        let centre = zone.bins / 2;
        let lenders = || self.zones.iter().filter(|z| z.kind == zone.kind && !z.borrows);
        (0..zone.bins)
            .map(|bin| {
                let mut shares: Vec<f32> = lenders()
                    .filter_map(|z| Some((z, (z.bins / 2 + bin).checked_sub(centre).filter(|&at| at < z.bins)?)))
                    .flat_map(|(z, at)| (0..z.sectors).map(move |s| z.expected[s * z.bins + at].share))
                    .collect();
                let share = median(&mut shares).unwrap_or(0.0);
                Expected { share, spread: 0.05_f32.max(share.abs()) }
            })
            .collect()
    }
}

/// By way of i32: the direct conversion is several times as slow.
#[inline]
fn bin(radius: f32) -> usize {
    (radius * BINS_PER_PX) as i32 as usize
}

fn middle(read: &mut [f32]) -> Expected {
    let Some(share) = median(read) else { return Expected::default() };
    read.iter_mut().for_each(|value| *value = (*value - share).abs());
    Expected { share, spread: 1.4826 * median(read).unwrap_or(0.0) }
}

/// A direction as a share of a whole turn; even enough for sectors, and much cheaper than the arc tangent.
fn turn(dx: f32, dy: f32) -> f32 {
    let size = dx.abs() + dy.abs();
    if size == 0.0 {
        return 0.0;
    }
    let quarter = dy / size;
    let turns = if dx < 0.0 {
        2.0 - quarter
    } else if dy < 0.0 {
        4.0 + quarter
    } else {
        quarter
    };
    (turns / 4.0).min(0.999_999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_grow_once_around() {
        let turns: Vec<f32> = (0..64)
            .map(|i| std::f32::consts::TAU * i as f32 / 64.0 + 0.001)
            .map(|angle| turn(angle.cos(), angle.sin()))
            .collect();
        assert!(turns.is_sorted(), "{turns:?}");
    }
}
