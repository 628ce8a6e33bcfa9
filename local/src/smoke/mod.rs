//! `cargo smoke`: what a user, Terra and a planner do, at a real address, and whether it comes out right.
//!
//! It asks nothing but the API, so the same run judges `cargo dev`, an emulator and a deployment.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

mod engines;
mod health;
mod report;
mod session;
mod target;
mod webhook;

use report::Report;
use target::Target;

/// The same engine and the same shots each time.
const SEED: u64 = 23;

type Failure = Box<dyn Error + Send + Sync>;

/// What is asked, and as whom.
#[derive(Debug, Clone, Default)]
pub struct SmokeOptions {
    /// Ends with `/functions/v1`; without it, a running `cargo dev` is asked.
    pub url: Option<String>,
    /// By default the variable `SMOKE_TOKEN`.
    pub token: Option<String>,
    /// Where the engine is put; by default the only fleet that the token names.
    pub fleet: Option<String>,
    /// How long a webhook may take to become a metric.
    pub wait: Duration,
    pub stack_file: Option<PathBuf>,
}

/// Goes through everything and prints it; true only if every step that could be tried has passed.
///
/// # Errors
/// What kept it from being tried at all: no address, no token.
pub async fn run(options: &SmokeOptions) -> Result<bool, Failure> {
    let target = Target::of(options)?;
    println!("{} as user {}\n", target.client.base_url(), target.client.user);
    let mut report = Report::default();
    health::check(&target, &mut report).await;
    session::check(&target, &mut report).await;
    webhook::check(&target, &mut report, options.wait).await;
    engines::check(&target, &mut report).await;
    Ok(report.verdict(target.client.base_url()))
}
