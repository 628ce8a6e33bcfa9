//! What an instance remembers of its callers' windows: of the shared ones what it was last told, or, where it counts
//! alone, the whole count.

use std::collections::HashMap;

use super::window::{Counts, Moment};

/// Most callers that are remembered at once; some 150 bytes each.
const CAPACITY: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Seen {
    window: u64,
    /// None until the count of the window before was read.
    previous: Option<u64>,
    current: u64,
}

/// Counts by caller and route. What is older than the window before is dropped when the window turns.
#[derive(Debug, Default)]
pub struct Memory {
    window: u64,
    seen: HashMap<String, Seen>,
}

impl Memory {
    /// What was learnt of a caller in this window: the count of the window before, if it was read, and the highest
    /// count of this one.
    pub fn recall(&mut self, name: &str, at: Moment) -> (Option<u64>, u64) {
        self.turn(at);
        let seen = self.seen.get(name).filter(|seen| seen.window == at.window);
        seen.map_or((None, 0), |seen| (seen.previous, seen.current))
    }

    /// Keeps what a shared window came to. Answers may arrive out of order: the highest count is the newest.
    pub fn learn(&mut self, name: &str, at: Moment, previous: Option<u64>, current: u64) {
        let seen = self.entry(name, at);
        if seen.window < at.window {
            *seen = Seen { window: at.window, previous, current };
        } else if seen.window == at.window {
            seen.previous = previous.or(seen.previous);
            seen.current = seen.current.max(current);
        }
    }

    /// What was counted here alone.
    pub fn counts(&mut self, name: &str, at: Moment) -> Counts {
        self.turn(at);
        self.seen.get(name).map_or_else(Counts::default, |seen| seen.counts(at))
    }

    /// Counts a request here alone.
    pub fn add_one(&mut self, name: &str, at: Moment) -> Counts {
        let seen = self.entry(name, at);
        let counts = seen.counts(at);
        *seen = Seen { window: at.window, previous: Some(counts.previous), current: counts.current + 1 };
        seen.counts(at)
    }

    fn entry(&mut self, name: &str, at: Moment) -> &mut Seen {
        self.turn(at);
        if self.seen.len() >= CAPACITY && !self.seen.contains_key(name) {
            self.forget_the_light();
        }
        self.seen.entry(name.to_owned()).or_insert(Seen { window: at.window, previous: None, current: 0 })
    }

    fn turn(&mut self, at: Moment) {
        if at.window > self.window {
            self.window = at.window;
            self.seen.retain(|_, seen| seen.window + 1 >= at.window);
        }
    }

    /// Makes room. Who called most is who a limiter must not forget.
    fn forget_the_light(&mut self) {
        let mut heaviest_forgotten = 1;
        while self.seen.len() > CAPACITY / 2 {
            self.seen.retain(|_, seen| seen.current > heaviest_forgotten);
            heaviest_forgotten *= 2;
        }
    }
}

impl Seen {
    fn counts(&self, at: Moment) -> Counts {
        if self.window == at.window {
            Counts { previous: self.previous.unwrap_or_default(), current: self.current }
        } else if self.window + 1 == at.window {
            Counts { previous: self.current, current: 0 }
        } else {
            Counts::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(window: u32) -> Moment {
        Moment::at(chrono::DateTime::from_timestamp(i64::from(window) * 60, 0).unwrap())
    }

    #[test]
    fn a_window_that_has_turned_is_the_previous_one_and_then_nothing() {
        let mut memory = Memory::default();
        for _ in 0..3 {
            memory.add_one("caller", minute(10));
        }
        assert_eq!(memory.add_one("caller", minute(11)), Counts { previous: 3, current: 1 });
        assert_eq!(memory.counts("caller", minute(13)), Counts::default());
        assert!(memory.seen.is_empty());
    }

    #[test]
    fn what_was_told_of_a_shared_window_never_becomes_the_next_ones_previous() {
        let mut memory = Memory::default();
        memory.learn("caller", minute(10), Some(7), 5);
        memory.learn("caller", minute(10), None, 4);
        assert_eq!(memory.recall("caller", minute(10)), (Some(7), 5));
        assert_eq!(memory.recall("caller", minute(11)), (None, 0));
        memory.learn("caller", minute(11), None, 1);
        memory.learn("caller", minute(10), Some(7), 6);
        assert_eq!(memory.recall("caller", minute(11)), (None, 1), "an answer that comes late changes nothing");
    }

    #[test]
    fn a_flood_of_callers_is_forgotten_before_the_one_who_called_most() {
        let mut memory = Memory::default();
        for _ in 0..50 {
            memory.add_one("heavy", minute(10));
        }
        for caller in 0..3 * CAPACITY {
            memory.add_one(&caller.to_string(), minute(10));
        }
        assert!(memory.seen.len() <= CAPACITY);
        assert_eq!(memory.counts("heavy", minute(10)).current, 50);
    }
}
