//! The faults in force: which of them hits a call, and how often each has.

use std::time::Duration;

use super::dice::{Dice, Tally, Throw};
use super::{Call, Fault, FaultAction, Front};

/// A fault in force. It stays when the handle goes.
#[derive(Debug, Clone)]
pub struct FaultHandle {
    pub(super) front: Front,
    pub(super) id: u64,
    pub(super) tally: Tally,
}

impl FaultHandle {
    /// How many calls it has hit; known after its removal too.
    pub fn hits(&self) -> usize {
        self.tally.hits()
    }

    /// How many calls it was drawn for, hit or not.
    pub fn matched(&self) -> usize {
        self.tally.matched()
    }

    /// Ends this fault alone. Calls that it has hit already still meet it.
    pub fn remove(&self) {
        self.front.remove_fault(self.id);
    }
}

/// What a call meets.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub action: FaultAction,
    /// Of the way from a delay's shortest time to its longest.
    part: f64,
}

impl Hit {
    pub fn pause(&self, min: Duration, max: Duration) -> Duration {
        min + max.saturating_sub(min).mul_f64(self.part)
    }
}

#[derive(Debug, Default)]
pub struct Faults {
    injected: Vec<Injected>,
    /// Of the next one.
    id: u64,
}

#[derive(Debug)]
struct Injected {
    id: u64,
    fault: Fault,
    dice: Dice,
    tally: Tally,
}

impl Faults {
    pub fn add(&mut self, fault: Fault) -> (u64, Tally) {
        let (id, tally) = (self.id, Tally::default());
        self.id += 1;
        let dice = Dice::new(fault.chance, &format!("{:?} {:?}", fault.action, fault.selection));
        self.injected.push(Injected { id, fault, dice, tally: tally.clone() });
        (id, tally)
    }

    pub fn remove(&mut self, id: u64) {
        self.injected.retain(|injected| injected.id != id);
    }

    pub fn clear(&mut self) {
        self.injected.clear();
    }

    /// The oldest fault that matches and is drawn. All that match are drawn for, so that what one of them hits does not
    /// depend on the others.
    pub fn take(&mut self, call: &Call) -> Option<Hit> {
        let mut hit = None;
        for injected in self.injected.iter_mut().filter(|injected| injected.matches(call)) {
            let throw = injected.throw();
            if hit.is_none() && throw.hit {
                hit = Some(injected.hit(throw));
            }
        }
        hit
    }
}

impl Injected {
    fn matches(&self, call: &Call) -> bool {
        self.fault.times.is_none_or(|times| self.tally.hits() < times) && self.fault.selection.matches(call)
    }

    fn throw(&mut self) -> Throw {
        self.tally.count_match();
        self.dice.throw()
    }

    fn hit(&self, throw: Throw) -> Hit {
        self.tally.count_hit();
        Hit { action: self.fault.action.clone(), part: throw.part }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::Service;
    use crate::front::calls::tests::call;

    fn hits(faults: &mut Faults, count: usize) -> Vec<Option<FaultAction>> {
        (0..count).map(|_| faults.take(&call("a", "GetItem")).map(|hit| hit.action)).collect()
    }

    #[test]
    fn a_fault_hits_only_what_it_names_and_only_so_often() {
        let mut faults = Faults::default();
        faults.add(Fault::throttle().function("a").operation("GetItem").resource("t").times(2));
        let calls = [("b", "GetItem"), ("a", "PutItem"), ("a", "GetItem"), ("a", "GetItem"), ("a", "GetItem")];
        let hits = calls.map(|(function, operation)| faults.take(&call(function, operation)).is_some());
        assert_eq!(hits, [false, false, true, true, false]);
    }

    #[test]
    fn a_conflict_hits_the_writes_of_its_kind() {
        for (fault, expected) in [
            (Fault::transaction_conflict(), &["TransactWriteItems"][..]),
            (Fault::write_conflict(), &["PutItem", "UpdateItem", "DeleteItem"]),
            (Fault::write_conflict().operation("PutItem"), &["PutItem"]),
        ] {
            let mut faults = Faults::default();
            faults.add(fault);
            let all = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem", "GetItem"];
            let hit: Vec<_> = all.into_iter().filter(|name| faults.take(&call("a", name)).is_some()).collect();
            assert_eq!(hit, expected);
        }
    }

    #[test]
    fn a_fault_without_a_share_hits_every_call_and_one_with_a_share_counts_its_hits() {
        let mut faults = Faults::default();
        let (_, rare) = faults.add(Fault::drop_connection().rate(0.2).seed(3));
        let (_, rest) = faults.add(Fault::internal_error());
        let dropped = hits(&mut faults, 500).into_iter().filter(|hit| *hit == Some(FaultAction::Drop)).count();
        assert!((60..140).contains(&dropped), "{dropped}");
        assert_eq!((rare.hits(), rest.hits()), (dropped, 500 - dropped));
        assert_eq!((rare.matched(), rest.matched()), (500, 500));
    }

    #[test]
    fn what_a_fault_hits_depends_on_its_seed_and_on_no_other_fault() {
        let lose = || Fault::lose_answer().rate(0.3).seed(11);
        let alone = {
            let mut faults = Faults::default();
            faults.add(lose());
            hits(&mut faults, 200)
        };
        let mut faults = Faults::default();
        faults.add(Fault::drop_connection().rate(0.3).seed(11));
        faults.add(lose());
        let together = hits(&mut faults, 200);
        let mut both = 0;
        for (alone, together) in alone.iter().zip(&together) {
            match together {
                Some(FaultAction::Drop) => both += usize::from(alone.is_some()),
                _ => assert_eq!(alone, together),
            }
        }
        assert!(both > 0 && together.contains(&Some(FaultAction::LoseAnswer)));
    }

    #[test]
    fn times_counts_hits_where_there_is_a_share() {
        let mut faults = Faults::default();
        let (_, tally) = faults.add(Fault::internal_error().rate(0.1).seed(5).times(3));
        assert_eq!(hits(&mut faults, 500).into_iter().flatten().count(), 3);
        assert!(tally.matched() > 3);
    }

    #[test]
    fn a_delay_is_drawn_between_its_limits_and_again_the_same() {
        let (min, max) = (Duration::from_millis(10), Duration::from_millis(20));
        let pauses = || -> Vec<Duration> {
            let mut faults = Faults::default();
            faults.add(Fault::delay_between(min, max).seed(1));
            (0..100).map(|_| faults.take(&call("a", "GetItem")).unwrap().pause(min, max)).collect()
        };
        let drawn = pauses();
        assert!(drawn.iter().all(|pause| (min..max).contains(pause)));
        assert!(drawn.iter().any(|pause| *pause < min * 5 / 4) && drawn.iter().any(|pause| *pause > max * 3 / 4));
        assert_eq!(drawn, pauses());
        let hit = Hit { action: FaultAction::Drop, part: 0.7 };
        assert_eq!((hit.pause(max, max), hit.pause(max, min)), (max, max));
    }

    #[test]
    fn one_fault_is_removed_and_the_others_stay() {
        let mut faults = Faults::default();
        let (first, tally) = faults.add(Fault::internal_error().service(Service::DynamoDb));
        faults.add(Fault::drop_connection());
        assert!(matches!(hits(&mut faults, 1)[0], Some(FaultAction::Refuse { .. })));
        faults.remove(first);
        assert_eq!((hits(&mut faults, 1), tally.hits()), (vec![Some(FaultAction::Drop)], 1));
        faults.clear();
        assert_eq!(hits(&mut faults, 1), [None]);
    }
}
