use proptest::prelude::*;

use super::*;

fn at(seconds: f64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

fn shared(phase: Phase) -> Shared {
    Shared { phase, epoch: 4 }
}

fn wait(seconds: f64) -> Entry {
    Entry::Refused { retry_after: Duration::from_secs_f64(seconds) }
}

#[test]
fn who_may_enter() {
    let half_open =
        |successes, probe_until: Option<f64>| Phase::HalfOpen { successes, probe_until: probe_until.map(at) };
    let probe = |successes, now: f64| Entry::Probe(Shared { phase: half_open(successes, Some(now + 15.0)), epoch: 5 });
    for (phase, now, expected) in [
        (Phase::Closed, 0.0, Entry::Free),
        (Phase::Open { since: at(0.0) }, 0.0, wait(30.0)),
        (Phase::Open { since: at(0.0) }, 29.9, wait(0.1)),
        (Phase::Open { since: at(0.0) }, 30.0, probe(0, 30.0)),
        (half_open(0, Some(45.0)), 31.0, wait(1.0)),
        (half_open(0, Some(45.0)), 44.5, wait(0.5)),
        (half_open(1, Some(45.0)), 45.0, probe(1, 45.0)),
        (half_open(2, None), 31.0, probe(2, 31.0)),
    ] {
        assert_eq!(shared(phase).entry(at(now)), expected, "{phase:?} at {now}");
    }
}

#[test]
fn three_probes_that_succeed_close_it_and_one_that_fails_opens_it_again() {
    let mut state = shared(Phase::Open { since: at(0.0) });
    for (n, expected) in [(1, "half_open"), (2, "half_open"), (3, "closed")] {
        let Entry::Probe(probing) = state.entry(at(30.0 + f64::from(n))) else { panic!("room for probe {n}") };
        assert_eq!(probing.opened(at(50.0)).entry(at(79.0)), wait(1.0), "a probe that fails");
        state = probing.after_success();
        assert_eq!(state.phase.name(), expected, "after probe {n}");
    }
    assert_eq!(state, Shared { phase: Phase::Closed, epoch: 10 });
}

proptest! {
    /// Whatever several instances do in whatever order, each knowing a state that may be old: a write on condition of
    /// the epoch lets one probe at a time through, and no call in the 30 s after the breaker opened.
    #[test]
    fn at_most_one_probe_is_under_way(steps in prop::collection::vec((0usize..3, 0u8..5, 0i64..8000), 1..200)) {
        let mut table = shared(Phase::Open { since: at(0.0) });
        let mut seen = [table; 3];
        let mut probes: [Option<(Shared, DateTime<Utc>)>; 3] = [None; 3];
        let mut now = at(0.0);
        let write = |table: &mut Shared, from: Shared, next: Shared| {
            let won = table.epoch == from.epoch;
            if won { *table = next; }
            won
        };
        for (instance, action, millis) in steps {
            now += TimeDelta::milliseconds(millis);
            match (action, probes[instance]) {
                (0, _) => seen[instance] = table,
                (1 | 2, None) => if let Entry::Probe(next) = seen[instance].entry(now) {
                    if write(&mut table, seen[instance], next) {
                        if let Phase::Open { since } = seen[instance].phase { prop_assert!(now >= since + OPEN_FOR); }
                        let others = probes.iter().flatten().filter(|(_, until)| now < *until).count();
                        prop_assert_eq!(others, 0, "another probe is under way");
                        probes[instance] = Some((next, now + PROBE_FOR));
                    }
                    seen[instance] = table;
                },
                (3, Some((probe, _))) => { write(&mut table, probe, probe.after_success()); probes[instance] = None; }
                (4, Some((probe, _))) => { write(&mut table, probe, probe.opened(now)); probes[instance] = None; }
                // Dropped: nobody hears of it.
                (1, Some(_)) => probes[instance] = None,
                _ => {}
            }
            // What was dropped or ran on still holds its place until it expires; what reported has left it.
            if table.phase == Phase::Closed { table = table.opened(now); }
        }
    }
}
