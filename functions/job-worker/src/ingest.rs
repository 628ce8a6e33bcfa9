//! Data events become metrics: all of a batch together.
//!
//! What they need is read at once, their Terra users are bound or their deliveries put into quarantine, and what they say
//! is written user by user. A delivery that can't be read fails alone; a user whose rows can't be written fails with the
//! user's deliveries alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt, stream};
use shared::{
    Context, Error,
    domain::{
        connection::{Binding, Change},
        metric::{AsOf, Observation},
        terra::LONGEST_USER_ID,
    },
    ids::UserId,
    jobs::{Failure, Job, Leased, Tally},
    store::{
        connections::Known,
        metrics::{DocumentKey, RowKey},
    },
};

use crate::binding::{self, Data};

mod draft;
mod read;
mod standing;
mod write;

use read::Parsed;

/// Terra users that are looked after at the same time.
const AT_ONCE: usize = 16;

/// What is to be written for one user, and whose outcome that is.
#[derive(Debug)]
struct Group<'a> {
    user: UserId,
    shares: Vec<Share<'a>>,
    /// By sort key and age: a batch is always written in the same order.
    versions: BTreeMap<(String, AsOf), Version>,
}

/// A job that is done once its group is written.
#[derive(Debug, Clone)]
struct Share<'a> {
    leased: &'a Leased,
    as_of: AsOf,
    /// What it counts for.
    tally: Tally,
}

/// A document as one delivery has it.
#[derive(Debug, Clone)]
struct Version {
    key: DocumentKey,
    as_of: AsOf,
    rows: BTreeMap<RowKey, Observation>,
}

/// Deliveries of one Terra user, and whose they are: nobody's, where they went into quarantine.
type Bound<'a> = (Result<Option<Binding>, Error>, Vec<Parsed<'a>>);

/// Ingests the deliveries of these jobs, and settles each.
pub async fn all(ctx: &Context, jobs: &[&Leased]) {
    if jobs.is_empty() {
        return;
    }
    jobs.iter().for_each(|leased| leased.begin());
    let (parsed, known) = match tokio::try_join!(read::deliveries(ctx, jobs), known(ctx, jobs)) {
        Ok(found) => found,
        Err(err) => return settle_all(jobs.iter().copied(), &err),
    };
    let of_terra_users = parsed.into_iter().fold(BTreeMap::<_, Vec<_>>::new(), |mut all, parsed| {
        all.entry(parsed.user.user_id.clone()).or_default().push(parsed);
        all
    });
    let known = &known;
    let bound: Vec<Bound<'_>> = stream::iter(of_terra_users)
        .map(async |(id, parsed)| (bind(ctx, known.get(&id).cloned(), &id, &parsed).await, parsed))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    write::all(ctx, groups(bound)).await;
}

/// The connections of the jobs' Terra users. A job may name another Terra user than its delivery: that one's connection is then
/// read where it is needed.
async fn known(ctx: &Context, jobs: &[&Leased]) -> Result<HashMap<String, Known>, Error> {
    let ids = jobs.iter().filter_map(|leased| match &leased.job {
        Job::TerraIngest { terra_user_id, .. } => Some(terra_user_id.as_str()),
        _ => None,
    });
    // One that is no key would fail the others' reading.
    let ids = ids.filter(|id| (1..=LONGEST_USER_ID).contains(&id.len()));
    ctx.connections.read(&ids.collect::<BTreeSet<_>>()).await
}

async fn bind(
    ctx: &Context,
    known: Option<Known>,
    terra_user_id: &str,
    parsed: &[Parsed<'_>],
) -> Result<Option<Binding>, Error> {
    let mut in_order: Vec<_> = parsed.iter().collect();
    in_order.sort_by(|a, b| a.as_of.cmp(&b.as_of));
    let deliveries = in_order
        .into_iter()
        .map(|parsed| (parsed.delivery.clone(), Change::of_data(&parsed.user, parsed.as_of.clone())));
    binding::of_data(ctx, known, &Data { terra_user_id, deliveries: deliveries.collect() }).await
}

/// What is to be written, user by user. The jobs of deliveries that went into quarantine are done.
fn groups(bound: Vec<Bound<'_>>) -> Vec<Group<'_>> {
    let mut groups = BTreeMap::new();
    for (binding, parsed) in bound {
        match binding {
            Err(err) => settle_all(parsed.iter().map(|parsed| parsed.leased), &err),
            Ok(None) => parsed.iter().for_each(|parsed| parsed.leased.settle(Ok(parsed.tally))),
            Ok(Some(binding)) => {
                let group = groups.entry(binding.user).or_insert_with(|| Group::new(binding.user));
                parsed.into_iter().for_each(|parsed| group.add(parsed, binding));
            }
        }
    }
    groups.into_values().collect()
}

impl<'a> Group<'a> {
    fn new(user: UserId) -> Self {
        Self { user, shares: Vec::new(), versions: BTreeMap::new() }
    }

    fn add(&mut self, parsed: Parsed<'a>, binding: Binding) {
        self.shares.push(Share { leased: parsed.leased, as_of: parsed.as_of.clone(), tally: parsed.tally });
        for ((data_type, key), observations) in parsed.documents {
            let key = DocumentKey { data_type, key, connection: binding.connection };
            let rows = observations.into_iter().map(|it| (key.row(it.metric, it.ordinal), it)).collect();
            let as_of = parsed.as_of.clone();
            self.versions.insert((key.sk(), as_of.clone()), Version { key, as_of, rows });
        }
    }

    /// The newest version of each document: no other can change anything once it is written.
    fn newest(&self) -> impl Iterator<Item = &Version> {
        let mut versions = self.versions.iter().peekable();
        std::iter::from_fn(move || {
            loop {
                let ((document, _), version) = versions.next()?;
                if versions.peek().is_none_or(|((next, _), _)| next != document) {
                    return Some(version);
                }
            }
        })
    }

    /// Each delivery by itself.
    fn apart(self) -> Vec<Self> {
        let parts = self.shares.into_iter().map(|share| {
            let own = self.versions.iter().filter(|((_, as_of), _)| *as_of == share.as_of);
            let versions = own.map(|(key, version)| (key.clone(), version.clone())).collect();
            Self { user: self.user, shares: vec![share], versions }
        });
        parts.collect()
    }

    fn done(&self) {
        self.shares.iter().for_each(|share| share.leased.settle(Ok(share.tally)));
    }

    fn failed(&self, failure: impl Fn() -> Failure) {
        self.shares.iter().for_each(|share| share.leased.settle(Err(failure())));
    }
}

/// They fail together, with the same error.
fn settle_all<'a>(jobs: impl Iterator<Item = &'a Leased>, err: &Error) {
    let causes = causes(err);
    jobs.for_each(|leased| leased.settle(Err(Failure::transient(causes.clone()))));
}

/// An error with all that it came of.
fn causes(err: &Error) -> String {
    let mut text = err.to_string();
    let mut source = std::error::Error::source(err);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
