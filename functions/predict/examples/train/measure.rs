//! The measures, as tables for the model's card.

use std::fmt::Write as _;

use predict::model::CAP;
use predict::model::interval::Interval;

use crate::calibrate::{Prediction, residuals};
use crate::cuts::REPEATS;
use crate::fleet::FOLDS;
use crate::prepare::count;

/// Engines in the official test sets, which the NASA score is a sum over.
const OFFICIAL: [f64; 4] = [100.0, 259.0, 100.0, 248.0];

/// What is predicted, or what is true.
type Cycles = fn(&Prediction) -> f64;

/// A prediction with its interval, from residuals of the other folds alone.
struct Covered {
    cut: Prediction,
    interval: Interval,
}

pub fn report(predictions: &[Prediction]) -> String {
    let mut text =
        String::from("| model | label | FD001 | FD002 | FD003 | FD004 |\n| --- | --- | --- | --- | --- | --- |\n");
    let models: [(&str, Cycles); 3] = [
        ("the model", |cut| cut.rul),
        ("its networks alone", |cut| cut.by_networks),
        ("boosted trees alone", |cut| cut.by_forest),
    ];
    for (name, rul) in models {
        for (label, truth) in [("capped", Prediction::truth as Cycles), ("uncapped", |cut| cut.left)] {
            let cells: Vec<String> = (1..=4).map(|subset| cell(predictions, subset, rul, truth)).collect();
            let _ = writeln!(text, "| {name} | {label} | {} |", cells.join(" | "));
        }
    }
    let covered = covered(predictions);
    let _ = write!(
        text,
        "\n| predictions | share | within | below | above | mean width |\n| --- | --- | --- | --- | --- | --- |\n"
    );
    let mut line = |name: &str, which: &dyn Fn(&Prediction) -> bool| {
        let _ = writeln!(text, "| {name} | {} |", coverage(&covered, which));
    };
    line("all", &|_| true);
    for subset in 1..=4 {
        line(&format!("FD00{subset}"), &|cut| cut.subset == subset);
    }
    for (low, high) in
        [(0.0_f64, 10.0_f64), (10.0, 25.0), (25.0, 50.0), (50.0, 75.0), (75.0, 100.0), (100.0, 115.0), (115.0, 126.0)]
    {
        line(&format!("RUL {low:.0} to {:.0}", high.min(CAP)), &|cut| (low..high).contains(&cut.rul));
    }
    text
}

/// RMSE with its standard error over engines, and NASA score, in one cell.
fn cell(predictions: &[Prediction], subset: usize, rul: Cycles, truth: Cycles) -> String {
    let (mut square, mut score, mut cuts) = (0.0, 0.0, 0.0);
    let mut engines: Vec<f64> = Vec::new();
    for engine in predictions.chunks(REPEATS).filter(|engine| engine[0].subset == subset) {
        let mut own = 0.0;
        for cut in engine {
            let off = rul(cut) - truth(cut);
            own += off * off / count(engine.len());
            score += if off < 0.0 { (-off / 13.0).exp() } else { (off / 10.0).exp() } - 1.0;
            cuts += 1.0;
        }
        engines.push(own);
        square += own;
    }
    let mean = square / count(engines.len());
    let spread = engines.iter().map(|own| (own - mean) * (own - mean)).sum::<f64>() / count(engines.len());
    let error = (spread / count(engines.len())).sqrt() / (2.0 * mean.sqrt());
    format!("{:.2} ± {error:.2}, {:.0}", mean.sqrt(), score / cuts * OFFICIAL[subset - 1])
}

fn covered(predictions: &[Prediction]) -> Vec<Covered> {
    let mut covered = Vec::with_capacity(predictions.len());
    for fold in 0..FOLDS {
        let others: Vec<Prediction> = predictions.iter().filter(|cut| cut.fold != fold).copied().collect();
        let residuals = residuals(&others);
        let own = predictions.iter().filter(|cut| cut.fold == fold);
        covered.extend(own.map(|cut| Covered { cut: *cut, interval: Interval::about(cut.rul, 0.0, &residuals) }));
    }
    covered
}

fn coverage(covered: &[Covered], which: &dyn Fn(&Prediction) -> bool) -> String {
    let chosen: Vec<&Covered> = covered.iter().filter(|one| which(&one.cut)).collect();
    let all = count(chosen.len());
    let share = |of: &dyn Fn(&Covered) -> bool| count(chosen.iter().filter(|one| of(one)).count()) / all * 100.0;
    let below = share(&|one| one.cut.truth() < one.interval.low);
    let above = share(&|one| one.cut.truth() > one.interval.high);
    let width = chosen.iter().map(|one| one.interval.high - one.interval.low).sum::<f64>() / all;
    format!(
        "{:.1} % | {:.1} % | {below:.1} % | {above:.1} % | {width:.1}",
        all / count(covered.len()) * 100.0,
        100.0 - below - above
    )
}
