//! Coaching advice: it follows from the figures, names them, and says nothing that chance explains as well.

mod chance;
mod findings;
mod wording;

use chance::SIGNIFICANCE;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    shot::Shot,
    statistics::{Dispersion, SERIES_SHOTS},
    target::{RingTable, TargetType, um_to_mm},
};

/// Fewer shots than these say nothing: two have no shape.
const FEWEST_SHOTS: usize = 3;

/// Fewer shots than these have no flier and no shape that could be told from chance.
const FEWEST_FOR_SHAPE: usize = 5;

/// An offset, a drift or a flier is worth a word from this share of a ring's width on: so much of a
/// point it costs with each shot.
const NOTICEABLE_RINGS: f64 = 0.25;

/// Coaching advice. A list is empty only where there is nothing to say; `next_steps` never is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Advice {
    pub strengths: Vec<String>,
    pub improvements: Vec<String>,
    pub next_steps: Vec<String>,
}

/// Advice on `shots`, which are in firing order.
pub fn advise(shots: &[Shot], target: TargetType) -> Advice {
    let mut advice = Advice::default();
    let Some(card) = Card::of(shots, target.rings()) else {
        advice.next_steps.push(too_few(shots.len()));
        return advice;
    };
    card.judge_fliers(&mut advice);
    card.judge_rings(&mut advice);
    card.judge_offset(&mut advice);
    card.judge_size(&mut advice);
    card.judge_shape(&mut advice);
    card.judge_drift(&mut advice);
    card.judge_scores(&mut advice);
    card.look_ahead(&mut advice);
    advice
}

fn too_few(shots: usize) -> String {
    let so_many = match shots {
        0 => "No shots are".to_owned(),
        1 => "1 shot is".to_owned(),
        _ => format!("{shots} shots are"),
    };
    format!(
        "{so_many} too few for advice: it takes at least {FEWEST_SHOTS}, and a series of {SERIES_SHOTS} or 10 says more"
    )
}

/// What is judged: the shots, and the group that is left of them without its fliers.
struct Card<'a> {
    shots: &'a [Shot],
    rings: &'static RingTable,
    group: Vec<Shot>,
    dispersion: Dispersion,
    /// Indices of the shots that do not belong to the group.
    fliers: Vec<usize>,
}

impl<'a> Card<'a> {
    /// `None` where there are too few shots.
    fn of(shots: &'a [Shot], rings: &'static RingTable) -> Option<Self> {
        let mut kept: Vec<usize> = (0..shots.len()).collect();
        let mut fliers = Vec::new();
        // One after the other: a flier may hide behind a wilder one.
        while let Some(flier) = find_flier(shots, &kept, noticeable_mm(rings)) {
            kept.retain(|index| *index != flier);
            fliers.push(flier);
        }
        fliers.sort_unstable();
        let group: Vec<Shot> = kept.iter().map(|index| shots[*index]).collect();
        let dispersion = Dispersion::of(&group).filter(|_| shots.len() >= FEWEST_SHOTS)?;
        Some(Self { shots, rings, group, dispersion, fliers })
    }
}

/// The index of the shot that lies farthest from all others, if by more than chance explains and by enough to matter.
fn find_flier(shots: &[Shot], kept: &[usize], noticeable_mm: f64) -> Option<usize> {
    if kept.len() < FEWEST_FOR_SHAPE {
        return None;
    }
    let judged = kept.iter().filter_map(|index| {
        let others: Vec<Shot> = kept.iter().filter(|other| *other != index).map(|other| shots[*other]).collect();
        let others = Dispersion::of(&others)?;
        let shot = &shots[*index];
        let is_noticeable = shot.position.distance_mm(others.centre) >= noticeable_mm;
        is_noticeable.then(|| (*index, chance::of_flier(shot, &others)))
    });
    let (wildest, chance) = judged.min_by(|a, b| a.1.total_cmp(&b.1))?;
    (chance < SIGNIFICANCE).then_some(wildest)
}

/// An offset, a drift or a flier is worth a word from this distance on, in millimetres.
fn noticeable_mm(rings: &RingTable) -> f64 {
    NOTICEABLE_RINGS * um_to_mm(rings.step_um) / 2.0
}

#[cfg(test)]
mod tests;
