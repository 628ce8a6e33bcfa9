//! Which hole that was found is which hole that is there.

use std::time::Duration;

use analyze_frame::detector::builtin::Detection;
use range_camera::TrueHole;
use shared::domain::target::TargetType;

/// A true hole is found by a hole whose centre is nearer than this.
const FOUND_CALIBRES: f64 = 0.5;
/// Holes further apart than this from every other are separate.
const SEPARATE_CALIBRES: f64 = 1.2;
/// What is found further than this from every true hole is invented.
const INVENTED_CALIBRES: f64 = 1.0;

/// One frame, found against true.
pub struct Outcome {
    pub target_found: bool,
    /// For each true hole: whether it is separate, and what was found of it.
    pub holes: Vec<(bool, Option<Match>)>,
    /// Pairs of holes that overlap, and how many of them were seen as two.
    pub pairs: (usize, usize),
    /// Indices of found holes that are near no true one.
    pub invented: Vec<usize>,
    /// Found holes that are near a true hole and not the one that was matched with it.
    pub doubled: usize,
    pub decode: Duration,
    pub detect: Duration,
}

/// How well a true hole was found.
#[derive(Debug, Clone, Copy)]
pub struct Match {
    pub centre_error_mm: f64,
    pub score_error: f64,
}

impl Outcome {
    pub fn new(
        target: TargetType,
        truth: &[TrueHole],
        detection: &Detection,
        decode: Duration,
        detect: Duration,
    ) -> Self {
        let calibre = target.rings().calibre_mm();
        let distance = |t: usize, f: usize| truth[t].position.distance_mm(detection.holes[f].position);
        let matches = nearest_first(truth.len(), detection.holes.len(), FOUND_CALIBRES * calibre, distance);
        let holes = (0..truth.len()).map(|t| {
            (
                is_separate(truth, t, calibre),
                matches[t].map(|found| {
                    let score = |radius_um| target.rings().score(radius_um).as_f64();
                    let (is, should) = (detection.holes[found].position.radius_um(), truth[t].position.radius_um());
                    Match { centre_error_mm: distance(t, found), score_error: (score(is) - score(should)).abs() }
                }),
            )
        });
        let matched: Vec<usize> = matches.iter().copied().flatten().collect();
        let far = |f: &usize| (0..truth.len()).all(|t| distance(t, *f) > INVENTED_CALIBRES * calibre);
        let unmatched = (0..detection.holes.len()).filter(|found| !matched.contains(found));
        let (invented, doubled): (Vec<usize>, Vec<usize>) = unmatched.partition(far);
        Self {
            target_found: detection.target.is_some(),
            holes: holes.collect(),
            pairs: pairs(truth, &matches, calibre),
            invented,
            doubled: doubled.len(),
            decode,
            detect,
        }
    }

    /// Whether anything was missed, or found where nothing is.
    pub fn is_failure(&self) -> bool {
        self.holes.iter().any(|(_, found)| found.is_none()) || !self.invented.is_empty() || self.doubled > 0
    }
}

/// One-to-one within `limit`, the nearest two first; for each true hole what was found of it.
pub fn nearest_first(
    truths: usize,
    found: usize,
    limit: f64,
    distance: impl Fn(usize, usize) -> f64,
) -> Vec<Option<usize>> {
    let mut candidates: Vec<(f64, usize, usize)> = (0..truths)
        .flat_map(|t| (0..found).map(move |f| (t, f)))
        .map(|(t, f)| (distance(t, f), t, f))
        .filter(|(distance, _, _)| *distance < limit)
        .collect();
    candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut matches, mut taken) = (vec![None; truths], vec![false; found]);
    for (_, t, f) in candidates {
        if matches[t].is_none() && !taken[f] {
            matches[t] = Some(f);
            taken[f] = true;
        }
    }
    matches
}

fn is_separate(truth: &[TrueHole], index: usize, calibre: f64) -> bool {
    let near = |(other, hole): (usize, &TrueHole)| {
        other != index && hole.position.distance_mm(truth[index].position) < SEPARATE_CALIBRES * calibre
    };
    !truth.iter().enumerate().any(near)
}

fn pairs(truth: &[TrueHole], matches: &[Option<usize>], calibre: f64) -> (usize, usize) {
    let close = (0..truth.len())
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .filter(|&(i, j)| truth[i].position.distance_mm(truth[j].position) < SEPARATE_CALIBRES * calibre);
    close
        .fold((0, 0), |(all, both), (i, j)| (all + 1, both + usize::from(matches[i].is_some() && matches[j].is_some())))
}
