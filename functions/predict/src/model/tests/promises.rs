//! What holds for every history.

use proptest::prelude::*;

use super::*;

fn reading() -> impl Strategy<Value = ([f64; 3], [f64; 14])> {
    let wild = prop_oneof![4 => -1e4..1e4_f64, 1 => any::<f64>().prop_filter("finite", |number| number.is_finite())];
    (prop::array::uniform3(wild.clone()), prop::array::uniform14(wild))
}

fn promised(estimate: &Estimate) -> Result<(), TestCaseError> {
    prop_assert!(0.0 <= estimate.low && estimate.low <= estimate.rul && estimate.rul <= CAP, "{estimate:?}");
    prop_assert!(estimate.high.is_none_or(|high| estimate.rul <= high && high < CAP), "{estimate:?}");
    prop_assert!((0.0..=1.0).contains(&estimate.confidence), "{estimate:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_finite_history_has_an_ordered_answer(
        rows in prop::collection::vec((1..50_u32, reading()), 1..60),
    ) {
        let mut cycle = 0;
        let readings: Vec<Reading> = rows
            .into_iter()
            .map(|(step, (settings, sensors))| {
                cycle += step;
                Reading { cycle, settings, sensors }
            })
            .collect();
        promised(&estimate(&readings))?;
    }

    #[test]
    fn a_simulated_history_has_an_ordered_answer_wherever_it_is_cut(seed in 0..1_000_u64, len in 1..360_usize) {
        promised(&estimate(&cut(seed, Conditions::Six, len)))?;
    }

    #[test]
    fn a_further_warning_never_raises_confidence(doubts in prop::collection::vec(0.0..=1.0_f64, 0..8), rul in 0.0..=CAP) {
        let residuals = &model().unwrap().residuals;
        let (mut sure, mut before) = (1.0, f64::INFINITY);
        for doubt in doubts {
            sure *= 1.0 - doubt;
            let confidence = Interval::about(rul, 1.0 - sure, residuals).confidence(1.0 - sure);
            prop_assert!(confidence <= before);
            before = confidence;
        }
    }
}
