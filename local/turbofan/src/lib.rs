//! Simulates turbofan engines that wear until they fail, read by the sensors of C-MAPSS (Saxena et al. 2008, "Damage
//! propagation modeling for aircraft engine run-to-failure simulation").
//!
//! An [`Engine`] has a life, a part that wears out and [`Conditions`] it flies in; [`Engine::readings`] are those of all
//! its cycles. The same seeds give the same readings. It stands in for data that the project does not hold: it is
//! built on the published shape of the damage and on rounded statistics, and knows nothing of the model that it tests.

mod conditions;
mod dice;
mod engine;
mod sensors;

pub use conditions::Conditions;
pub use engine::{Engine, Part};
pub use shared::domain::engine::Reading;

#[cfg(test)]
mod tests;
