//! Coaching advice: it follows from the figures, names them, and says nothing that chance explains as well.

mod chance;
mod findings;
mod wording;

use chance::SIGNIFICANCE;
use serde::{Deserialize, Serialize};

use super::{
    shot::Shot,
    statistics::{Dispersion, SERIES_SHOTS},
    target::{RingTable, TargetType},
};

/// Fewer shots than these say nothing: two have no shape.
const FEWEST_SHOTS: usize = 3;

/// Fewer shots than these have no flier and no shape that could be told from chance.
const FEWEST_FOR_SHAPE: usize = 5;

/// `coaching_advice` of the API. A list is empty only where there is nothing to say; `next_steps` never is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    pub strengths: Vec<String>,
    pub improvements: Vec<String>,
    pub next_steps: Vec<String>,
}

/// Advice on `shots`, which are in firing order.
pub fn advise(shots: &[Shot], target: TargetType) -> Advice {
    let mut advice = Advice::default();
    let (group, fliers) = split_fliers(shots);
    let Some(dispersion) = Dispersion::of(&group).filter(|_| shots.len() >= FEWEST_SHOTS) else {
        advice.next_steps.push(too_few(shots.len()));
        return advice;
    };
    let card = Card { shots, rings: target.rings(), group, fliers, dispersion };
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

/// The group and, by index, the shots that do not belong to it. The wildest shot is taken out while chance does not
/// explain it: one flier may hide behind another.
fn split_fliers(shots: &[Shot]) -> (Vec<Shot>, Vec<usize>) {
    let mut kept: Vec<usize> = (0..shots.len()).collect();
    let mut fliers = Vec::new();
    let pick = |indices: &[usize]| indices.iter().map(|i| shots[*i]).collect::<Vec<_>>();
    while kept.len() >= FEWEST_FOR_SHAPE {
        let without = |left_out: usize| kept.iter().copied().filter(|i| *i != left_out).collect::<Vec<_>>();
        let chance = |i: usize| Dispersion::of(&pick(&without(i))).map_or(1.0, |o| chance::of_flier(&shots[i], &o));
        let Some(wildest) = kept.iter().copied().min_by(|a, b| chance(*a).total_cmp(&chance(*b))) else { break };
        if !(chance(wildest) < SIGNIFICANCE) {
            break;
        }
        kept = without(wildest);
        fliers.push(wildest);
    }
    fliers.sort_unstable();
    (pick(&kept), fliers)
}

/// What is judged.
struct Card<'a> {
    shots: &'a [Shot],
    rings: &'static RingTable,
    /// The shots without the fliers.
    group: Vec<Shot>,
    fliers: Vec<usize>,
    dispersion: Dispersion,
}
