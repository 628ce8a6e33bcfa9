//! The built-in detector: finds the target and the holes in a frame, without a model and without training.
//!
//! 1. `locate`: the black is a dark ellipse (`aiming_mark`, `ellipse`); the printed rings give the plane with its tilt and
//!    perspective (`rings`, `plane`), the ring numbers say where up is (`roll`). No rings, no target.
//! 2. `sheet`: the target is laid flat, at a scale that suits a calibre.
//! 3. `deviation`: what is expected at every place is taken off: light and shade (`backdrop`), lines (`lines`), later
//!    the ring numbers (`numerals`). What is left is measured in standard deviations, over brightness and tint, so that
//!    it does not matter whether paper, print, wall or pellet catch shows through a hole.
//! 4. `holes`: three ways of looking propose connected places (`spots`): what deviates, what is darker than the black about
//!    it, and what has the colour of the surest holes. They are covered with discs of about a calibre (`solid`, `discs`);
//!    each disc is judged by what speaks for it (`judge`, `weights`), and what was seen twice counts once (`candidates`).
//!
//! All of it is arithmetic on one frame: no state, no randomness, the same answer every time.

use shared::domain::{frame::DecodedFrame, position::Position, target::TargetType};

mod aiming_mark;
mod backdrop;
mod candidates;
mod colour;
mod deviation;
mod discs;
mod ellipse;
mod holes;
mod judge;
mod linear;
mod lines;
mod locate;
mod noise;
mod numerals;
mod plane;
mod print;
mod pyramid;
mod rings;
mod roll;
mod sheet;
mod solid;
mod spots;
mod weights;

pub use locate::locate;
pub use plane::Plane;

/// What the detector found in a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// `None`: no target of the type is in the frame; then there are no holes either.
    pub target: Option<LocatedTarget>,
    /// Most certain first.
    pub holes: Vec<Hole>,
}

/// Where the target is in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocatedTarget {
    /// The picture of the target's centre, in pixels of the upright picture.
    pub centre_px: (f64, f64),
    /// Pixels per millimetre about the centre.
    pub pixels_per_mm: f64,
    /// 0 to 1: how much of the black's edge and of the rings is where it should be.
    pub confidence: f64,
    pub plane: Plane,
}

/// One hole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hole {
    /// The bullet's centre on the target.
    pub position: Position,
    /// Middle and size of the box about the hole in the upright picture.
    pub x_px: f64,
    pub y_px: f64,
    pub width_px: f64,
    pub height_px: f64,
    /// 0 to 1.
    pub confidence: f64,
}

/// Finds the target and the holes in it. Position axes run through the ring numbers where these are seen, else upright
/// in the picture.
pub fn detect(frame: &DecodedFrame, target_type: TargetType) -> Detection {
    let pyramid = pyramid::Pyramid::new(&frame.luma, locate::SEARCH_PX);
    let Some(target) = locate::locate_in(&pyramid, target_type) else {
        return Detection { target: None, holes: Vec::new() };
    };
    let sheet = sheet::Sheet::new(frame, &pyramid, &target.plane, target_type);
    let residual = deviation::Residual::new(&sheet, target_type);
    let holes = holes::holes(&sheet, &residual, &target.plane, target_type);
    Detection { target: Some(target), holes }
}

#[cfg(test)]
mod tests;
