//! What became of a delivery: its job, and the metrics that stand because of it.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::time::{Duration, Instant};

use shared::domain::metric::{Components, History};
use shared::ids::{JobId, UserId};
use shared::store::jobs::{Row, State};

use super::Failure;
use super::bodies::Body;
use super::target::{Tables, Target};
use crate::system;

/// Between two looks at a table, and at an API that keeps its answers for seconds.
const LOOK: Duration = Duration::from_millis(100);
const ASK: Duration = Duration::from_secs(1);

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// There is none: the delivery is only kept.
    None,
    Done,
    Dead(String),
    /// Not done yet, after so many failed attempts.
    Unfinished {
        attempts: u32,
        error: Option<String>,
    },
    /// Nobody could be asked.
    NotKnown,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("–"),
            Self::Done => f.write_str("done"),
            Self::Dead(error) => write!(f, "dead: {error}"),
            Self::Unfinished { attempts: 0, .. } => f.write_str("not done yet"),
            Self::Unfinished { attempts, error } => {
                write!(f, "not done after {attempts} attempts: {}", error.as_deref().unwrap_or("no error"))
            }
            Self::NotKnown => f.write_str("not known"),
        }
    }
}

impl Fate {
    fn of(row: Option<&Row>) -> Self {
        match row {
            Some(row) if row.state == State::Done => Self::Done,
            Some(row) if row.state == State::Dead => Self::Dead(row.last_error.clone().unwrap_or_default()),
            Some(row) => Self::Unfinished { attempts: row.attempts, error: row.last_error.clone() },
            None => Self::Unfinished { attempts: 0, error: None },
        }
    }

    fn is_final(&self) -> bool {
        !matches!(self, Self::Unfinished { .. })
    }
}

/// Waits until the job is done or dead, or the time is over.
pub async fn wait_for(tables: &Tables, job: JobId, limit: Duration) -> Result<Fate, Failure> {
    let started = Instant::now();
    loop {
        let fate = Fate::of(tables.jobs.read([job]).await?.get(&job));
        if fate.is_final() || started.elapsed() >= limit {
            return Ok(fate);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits until no job is pending by the public report, then tells the dead by the list of them, which takes an admin's
/// token. While some are pending, nobody knows which.
pub async fn ask_for(target: &Target, jobs: &[JobId], limit: Duration) -> Result<HashMap<JobId, Fate>, Failure> {
    let started = Instant::now();
    let mut rest = Fate::Done;
    while target.get("health-check").await?["checks"]["pendingJobs"] != 0 {
        if started.elapsed() >= limit {
            rest = Fate::NotKnown;
            break;
        }
        tokio::time::sleep(ASK).await;
    }
    if target.token.is_none() {
        return Ok(HashMap::new());
    }
    let mut fates: HashMap<JobId, Fate> = jobs.iter().map(|id| (*id, rest.clone())).collect();
    let mut route = "dead-jobs?limit=100".to_owned();
    loop {
        let page = target.get(&route).await?;
        for dead in page["jobs"].as_array().ok_or("dead-jobs did not answer with a list")? {
            let id = dead["id"].as_str().and_then(|id| id.parse().ok()).map(JobId);
            if let Some(fate) = id.and_then(|id| fates.get_mut(&id)) {
                *fate = Fate::Dead(dead["error"].as_str().unwrap_or_default().to_owned());
            }
        }
        match page["cursor"].as_str() {
            Some(cursor) => route = format!("dead-jobs?limit=100&cursor={cursor}"),
            None => return Ok(fates),
        }
    }
}

/// The metrics that stand because of a data event, in lines to be printed.
pub async fn metrics(tables: &Tables, body: &Body) -> Result<Vec<String>, Failure> {
    let Some(user) = bound_to(tables, body).await? else {
        return Ok(vec!["waits in quarantine: no user of ours is known for it (see --reference)".to_owned()]);
    };
    let (now, mark) = (system::now(), format!("#{}", body.delivery_id));
    let mut lines = Vec::new();
    tables
        .metrics
        .all_rows(user, |row| {
            let seen = &row.observation;
            if row.as_of.as_str().ends_with(&mark) {
                let components = Components::of(seen.metric, seen.value, &seen.evidence, &History(&[]));
                let freshness = Components::freshness(seen.metric, seen.observed_at, now);
                lines.push(format!(
                    "{} {}={:.1} {} confidence {:.1}, {:.1} while fresh",
                    seen.local_date,
                    seen.metric.name(),
                    seen.value,
                    seen.metric.unit(),
                    components.confidence(freshness).get(),
                    components.confidence(1.0).get(),
                ));
            }
        })
        .await?;
    if lines.is_empty() {
        lines.push("no metrics stand: none in it, or a newer delivery took their place".to_owned());
    }
    Ok(lines)
}

async fn bound_to(tables: &Tables, body: &Body) -> Result<Option<UserId>, Failure> {
    let Some(terra_user) = body.terra_user_id.as_deref() else { return Ok(None) };
    let known = tables.connections.read(&BTreeSet::from([terra_user])).await?;
    Ok(known.get(terra_user).and_then(|known| known.connection.binding.as_ref()).map(|binding| binding.user))
}
