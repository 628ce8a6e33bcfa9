//! The steps as they are taken, how long each took, and what they come to.

use std::time::{Duration, Instant};

use super::Failure;

/// The name of the longest step, and some room.
const WIDTH: usize = 34;

pub struct Report {
    started: Instant,
    passed: usize,
    failed: Vec<String>,
    skipped: usize,
}

impl Default for Report {
    fn default() -> Self {
        Self { started: Instant::now(), passed: 0, failed: Vec::new(), skipped: 0 }
    }
}

impl Report {
    /// Takes a step and prints it. What it gives goes on to the next one: none where it failed, and then what builds on
    /// it is not tried.
    pub async fn step<T>(&mut self, name: &str, work: impl Future<Output = Result<(T, String), Failure>>) -> Option<T> {
        let started = Instant::now();
        let outcome = work.await;
        let took = millis(started.elapsed());
        match outcome {
            Ok((value, found)) => {
                self.passed += 1;
                println!("✓ {name:WIDTH$} {took:>7} ms  {found}");
                Some(value)
            }
            Err(error) => {
                self.failed.push(name.to_owned());
                println!("✗ {name:WIDTH$} {took:>7} ms  {error}");
                None
            }
        }
    }

    /// What can't be tried, and why.
    pub fn skip(&mut self, name: &str, why: &str) {
        self.skipped += 1;
        println!("– {name:WIDTH$}             {why}");
    }

    /// Prints the verdict; whether it is a good one.
    pub fn verdict(&self, address: &str) -> bool {
        let seconds = self.started.elapsed().as_secs_f64();
        let skipped = if self.skipped == 0 { String::new() } else { format!(", {} not tried", self.skipped) };
        println!();
        if self.failed.is_empty() {
            println!("✓ {address} works: {} steps in {seconds:.1} s{skipped}", self.passed);
        } else {
            let failed = self.failed.join(", ");
            println!("✗ {address} does not work: {failed} ({} steps passed{skipped})", self.passed);
        }
        self.failed.is_empty()
    }
}

fn millis(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64() * 1e3)
}

/// Fails with what is wrong unless it holds.
pub fn expect(holds: bool, fault: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(fault().into()) }
}
