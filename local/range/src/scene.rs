//! A scene: a target, its holes and the camera before it, all of it from a seed.

use serde::{Deserialize, Serialize};
use shared::domain::{position::Position, target::TargetType};

use crate::{
    dice::{Dice, hash},
    view::View,
};

/// Smallest distance of separate holes, in calibres.
const SEPARATE_CALIBRES: f64 = 1.25;

/// Places that are tried for all shots together; a target that is too full for more has fewer holes.
const MOST_TRIES: usize = 20_000;

/// What lies behind the paper and is seen through its holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backing {
    /// Nothing near: the hole is nearly black.
    Dark,
    /// Cardboard, wood or paper.
    Light,
    /// Orange, green, red, yellow or blue, by the seed.
    Coloured,
}

impl Backing {
    pub const ALL: [Self; 3] = [Self::Dark, Self::Light, Self::Coloured];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Coloured => "coloured",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backing| backing.name() == name)
    }
}

/// What the camera looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    #[default]
    Target,
    /// A sheet without a bull.
    BarePaper,
    /// The wall alone.
    Wall,
    /// A covered lens: noise alone.
    Noise,
}

/// What a random scene has to have; what is `None` falls by the seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SceneSpec {
    pub width: u32,
    pub height: u32,
    pub shots: usize,
    /// Pairs of holes 0.5 to 1.0 calibre apart, among the shots.
    pub overlapping_pairs: usize,
    pub backing: Option<Backing>,
    pub tilt_deg: Option<f64>,
    pub subject: Subject,
}

impl Default for SceneSpec {
    fn default() -> Self {
        Self {
            width: 1920,
            height: 1080,
            shots: 10,
            overlapping_pairs: 0,
            backing: None,
            tilt_deg: None,
            subject: Subject::Target,
        }
    }
}

/// A hole in the paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlacedHole {
    pub position: Position,
    pub diameter_mm: f64,
    /// Shape of the hole.
    pub seed: u64,
    /// Counted in the truth, but never drawn: a shot that the camera does not see.
    pub hidden: bool,
}

/// Everything that is the same in each frame of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    pub target: TargetType,
    pub seed: u64,
    /// In the order in which they were fired.
    pub shots: Vec<PlacedHole>,
    pub view: View,
    pub backing: Backing,
    pub subject: Subject,
}

impl Scene {
    pub fn random(target: TargetType, seed: u64, spec: &SceneSpec) -> Self {
        let mut dice = stream(target, seed, 1);
        let backing = Backing::ALL[dice.index(Backing::ALL.len())];
        Self {
            target,
            seed,
            shots: place_shots(target, spec, &mut stream(target, seed, 2)),
            view: choose_view(target, spec, &mut stream(target, seed, 3)),
            backing: spec.backing.unwrap_or(backing),
            subject: spec.subject,
        }
    }

    /// The scene's random numbers for one purpose.
    pub(crate) fn stream(&self, purpose: u64) -> Dice {
        stream(self.target, self.seed, purpose)
    }
}

/// Two target types with one seed are two scenes that have nothing in common.
fn stream(target: TargetType, seed: u64, purpose: u64) -> Dice {
    let name = target.name().bytes().fold(0_u64, |sum, byte| hash(sum ^ u64::from(byte)));
    Dice::for_purpose(hash(seed) ^ name, purpose)
}

/// A group about a point of its own; one shot of three is placed on purpose: across the edge of the black, or far out.
fn place_shots(target: TargetType, spec: &SceneSpec, dice: &mut Dice) -> Vec<PlacedHole> {
    let rings = target.rings();
    let (outermost, calibre) = (rings.outermost_mm() / 2.0, rings.calibre_mm());
    let aim = (dice.normal() * 0.08 * outermost, dice.normal() * 0.08 * outermost);
    let mut sigma = outermost * dice.between(0.12, 0.3);
    let mut shots: Vec<PlacedHole> = Vec::with_capacity(spec.shots);
    let mut pairs = spec.overlapping_pairs;
    for _ in 0..MOST_TRIES {
        if shots.len() == spec.shots {
            break;
        }
        let left = spec.shots - shots.len();
        let paired = !shots.is_empty() && pairs > 0 && (left <= 2 * pairs || dice.chance(0.2));
        let position = if paired {
            partner(&shots, calibre, dice)
        } else if dice.chance(0.12) {
            on_edge_of_black(rings.black_mm() / 2.0, calibre, dice)
        } else {
            Position::new(aim.0 + sigma * dice.normal(), aim.1 + sigma * dice.normal())
        };
        let crowded = |other: &PlacedHole| other.position.distance_mm(position) < SEPARATE_CALIBRES * calibre;
        let neighbours = shots.iter().filter(|other| crowded(other)).count();
        if position.distance_mm(Position::CENTRE) > outermost || neighbours != usize::from(paired) {
            sigma = (sigma * 1.02).min(outermost * 0.45);
            continue;
        }
        pairs -= usize::from(paired);
        let diameter_mm = calibre * dice.between(0.7, 1.1);
        shots.push(PlacedHole { position, diameter_mm, seed: dice.seed(), hidden: false });
    }
    shots
}

fn partner(shots: &[PlacedHole], calibre: f64, dice: &mut Dice) -> Position {
    let first = shots[dice.index(shots.len())].position;
    let distance = calibre * dice.between(0.5, 1.0);
    let (sin, cos) = dice.angle().sin_cos();
    Position::new(first.x_mm + distance * cos, first.y_mm + distance * sin)
}

fn on_edge_of_black(radius: f64, calibre: f64, dice: &mut Dice) -> Position {
    let (sin, cos) = dice.angle().sin_cos();
    let radius = radius + calibre * dice.between(-0.5, 0.5);
    Position::new(radius * cos, radius * sin)
}

/// The target fills most of the frame and lies wholly within it.
fn choose_view(target: TargetType, spec: &SceneSpec, dice: &mut Dice) -> View {
    let (width, height) = (f64::from(spec.width), f64::from(spec.height));
    let side = width.min(height);
    let outermost = target.rings().outermost_mm();
    let tilt_deg = dice.between(0.0, 20.0);
    let mut view = View {
        width: spec.width,
        height: spec.height,
        pixels_per_mm: side * dice.between(0.78, 0.97) / outermost,
        focal_px: height * dice.between(1.3, 3.5),
        tilt_deg: spec.tilt_deg.unwrap_or(tilt_deg),
        tilt_axis_deg: dice.between(0.0, 360.0),
        roll_deg: dice.between(-3.0, 3.0),
        centre_px: (0.0, 0.0),
    };
    let free = |size: f64, scale: f64| ((size - outermost * scale) / 2.0).max(0.0);
    let (across, down) = (dice.between(-0.7, 0.7), dice.between(-0.7, 0.7));
    loop {
        view.centre_px = (
            width / 2.0 + across * free(width, view.pixels_per_mm),
            height / 2.0 + down * free(height, view.pixels_per_mm),
        );
        let (left, top, right, bottom) = view.projection().disc_px(Position::CENTRE, outermost / 2.0);
        let margin = side * 0.015;
        if left > margin && top > margin && right < width - margin && bottom < height - margin {
            return view;
        }
        view.pixels_per_mm *= 0.98;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shots_are_apart_unless_pairs_are_asked_for() {
        for target in TargetType::ALL {
            for pairs in 0..3 {
                let spec = SceneSpec { overlapping_pairs: pairs, ..SceneSpec::default() };
                let scene = Scene::random(target, 11, &spec);
                let calibre = target.rings().calibre_mm();
                let close =
                    |i: usize, j: usize| scene.shots[i].position.distance_mm(scene.shots[j].position) < 1.2 * calibre;
                let found = (0..10).flat_map(|i| (0..i).map(move |j| (i, j))).filter(|&(i, j)| close(i, j)).count();
                assert_eq!(found, pairs, "{target:?}");
            }
        }
    }

    #[test]
    fn every_target_lies_within_its_frame() {
        for seed in 0..200 {
            let scene = Scene::random(TargetType::Standard, seed, &SceneSpec::default());
            let (left, top, right, bottom) = scene.view.projection().disc_px(Position::CENTRE, 250.0);
            assert!(left > 0.0 && top > 0.0 && right < 1920.0 && bottom < 1080.0, "seed {seed}");
            assert!((bottom - top) > 500.0, "seed {seed}: fills most of the height");
        }
    }

    #[test]
    fn fewer_shots_are_the_first_of_more() {
        let scene = |shots| Scene::random(TargetType::AirPistol10m, 5, &SceneSpec { shots, ..SceneSpec::default() });
        assert_eq!(scene(3).shots, scene(8).shots[..3]);
    }
}
