//! `cargo demo` as it is run: its exit status and what it prints.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A scene that the built-in detector reads without a fault; see `support::pictures`.
const SEED: &str = "23";

/// The directory of the binaries that were built in this run's profile, and cargo's name for that profile.
fn profile() -> (PathBuf, String) {
    let test = std::env::current_exe().unwrap();
    let directory = test.parent().and_then(Path::parent).unwrap().to_owned();
    let name = directory.file_name().unwrap().to_str().unwrap().replace("debug", "dev");
    (directory, name)
}

/// Cargo builds a test's own package only: the demo is built here, as `cargo demo` does.
fn build() -> PathBuf {
    let (directory, profile) = profile();
    let target = directory.parent().unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "local", "--bin", "demo", "--profile", &profile, "--target-dir"]);
    let built = cargo.arg(target).current_dir(workspace).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    directory.join("demo")
}

fn demo(binary: &Path, folder: &Path, arguments: &[&str]) -> Output {
    Command::new(binary).args(arguments).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    let printed = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", printed(&output.stdout), printed(&output.stderr))
}

fn faults(printed: &str) -> Vec<&str> {
    printed.lines().filter(|line| line.starts_with('✗')).collect()
}

#[test]
fn the_demo_succeeds_on_what_is_right_and_fails_by_name_on_what_is_not() {
    let binary = build();
    let folder = tempfile::tempdir().unwrap();
    let good = demo(&binary, folder.path(), &["--seed", SEED]);
    let printed = text(&good);
    assert_eq!(good.status.code(), Some(0), "{printed}");
    assert!(printed.contains("10 shots, all of them right"), "{printed}");
    assert!(printed.contains("19 metrics, each as it was measured and as sure as it may be"), "{printed}");
    assert!(printed.contains("the most critical engine first"), "{printed}");
    assert!(!printed.contains('\x1b'), "no terminal, no colours: {printed}");
    let plots: Vec<PathBuf> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("plot "))
        .map(|path| folder.path().join(path.trim()))
        .collect();
    assert_eq!(plots.len(), 1, "{printed}");
    assert!(fs::read_to_string(&plots[0]).unwrap().contains("<svg"), "{}", plots[0].display());

    let unseen = demo(&binary, folder.path(), &["--only", "sessions", "--seed", SEED, "--hide-shot", "3"]);
    let printed = text(&unseen);
    assert_eq!(unseen.status.code(), Some(1), "{printed}");
    assert!(faults(&printed).iter().any(|line| line.contains("shot 3 was not found")), "{printed}");
    assert!(faults(&printed).iter().any(|line| line.contains("9 shots were counted, 10 were fired")), "{printed}");
    assert!(!printed.contains("all of them right") && !printed.contains("resting_hr"), "{printed}");

    let broken = demo(&binary, folder.path(), &["--only", "wearables", "--broken-link"]);
    let printed = text(&broken);
    assert_eq!(broken.status.code(), Some(1), "{printed}");
    let [body_fat, dead] = faults(&printed)[..] else { panic!("{printed}") };
    assert!(body_fat.contains("body_fat is not there"), "{printed}");
    assert!(dead.contains("no job should be dead at the end") && dead.contains("fetch_large_delivery"), "{printed}");

    for unknown in [["--sed", SEED], ["--only", "everything"]] {
        let refused = demo(&binary, folder.path(), &unknown);
        assert!(!refused.status.success() && text(&refused).contains(unknown[0]), "{}", text(&refused));
    }
}
