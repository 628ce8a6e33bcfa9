//! What the kernel says of the stack's process and the worker's: time on the processors, and memory.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

/// Of `utime` and `stime` in `/proc/<pid>/stat`: `USER_HZ`, 100 on every platform that Linux runs on today.
const TICKS_A_SECOND: f64 = 100.0;

/// Seconds of processor time so far, and memory at the moment.
#[derive(Debug, Default)]
pub struct Usage {
    /// Gateway, queue, database and bucket: this process.
    stack: f64,
    /// By process.
    workers: BTreeMap<u32, Worker>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Worker {
    seconds: f64,
    resident_mb: f64,
    peak_mb: f64,
}

impl Usage {
    /// Of this process and of those that run the binary for it.
    pub fn now(binary: &Path) -> Self {
        let own = std::process::id();
        let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let is_worker = |id: &u32| {
            fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|exe| exe == binary) && parent(*id) == Some(own)
        };
        let workers = ids.filter(is_worker).filter_map(|id| Some((id, Worker::of(id)?))).collect();
        Self { stack: seconds(own).unwrap(), workers }
    }

    /// What came about since then.
    pub fn since(self, before: Self) -> Self {
        let spent = |(id, worker): (u32, Worker)| {
            let earlier = before.workers.get(&id).copied().unwrap_or_default();
            (id, Worker { seconds: worker.seconds - earlier.seconds, ..worker })
        };
        Self { stack: self.stack - before.stack, workers: self.workers.into_iter().map(spent).collect() }
    }

    pub fn print(&self, elapsed: Duration) {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let all = elapsed.as_secs_f64() * processors as f64;
        let share = |seconds: f64| format!("{seconds:.2} s, {:.0} %", 100.0 * seconds / all);
        let workers: f64 = self.workers.values().map(|worker| worker.seconds).sum();
        println!(
            "processors ({processors})  stack {}   workers {}   others and idle {}",
            share(self.stack),
            share(workers),
            share((all - self.stack - workers).max(0.0))
        );
        let largest = |of: fn(&Worker) -> f64| self.workers.values().map(of).fold(0.0, f64::max);
        println!(
            "workers         {} instances, the largest {:.1} MB resident, {:.1} MB at its peak",
            self.workers.len(),
            largest(|worker| worker.resident_mb),
            largest(|worker| worker.peak_mb)
        );
    }
}

impl Worker {
    fn of(id: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
        };
        Some(Self { seconds: seconds(id)?, resident_mb: megabytes("VmRSS:")?, peak_mb: megabytes("VmHWM:")? })
    }
}

fn parent(id: u32) -> Option<u32> {
    stat(id)?.get(1)?.parse().ok()
}

/// In user and kernel mode.
fn seconds(id: u32) -> Option<f64> {
    let stat = stat(id)?;
    let ticks: f64 = stat.get(11..13)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum();
    Some(ticks / TICKS_A_SECOND)
}

/// The fields after the name, which may hold anything: the first is the state.
fn stat(id: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}
