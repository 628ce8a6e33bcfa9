//! `cargo dev`: the local stack for development. See `cargo dev -- --help`.

use std::error::Error;
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use local::grpc_model::ModelFn;
use local::logs::Echo;
use local::start_page::StartPage;
use local::{Binaries, Schedules, Stack, StackFile, StackOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const HELP: &str = "\
The whole backend on this machine, from template.yaml.

  --port <n>           port of the HTTP API on 127.0.0.1 (3000; 0 takes a free one)
  --data-dir <dir>     keep tables, messages and objects there (else in memory)
  --stack-file <path>  where to say how the stack can be reached (target/local/stack.json)
  --grpc-model         serve a model over gRPC too, and have predict ask it
  --release            functions from the release profile
  --binaries <dir>     functions as they were built there, such as by cargo lambda
  --verbose            show metrics too
";

struct Arguments {
    options: StackOptions,
    stack_file: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    report_warnings();
    let Some(Arguments { options, stack_file }) = arguments()? else {
        print!("{HELP}");
        return Ok(());
    };
    let stack = Stack::start(options).await?;
    let file = StackFile::write(&stack_file, &stack)?;
    print!("{}", StartPage { stack: &stack, colour: std::io::stdout().is_terminal() });
    run(&stack).await?;
    eprintln!("ending: requests under way have 30 s (once more to end at once)");
    drop(file);
    tokio::select! {
        () = stack.shutdown() => {}
        result = interrupted() => result?,
    }
    Ok(())
}

/// The stack's own warnings. dynoxide warns of every refused condition, which is the functions' daily bread.
fn report_warnings() {
    let levels = Targets::new().with_default(LevelFilter::WARN).with_target("dynoxide", LevelFilter::OFF);
    tracing_subscriber::registry().with(layer().with_writer(std::io::stderr)).with(levels).init();
}

/// None for `--help`.
fn arguments() -> Result<Option<Arguments>, Box<dyn Error>> {
    let mut given = pico_args::Arguments::from_env();
    if given.contains(["-h", "--help"]) {
        return Ok(None);
    }
    let stack_file = given.opt_value_from_os_str("--stack-file", |path| Ok::<_, String>(PathBuf::from(path)))?;
    let binaries = given.opt_value_from_os_str("--binaries", |path| Ok::<_, String>(PathBuf::from(path)))?;
    let release = given.contains("--release");
    let options = StackOptions {
        port: given.opt_value_from_str("--port")?.unwrap_or(3000),
        data_dir: given.opt_value_from_os_str("--data-dir", |path| Ok::<_, String>(PathBuf::from(path)))?,
        binaries: match binaries {
            Some(folder) => Binaries::In(folder.canonicalize()?),
            None if release => Binaries::BuildRelease,
            None => Binaries::Build,
        },
        echo: if given.contains("--verbose") { Echo::Everything } else { Echo::Logs },
        grpc_model: given.contains("--grpc-model").then(ModelFn::builtin),
        quiet_build: false,
        schedules: Schedules::Running,
        ..StackOptions::default()
    };
    let rest = given.finish();
    if !rest.is_empty() {
        return Err(format!("unknown arguments: {rest:?}\n\n{HELP}").into());
    }
    let stack_file = stack_file.unwrap_or_else(|| PathBuf::from("target/local/stack.json"));
    Ok(Some(Arguments { options, stack_file }))
}

/// Until somebody wants it to end.
async fn run(stack: &Stack) -> std::io::Result<()> {
    let mut keys = keys();
    let interrupted = interrupted();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            result = &mut interrupted => return result,
            key = keys.recv() => match key.as_deref() {
                Some("q") => return Ok(()),
                Some("r") => match stack.rebuild().await {
                    Ok(()) => println!("rebuilt"),
                    Err(error) => eprintln!("{error}"),
                },
                Some(_) => {}
                // Nobody types here, such as in the background.
                None => return interrupted.await,
            },
        }
    }
}

async fn interrupted() -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Lines of standard input, on a thread of their own: a read cannot be called off, and must not hold up the end.
fn keys() -> mpsc::Receiver<String> {
    let (sender, keys) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line.trim().to_owned()).is_err() {
                return;
            }
        }
    });
    keys
}
