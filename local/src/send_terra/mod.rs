//! `cargo send-terra`: a folder of webhooks, signed and sent as Terra does it, and what became of each.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

mod bodies;
mod outcome;
mod target;

use bodies::{Body, Folder};
use outcome::{Fate, ask_for, metrics, wait_for};
use target::Target;

/// How long a body's job is waited for before the next body is sent.
const PATIENCE: Duration = Duration::from_secs(15);
/// Attempts to have a body accepted: as Terra does, what is answered 429 or 5xx is sent again.
const ATTEMPTS: u32 = 5;

type Failure = Box<dyn Error + Send + Sync>;

/// What is to be sent, and where.
#[derive(Debug, Clone, Default)]
pub struct SendOptions {
    pub folder: PathBuf,
    /// Ends with `/functions/v1`; without it, a local stack.
    pub url: Option<String>,
    pub secret: Option<String>,
    /// An admin's, where there is no stack to take it from.
    pub token: Option<String>,
    pub stack_file: Option<PathBuf>,
    pub reference: Reference,
    /// How long all jobs are waited for at the end.
    pub wait: Duration,
    /// Release builds of the functions, where a stack is started.
    pub release: bool,
}

/// What becomes of each `reference_id`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reference {
    /// The stack's user `user` takes its place.
    #[default]
    Ours,
    Is(Uuid),
    Keep,
}

/// A body that was sent.
struct Sent {
    body: Body,
    accepted: bool,
    fate: Fate,
}

/// Sends everything and prints what became of it; true only if every body was accepted, and every job is done.
///
/// # Errors
/// Whatever kept it from being sent or looked at.
pub async fn run(options: &SendOptions) -> Result<bool, Failure> {
    let target = Target::open(options).await?;
    let outcome = send(&target, options).await;
    target.close().await;
    outcome
}

async fn send(target: &Target, options: &SendOptions) -> Result<bool, Failure> {
    let reference = match options.reference {
        Reference::Ours => target.user,
        Reference::Is(user) => Some(user),
        Reference::Keep => None,
    };
    let folder = Folder::read(&options.folder, reference)?;
    println!("{} webhooks of {} to {}\n", folder.bodies.len(), options.folder.display(), target.base_url);
    let width = folder.bodies.iter().map(|body| body.name.chars().count()).max().unwrap_or_default();
    println!("{:width$}  {:<24}  HTTP  {:<10}  job", "file", "type", "answer");
    let mut sent = Vec::new();
    for body in folder.bodies {
        sent.push(send_one(target, body, width).await?);
    }
    for name in &folder.skipped {
        println!("{name:width$}  skipped: no type, so no webhook");
    }
    finish(target, &mut sent, options.wait).await?;
    let good = |sent: &&Sent| sent.accepted && matches!(sent.fate, Fate::None | Fate::Done);
    let all_good = sent.iter().filter(good).count();
    println!("\n{all_good} of {} are accepted and done", sent.len());
    Ok(all_good == sent.len())
}

/// Sends a body, waits for its job, and prints a line for it and one for each of its metrics.
async fn send_one(target: &Target, body: Body, width: usize) -> Result<Sent, Failure> {
    let (status, answer) = post(target, &body).await?;
    let accepted = status == 200;
    let fate = match (&target.tables, body.job_id().filter(|_| accepted)) {
        (_, None) => Fate::None,
        (Some(tables), Some(job)) => wait_for(tables, job, PATIENCE).await?,
        (None, Some(_)) => Fate::NotKnown,
    };
    println!("{:width$}  {:<24}  {status}   {answer:<10}  {fate}", body.name, body.kind);
    if let Some(tables) = target.tables.as_ref().filter(|_| body.is_data() && fate == Fate::Done) {
        for line in metrics(tables, &body).await? {
            println!("{:width$}    {line}", "");
        }
    }
    Ok(Sent { body, accepted, fate })
}

/// The status, and what the answer says: its status, or its problem's code.
async fn post(target: &Target, body: &Body) -> Result<(u16, String), Failure> {
    let mut attempt = 1;
    loop {
        let response = target.terra.send(&body.webhook).await?;
        let status = response.status().as_u16();
        let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        if attempt < ATTEMPTS && (status == 429 || status >= 500) {
            attempt += 1;
            tokio::time::sleep(Duration::from_secs(wait.unwrap_or(1))).await;
            continue;
        }
        let answer: Value = serde_json::from_str(&response.text().await?).unwrap_or_default();
        let said = if status == 200 { &answer["status"] } else { &answer["code"] };
        return Ok((status, said.as_str().unwrap_or("?").to_owned()));
    }
}

/// Waits for what is not done yet, and says of that alone what became of it.
async fn finish(target: &Target, sent: &mut [Sent], wait: Duration) -> Result<(), Failure> {
    let open = |sent: &&mut Sent| matches!(sent.fate, Fate::Unfinished { .. } | Fate::NotKnown);
    let jobs: Vec<_> = sent.iter_mut().filter(open).filter_map(|sent| sent.body.job_id()).collect();
    if jobs.is_empty() {
        return Ok(());
    }
    println!("\nwaiting for {} jobs, at most {} s …", jobs.len(), wait.as_secs());
    let asked = if target.tables.is_none() { ask_for(target, &jobs, wait).await? } else { Default::default() };
    let started = std::time::Instant::now();
    for sent in sent.iter_mut().filter(open) {
        let Some(job) = sent.body.job_id() else { continue };
        if let Some(tables) = &target.tables {
            sent.fate = wait_for(tables, job, wait.saturating_sub(started.elapsed())).await?;
        } else if let Some(fate) = asked.get(&job) {
            sent.fate = fate.clone();
        }
        println!("{}  {}", sent.body.name, sent.fate);
    }
    Ok(())
}
