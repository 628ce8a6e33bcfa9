mod golden;
mod histories;
mod promises;

use aws_lc_rs::digest::{SHA256, digest};
use turbofan::{Conditions, Engine, Reading};

use super::artefact::Artefact;
use super::*;

/// A simulated engine's readings, cut after `len`.
fn cut(seed: u64, conditions: Conditions, len: usize) -> Vec<Reading> {
    let mut readings = Engine::new(seed, conditions).readings();
    readings.truncate(len);
    readings
}

#[test]
fn the_version_is_the_beginning_of_the_artefact_s_digest() {
    let digest = digest(&SHA256, ARTEFACT);
    let digits: String = digest.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(version(), format!("builtin-{digits}"));
}

#[test]
fn the_artefact_is_read_as_it_is_written() {
    let artefact = model().unwrap();
    assert_eq!(artefact.to_bytes(), ARTEFACT);
    assert!(ARTEFACT.len() <= 3_000_000);
}

#[test]
fn a_broken_artefact_is_no_model() {
    for len in [0, 7, 8, 19, 20, 5_000, ARTEFACT.len() - 1] {
        assert!(Artefact::from_bytes(&ARTEFACT[..len]).is_none(), "{len}");
    }
    let mut longer = ARTEFACT.to_vec();
    longer.push(0);
    assert!(Artefact::from_bytes(&longer).is_none());
    let mut other = ARTEFACT.to_vec();
    other[8..20].fill(0xff);
    assert!(Artefact::from_bytes(&other).is_none());
}
