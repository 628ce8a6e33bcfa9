//! `cargo smoke` as it is run: its exit status and what it prints.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use local::Stack;

use crate::support::{User, run, stack};

/// Cargo builds a test's own package only: it is built here, as `cargo smoke` does.
fn build() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let directory = test.parent().and_then(Path::parent).unwrap().to_owned();
    let profile = directory.file_name().unwrap().to_str().unwrap().replace("debug", "dev");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "local", "--bin", "smoke", "--profile", &profile, "--target-dir"]);
    let built = cargo.arg(directory.parent().unwrap()).current_dir(workspace).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    directory.join("smoke")
}

/// A user of their own, whose token is handed over as on a developer's machine: by the environment.
fn smoke(binary: &Path, stack: &Stack, user: &User, secret: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary);
    command.arg(stack.base_url()).args(arguments).env_remove("TERRA_SIGNING_SECRET");
    command.env("SMOKE_TOKEN", user.token.as_deref().unwrap());
    if let Some(secret) = secret {
        command.env("TERRA_SIGNING_SECRET", secret);
    }
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    let printed = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", printed(&output.stdout), printed(&output.stderr))
}

fn faults(printed: &str) -> Vec<&str> {
    printed.lines().filter(|line| line.starts_with('✗')).collect()
}

#[test]
fn a_smoke_test_passes_on_what_works_and_names_what_does_not() {
    let binary = build();
    // It waits for the stack, which answers from the runtime's other threads.
    let stack = run(stack());
    let (user, _) = User::with_own_fleet(stack);
    let secret = stack.terra_signing_secret();
    for _again in 0..2 {
        let good = smoke(&binary, stack, &user, Some(&secret), &[]);
        let printed = text(&good);
        assert_eq!(good.status.code(), Some(0), "{printed}");
        assert!(printed.contains("works: 16 steps"), "{printed}");
        for shown in [user.token.as_deref().unwrap(), &secret] {
            assert!(!printed.contains(shown), "a secret is shown: {printed}");
        }
    }

    let without_secret = smoke(&binary, stack, &User::new(stack), None, &[]);
    let printed = text(&without_secret);
    assert_eq!(without_secret.status.code(), Some(0), "{printed}");
    assert!(printed.contains("TERRA_SIGNING_SECRET is not set") && printed.contains("3 not tried"), "{printed}");

    let wrong = smoke(&binary, stack, &user, Some("another"), &["--wait", "1"]);
    let printed = text(&wrong);
    assert_eq!(wrong.status.code(), Some(1), "{printed}");
    let [refused, verdict] = faults(&printed)[..] else { panic!("{printed}") };
    assert!(refused.contains("webhook-terra") && refused.contains("401"), "{printed}");
    assert!(verdict.contains("does not work: webhook-terra"), "{printed}");

    let mut stranger = User::new(stack);
    stranger.token = stranger.token.map(|token| format!("{token}x"));
    let printed = text(&smoke(&binary, stack, &stranger, None, &[]));
    assert!(faults(&printed).iter().any(|line| line.contains("start-session") && line.contains("401")), "{printed}");
}
