use super::*;

#[test]
fn a_wait_is_told_in_whole_seconds_that_suffice() {
    for (millis, seconds) in [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (60_000, 60)] {
        assert_eq!(whole_seconds(Duration::from_millis(millis)), Duration::from_secs(seconds));
    }
}

#[test]
fn a_verdict_says_what_is_left() {
    let at = Moment::at("2026-03-04T05:06:20Z".parse().unwrap());
    let limit = Limit::verdict(Preset::Standard, Counts { previous: 0, current: 30 }, at);
    assert_eq!((limit.policy, limit.quota, limit.remaining), ("standard", 100, 70));
    assert_eq!((limit.reset, limit.denied), (Duration::from_secs(40), None));
    let limit = Limit::verdict(Preset::Standard, Counts { previous: 0, current: 101 }, at);
    assert_eq!((limit.remaining, limit.reset, limit.denied), (0, limit.reset, Some(Duration::from_secs(40))));
}
