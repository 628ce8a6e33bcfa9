//! Renders photograph-like frames of ISSF targets with holes at known places.
//!
//! A [`Scene`] is a target with its shots and a camera; [`Scene::frame`] paints what the camera sees. The same seeds
//! give the same bytes. The renderer knows nothing of the detector that it tests: they share the ring table only.

mod backdrop;
mod canvas;
mod dice;
mod digits;
mod frame;
mod hole;
mod light;
mod paint_holes;
mod print;
mod scene;
mod sensor;
mod sheet;
mod texture;
mod view;

pub use frame::{RenderedFrame, TrueHole};
pub use scene::{Backing, PlacedHole, Scene, SceneSpec, Subject};
pub use shared::domain::{position::Position, target::TargetType};
pub use view::{Projection, View};

#[cfg(test)]
mod tests;
