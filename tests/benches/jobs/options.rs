//! What is to be measured.

use std::{fmt::Display, path::PathBuf};

use pico_args::Arguments;

const HELP: &str = "\
Webhooks become metrics: how many a second, by what calls, in how much memory.

  --jobs <n>              webhooks that wait when the clock starts (5000)
  --users <n>             whose they are, in turn (500)
  --days-per-user <n>     different days in them; what is over is sent again (as many as there are webhooks of a user)
  --samples-every <min>   samples in each, so that a body lies in the bucket (none: sums and means)
  --instances <n>         of the worker at once (4)
  --webhooks <n>          sent through HTTP afterwards, to count what one costs (200)
  --binaries <dir>        where the functions are (built for release)
";

#[derive(Debug)]
pub struct Options {
    pub jobs: usize,
    pub users: usize,
    pub days_per_user: usize,
    pub samples_every: u16,
    pub instances: usize,
    pub webhooks: usize,
    pub binaries: Option<PathBuf>,
}

impl Options {
    /// None where help was asked for.
    pub fn from_arguments() -> Option<Self> {
        let mut arguments = Arguments::from_env();
        if arguments.contains(["-h", "--help"]) {
            print!("{HELP}");
            return None;
        }
        // Cargo says so to every benchmark.
        arguments.contains("--bench");
        let jobs: usize = number(&mut arguments, "--jobs").unwrap_or(5000);
        let users: usize = number(&mut arguments, "--users").unwrap_or(500).clamp(1, jobs.max(1));
        let options = Self {
            jobs,
            users,
            days_per_user: number(&mut arguments, "--days-per-user").unwrap_or(jobs.div_ceil(users)).max(1),
            samples_every: number(&mut arguments, "--samples-every").unwrap_or(0),
            instances: number(&mut arguments, "--instances").unwrap_or(4),
            webhooks: number(&mut arguments, "--webhooks").unwrap_or(200),
            binaries: arguments.opt_value_from_str("--binaries").expect("a directory"),
        };
        let rest = arguments.finish();
        assert!(rest.is_empty(), "not known: {rest:?}; see --help");
        Some(options)
    }
}

fn number<T: std::str::FromStr<Err: Display>>(arguments: &mut Arguments, name: &'static str) -> Option<T> {
    arguments.opt_value_from_str(name).expect("a number")
}
