//! What the figures say, one finding a function.

use super::{
    Advice, Card, FEWEST_FOR_SHAPE, FEWEST_SHOTS, NOTICEABLE_RINGS,
    chance::{self, SIGNIFICANCE},
    noticeable_mm,
    wording::{self, place, sentence, step},
};
use crate::domain::{
    position::Position,
    shot::Shot,
    statistics::{Dispersion, R50_SIGMAS, SERIES_SHOTS, real},
    target::{Score, mm_to_um},
};

/// A group is called tall or wide if σ along one axis is this many times σ along the other.
const STRETCHED: f64 = 1.5;

/// A group is called tight if half of its shots would score this in tenths or better once it is centred.
const TIGHT_TENTHS: u16 = 90;

/// And wide if they would not even score this.
const WIDE_TENTHS: u16 = 80;

/// Scores of two series differ if their averages lie this many standard errors apart: Student's t, 5 %, 8 degrees of
/// freedom, which two series of five have.
const SCORE_ERRORS: f64 = 2.31;

/// More shots are asked for while the ends of σ's interval are this many times apart, as they are below eight shots.
const UNCERTAIN: f64 = 2.0;

impl Card<'_> {
    pub(super) fn judge_fliers(&self, advice: &mut Advice) {
        for flier in &self.fliers {
            let shot = &self.shots[*flier];
            let away = shot.position.distance_mm(self.dispersion.centre);
            advice.improvements.push(format!(
                "Shot {} ({}) is a flier: {away:.1} mm from the centre of the others, whose σ is {:.1} mm",
                flier + 1,
                shot.score,
                self.sigma_mm(),
            ));
        }
        if !self.fliers.is_empty() {
            let said = self.say_fliers();
            advice.next_steps.push(format!("Recall what was different at {said}, and call every shot before you look"));
        }
    }

    pub(super) fn judge_rings(&self, advice: &mut Advice) {
        let numbers = |is: &dyn Fn(&Shot) -> bool| -> Vec<usize> {
            self.shots.iter().enumerate().filter(|(_, shot)| is(shot)).map(|(i, _)| i + 1).collect()
        };
        let missed = numbers(&|shot| shot.score == Score::MISS);
        if !missed.is_empty() {
            let verb = if missed.len() == 1 { "lies" } else { "lie" };
            let said = wording::shots(&missed);
            advice.improvements.push(sentence(&format!("{said} {verb} outside the scoring rings and counted 0.0")));
        }
        let in_black = numbers(&|shot| self.rings.is_in_black(shot.position.radius_um()));
        if in_black.len() == self.shots.len() && self.rings.black_um < self.rings.outermost_um() {
            advice.strengths.push(format!("All {} shots are in the black", in_black.len()));
        }
    }

    pub(super) fn judge_offset(&self, advice: &mut Advice) {
        let centre = self.dispersion.centre;
        let offset = centre.distance_mm(Position::CENTRE);
        let without = if self.fliers.is_empty() { String::new() } else { format!(" without {}", self.say_fliers()) };
        if chance::of_offset(&self.dispersion) < SIGNIFICANCE {
            if offset < noticeable_mm(self.rings) {
                return;
            }
            advice.improvements.push(format!(
                "The group's centre{without} is {}: {offset:.1} mm off, which chance does not explain",
                place(centre)
            ));
            // While the group wanders, sights that fit its mean fit no series.
            if self.drift().is_some() {
                return;
            }
            let back = Position::new(-centre.x_mm, -centre.y_mm);
            advice.next_steps.push(format!(
                "Adjust the sights so that shots move {}{}",
                step(back),
                self.gain_of(back)
            ));
        } else if offset + self.sigma_mm() / real(self.group.len()).sqrt() < noticeable_mm(self.rings) {
            advice.strengths.push(format!(
                "The group{without} is centred: {offset:.1} mm from the target's centre, no more than chance explains"
            ));
        }
    }

    pub(super) fn judge_size(&self, advice: &mut Advice) {
        let r50 = R50_SIGMAS * self.sigma_mm();
        let score = self.rings.score(mm_to_um(r50));
        let figures = format!("half of all shots will lie within {r50:.1} mm of the group's centre (R50)");
        if score.tenths() >= TIGHT_TENTHS {
            advice.strengths.push(format!("The group is tight: {figures}, worth {score} or better once it is centred"));
        } else if score.tenths() < WIDE_TENTHS {
            advice
                .improvements
                .push(format!("The group is wide: {figures}; even centred, the other half scores under {score}"));
            advice.next_steps.push(
                "Work on the size of the group: dry firing, and a steady hold through the trigger's release".to_owned(),
            );
        }
    }

    pub(super) fn judge_shape(&self, advice: &mut Advice) {
        let Some((horizontal, vertical)) = self.dispersion.axis_sigmas_mm() else { return };
        let is_clear = horizontal.max(vertical) >= STRETCHED * horizontal.min(vertical);
        if self.group.len() < FEWEST_FOR_SHAPE || !is_clear || !chance::is_stretched(&self.dispersion) {
            return;
        }
        let (shape, cause) = if vertical > horizontal {
            ("taller than wide", "breathing, the height of the aim and the grip's pressure")
        } else {
            ("wider than tall", "the trigger finger, the stance and cant")
        };
        advice.improvements.push(format!(
            "The group is {shape}: σ is {vertical:.1} mm vertically and {horizontal:.1} mm horizontally"
        ));
        advice.next_steps.push(format!("Look at what moves the shots that way: {cause}"));
    }

    pub(super) fn judge_drift(&self, advice: &mut Advice) {
        let Some(Drift { first, last, moved }) = self.drift() else { return };
        let moved = step(moved);
        advice.improvements.push(format!("The group drifted from series {first} to series {last}: {moved}"));
        advice.next_steps.push("Rebuild the position before each series and check its natural point of aim".to_owned());
    }

    /// The way from the first series to the last, if chance does not explain it and it is far enough to matter.
    fn drift(&self) -> Option<Drift> {
        if !self.series_have_an_order() {
            return None;
        }
        let series: Vec<Dispersion> = self.shots.chunks(SERIES_SHOTS).filter_map(Dispersion::of).collect();
        let judged: Vec<_> = (1..).zip(&series).filter(|(_, series)| series.shots >= FEWEST_SHOTS).collect();
        let [(first, before), .., (last, after)] = *judged.as_slice() else { return None };
        let moved = Position::new(after.centre.x_mm - before.centre.x_mm, after.centre.y_mm - before.centre.y_mm);
        let is_noticeable = moved.distance_mm(Position::CENTRE) >= noticeable_mm(self.rings);
        let is_real = chance::of_drift(before, after, &series) < SIGNIFICANCE;
        (is_noticeable && is_real).then_some(Drift { first, last, moved })
    }

    pub(super) fn judge_scores(&self, advice: &mut Advice) {
        if !self.series_have_an_order() {
            return;
        }
        let series: Vec<Scores> = self.shots.chunks(SERIES_SHOTS).map(Scores::of).collect();
        let full: Vec<_> = (1..).zip(&series).filter(|(_, series)| series.shots == SERIES_SHOTS).collect();
        let [(first, before), .., (last, after)] = *full.as_slice() else { return };
        let error = after.error_against(before);
        let change = after.mean - before.mean;
        if change.abs() <= SCORE_ERRORS * error || change.abs() < NOTICEABLE_RINGS {
            return;
        }
        let span = format!("from {:.1} in series {first} to {:.1} in series {last}", before.mean, after.mean);
        if change > 0.0 {
            advice.strengths.push(format!("Average scores rose {span}"));
        } else {
            advice.improvements.push(format!("Average scores fell {span}"));
            advice.next_steps.push("Rest longer between series, and stop a shot that does not settle".to_owned());
        }
    }

    /// Whether each series was seen before the next began. Shots that one frame shows first are numbered from the top
    /// down: a series cut out of them is a place on the target and not a time.
    fn series_have_an_order(&self) -> bool {
        let mut series = self.shots.chunks(SERIES_SHOTS).filter_map(|series| series.first().zip(series.last()));
        let Some((_, mut before)) = series.next() else { return false };
        series.all(|(first, last)| std::mem::replace(&mut before, last).first_frame < first.first_frame)
    }

    /// What to do next where nothing else was found, and how much these figures can say.
    pub(super) fn look_ahead(&self, advice: &mut Advice) {
        let Some([low, high]) = self.dispersion.sigma_interval_mm() else { return };
        let sigma = self.sigma_mm();
        if high > UNCERTAIN * low {
            advice.next_steps.push(format!(
                "Shoot 10 or more: after {} shots σ may be anything from {low:.1} to {high:.1} mm",
                self.group.len()
            ));
        } else if advice.next_steps.is_empty() {
            advice.next_steps.push(format!(
                "Nothing stands out beyond chance: a σ below {sigma:.1} mm (now {low:.1} to {high:.1}) raises the score"
            ));
        }
    }

    fn sigma_mm(&self) -> f64 {
        self.dispersion.sigma_mm().unwrap_or_default()
    }

    fn say_fliers(&self) -> String {
        let numbers: Vec<usize> = self.fliers.iter().map(|flier| flier + 1).collect();
        wording::shots(&numbers)
    }

    /// What the same shots would have scored, all of them moved by `step`; empty if it is no gain.
    fn gain_of(&self, step: Position) -> String {
        let moved = |shot: &Shot| Position::new(shot.position.x_mm + step.x_mm, shot.position.y_mm + step.y_mm);
        let then = self.shots.iter().fold(0, |total, shot| total + self.rings.score(moved(shot).radius_um()));
        let now = self.shots.iter().fold(0, |total, shot| total + shot.score);
        if then <= now {
            return String::new();
        }
        let points = |tenths: u32| format!("{}.{}", tenths / 10, tenths % 10);
        format!(": the same shots would then have scored {} instead of {}", points(then), points(now))
    }
}

/// How far the group's centre has moved between two series, which are numbered from 1.
struct Drift {
    first: usize,
    last: usize,
    moved: Position,
}

/// The scores of a series.
struct Scores {
    shots: usize,
    mean: f64,
    /// Sum of the squared deviations from the mean.
    squares: f64,
}

impl Scores {
    fn of(shots: &[Shot]) -> Self {
        let count = real(shots.len());
        let mean = shots.iter().map(|shot| shot.score.as_f64()).sum::<f64>() / count;
        let squares = shots.iter().map(|shot| (shot.score.as_f64() - mean).powi(2)).sum();
        Self { shots: shots.len(), mean, squares }
    }

    /// Standard error of the difference between two means.
    fn error_against(&self, other: &Self) -> f64 {
        let (a, b) = (real(self.shots), real(other.shots));
        ((self.squares + other.squares) / (a + b - 2.0) * (1.0 / a + 1.0 / b)).sqrt()
    }
}
