//! `cargo bench-jobs`: how many webhooks a second become metrics, and where the time goes. See `cargo bench-jobs --help`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that fails says why and ends")]

mod backlog;
mod calls;
mod deliveries;
mod options;
mod outcome;
mod processes;
mod requests;
mod stored;

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use local::{Binaries, Stack, StackOptions};

use deliveries::Deliveries;
use options::Options;
use processes::Usage;

/// The one that is measured, and the one that fills its queue.
const WORKER: &str = "job-worker";
const RECEIVER: &str = "webhook-terra";
/// By then the queue is empty, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> ExitCode {
    let Some(options) = Options::from_arguments() else { return ExitCode::SUCCESS };
    let binaries = options.binaries.clone().unwrap_or_else(build);
    let stack = Stack::start(StackOptions {
        binaries: Binaries::In(binaries.clone()),
        max_instances: options.instances,
        ..StackOptions::default()
    });
    let stack = stack.await.unwrap();
    let deliveries = Deliveries::new(&options);
    let users = deliveries.users();

    stack.pause_sources(WORKER).await;
    let filled = backlog::fill(&stack, &deliveries).await;
    println!("{deliveries}\nstored and on the queue after {:.1} s", filled.as_secs_f64());
    stack.front().clear_calls();

    let worker = binaries.join(WORKER);
    let before = Usage::now(&worker);
    let started = Instant::now();
    stack.resume_sources(WORKER);
    let drained = stack.queue_drained("JobQueue", PATIENCE).await.unwrap();
    let elapsed = started.elapsed();
    let used = Usage::now(&worker).since(before);
    println!(
        "\n{:.0} jobs/s: {} in {:.2} s",
        options.jobs as f64 / elapsed.as_secs_f64(),
        options.jobs,
        elapsed.as_secs_f64()
    );
    used.print(elapsed);
    println!();
    calls::print(&stack.front().calls().by(WORKER), options.jobs, "job");

    let sent = requests::send(&stack, &options).await;
    let faults = outcome::faults(&stack, drained, options.jobs + sent, &users).await;
    stack.shutdown().await;
    match faults.as_slice() {
        [] => {
            println!("\n✓ every job is done and counted once, every user has metrics");
            ExitCode::SUCCESS
        }
        faults => {
            faults.iter().for_each(|fault| println!("✗ {fault}"));
            ExitCode::FAILURE
        }
    }
}

/// Builds the release binaries one by one, as they are built to be deployed, and returns where they are.
fn build() -> PathBuf {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    for function in [WORKER, RECEIVER] {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--release", "--package", function, "--bin", function]).current_dir(&workspace);
        assert!(build.status().unwrap().success(), "{function} does not build");
    }
    workspace.join("target/release")
}
