//! `cargo bench-functions`: size, init time and resident memory of each release binary, against one that does nothing; and
//! what a fleet of engines takes.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that fails says why and ends")]

mod fleet;
mod init;
mod memory;
mod user;

use std::{path::PathBuf, process::Command};

/// The functions, and what they are measured against.
const FUNCTIONS: [&str; 14] = [
    "health-check",
    "start-session",
    "camera-proxy",
    "analyze-frame",
    "end-session",
    "webhook-terra",
    "job-worker",
    "latest-metrics",
    "dead-jobs",
    "retry-jobs",
    "recalculate-metrics",
    "predict",
    "engines",
    "fleet",
];
const NOTHING: &str = "nothing";

#[tokio::main]
async fn main() {
    let binaries = build();
    let mut rows = Vec::new();
    for name in [NOTHING].into_iter().chain(FUNCTIONS) {
        let binary = if name == NOTHING { binaries.join("examples/nothing") } else { binaries.join(name) };
        let size = std::fs::metadata(&binary).unwrap().len();
        rows.push((name, size, init::median(&binary).await));
    }
    let nothing = rows[0].2;
    let memory = memory::resident(&binaries).await;
    println!(
        "{:<19} {:>9} {:>9} {:>7} {:>12} {:>10} {:>9}",
        "function", "binary", "init", "ratio", "resident", "peak", "requests"
    );
    for (name, size, init) in rows {
        let mb = size as f64 / 1e6;
        let ms = init.as_secs_f64() * 1e3;
        let ratio = init.as_secs_f64() / nothing.as_secs_f64();
        print!("{name:<19} {mb:>6.1} MB {ms:>6.2} ms {ratio:>7.2}");
        match memory.iter().find(|memory| memory.function == name) {
            Some(memory) => {
                println!(" {:>9.1} MB {:>7.1} MB {:>9}", memory.resident_mb, memory.peak_mb, memory.requests);
            }
            None => println!(),
        }
    }
}

/// Builds the release binaries, and returns where they are.
fn build() -> PathBuf {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let cargo = |arguments: &[&str]| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--release"]).args(arguments).current_dir(&workspace);
        assert!(build.status().unwrap().success(), "cargo build {arguments:?}");
    };
    // One by one, as they are built to be deployed.
    for function in FUNCTIONS {
        cargo(&["--package", function, "--bin", function]);
    }
    cargo(&["--package", "health-check", "--example", NOTHING]);
    workspace.join("target/release")
}
