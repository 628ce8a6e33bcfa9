//! `cargo bench-functions`: size, init time and resident memory of each release binary, against one that does nothing; and
//! what a fleet of engines takes. `--binaries DIR` measures those that lie there, as cargo-lambda builds them.

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
    let built = workspace().join("target/release");
    let binaries = match binaries() {
        Some(directory) => directory,
        None => {
            build_functions();
            built.clone()
        }
    };
    cargo_build(&["--package", "health-check", "--example", NOTHING]);
    let mut rows = Vec::new();
    for name in [NOTHING].into_iter().chain(FUNCTIONS) {
        let binary = if name == NOTHING { built.join("examples/nothing") } else { binaries.join(name) };
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

/// The directory that `--binaries` names.
fn binaries() -> Option<PathBuf> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--binaries");
    arguments.nth(1).map(|directory| workspace().join(directory))
}

/// One by one, as they are built to be deployed.
fn build_functions() {
    for function in FUNCTIONS {
        cargo_build(&["--package", function, "--bin", function]);
    }
}

fn cargo_build(arguments: &[&str]) {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--release"]).args(arguments).current_dir(workspace());
    assert!(build.status().unwrap().success(), "cargo build {arguments:?}");
}

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}
