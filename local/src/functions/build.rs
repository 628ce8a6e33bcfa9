//! Builds the functions with cargo: into the same target directory and profile as the program that runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;

use tokio::process::Command;
use tokio::sync::Mutex;

use crate::system;

/// Where the functions' binaries come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Binaries {
    /// Built before the stack starts, once in a process, in the profile of the running program.
    #[default]
    Build,
    /// The same in the release profile.
    BuildRelease,
    /// Taken as they are from this directory.
    In(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("the running program does not lie in a target directory of cargo: {0}")]
    NoTarget(PathBuf),
    #[error("cargo cannot be started: {0}")]
    NoCargo(#[from] std::io::Error),
    #[error("the functions do not build:\n{0}")]
    Failed(String),
}

/// What has been built in this process, by profile and package: several stacks in one process build once.
static BUILT: LazyLock<Mutex<BTreeSet<(String, String)>>> = LazyLock::new(Mutex::default);

/// Builds the packages where needed (`again`: in any case) and returns the directory of their binaries.
pub async fn build(
    binaries: &Binaries,
    packages: &[&str],
    workspace: &Path,
    again: bool,
    quiet: bool,
) -> Result<PathBuf, BuildError> {
    if let Binaries::In(directory) = binaries {
        return Ok(directory.clone());
    }
    let (target, own_profile) = running_in()?;
    let profile = if *binaries == Binaries::BuildRelease { "release".to_owned() } else { own_profile };
    let mut built = BUILT.lock().await;
    let key = |package: &&str| (profile.clone(), (*package).to_owned());
    if again || packages.iter().any(|package| !built.contains(&key(package))) {
        run_cargo(&target, &profile, packages, workspace, quiet).await?;
        built.extend(packages.iter().map(key));
    }
    Ok(target.join(&profile))
}

async fn run_cargo(
    target: &Path,
    profile: &str,
    packages: &[&str],
    workspace: &Path,
    quiet: bool,
) -> Result<(), BuildError> {
    let mut cargo = Command::new(system::cargo());
    cargo.arg("build").arg("--target-dir").arg(target).current_dir(workspace).stdin(Stdio::null());
    // Cargo's directory for the dev profile has another name than the profile.
    cargo.args(["--profile", if profile == "debug" { "dev" } else { profile }]);
    if quiet {
        cargo.arg("--quiet");
    }
    // With this crate among the packages, cargo gives the dependencies the features that they had for the running
    // program, and compiles none of them twice. A release is built as it is deployed.
    if profile != "release" {
        cargo.args(["--package", env!("CARGO_PKG_NAME"), "--lib"]);
    }
    for package in packages {
        cargo.args(["--package", package, "--bin", package]);
    }
    if quiet {
        let output = cargo.output().await?;
        let report = String::from_utf8_lossy(&output.stderr).into_owned();
        return if output.status.success() { Ok(()) } else { Err(BuildError::Failed(report)) };
    }
    let status = cargo.status().await?;
    if status.success() { Ok(()) } else { Err(BuildError::Failed(format!("cargo ended with {status}"))) }
}

/// Target directory and profile directory of the running program: `target/debug/dev`, `target/debug/deps/tests-…`.
fn running_in() -> Result<(PathBuf, String), BuildError> {
    let program = std::env::current_exe()?;
    let no_target = || BuildError::NoTarget(program.clone());
    let mut directory = program.parent().ok_or_else(no_target)?;
    if matches!(directory.file_name().and_then(|name| name.to_str()), Some("deps" | "examples")) {
        directory = directory.parent().ok_or_else(no_target)?;
    }
    let profile = directory.file_name().and_then(|name| name.to_str()).ok_or_else(no_target)?;
    Ok((directory.parent().ok_or_else(no_target)?.to_owned(), profile.to_owned()))
}
