//! The figures of the score. Chosen together, so that:
//!
//! - what its own payload contradicts stays below 75 though all else is perfect: 0.3 ^ 0.30 = 0.70;
//! - what was entered by hand stays below 60 though all else is perfect: 0.1 ^ 0.25 = 0.56 ([`super::sources`]);
//! - a full night or day of a known device is excellent for some hours, also where its samples were hardly sent along,
//!   or the user is new: a device's own summary comes from samples that it keeps to itself;
//! - a few fields without samples are good or fair; the day after, a day's value is still good.

/// Fields missing say little about those that are there.
pub(super) const COMPLETENESS: f64 = 0.20;
pub(super) const FRESHNESS: f64 = 0.15;
/// A device that measures is what separates a measurement from a claim.
pub(super) const SOURCE: f64 = 0.25;
/// The strongest: it is the value itself that speaks.
pub(super) const PLAUSIBILITY: f64 = 0.30;
/// The weakest: most providers send far fewer samples than they have.
pub(super) const SUFFICIENCY: f64 = 0.10;

/// Completeness without any of the expected fields: the one value that came is still there.
pub(super) const NO_FIELDS: f64 = 0.4;
/// Factor of completeness where no samples cover anything, or none were sent: a summary was made of all of them.
pub(super) const NO_COVERAGE: f64 = 0.9;

/// Sufficiency of a summary without samples: what it was made of is not known.
pub(super) const NO_SAMPLES: f64 = 0.7;
/// Sufficiency of a single sample: the device shows that it does measure what it sums up.
pub(super) const ONE_SAMPLE: f64 = 0.85;

/// Factor of plausibility for each thing in the payload that speaks against the value.
pub(super) const CONTRADICTED: f64 = 0.3;
