//! From a job to what its delivery says.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde_json::Value;
use shared::{
    Context, Error,
    domain::{
        metric::{AsOf, Observation, Scores, normalise, tally},
        terra::{DataType, Event, Handling, TerraUser},
    },
    ids::DeliveryId,
    jobs::{Failure, Job, Leased, Tally},
    store::{metrics::storable, webhooks::Delivery},
};
use tracing::warn;

use super::causes;
use crate::{delivery::NEVER_STORED, quarantine::ingestion_of};

/// Bytes of the longest key that DynamoDB takes.
const LONGEST_KEY: usize = 2048;

/// What a delivery says.
#[derive(Debug)]
pub struct Parsed<'a> {
    pub leased: &'a Leased,
    pub delivery: DeliveryId,
    pub user: TerraUser,
    pub as_of: AsOf,
    /// The observations of its documents. Of two under one key the last stands.
    pub documents: HashMap<(DataType, String), Vec<Observation>>,
    /// What it counts for.
    pub tally: Tally,
}

/// What the deliveries of these jobs say. A job whose delivery says nothing that could be worked on is settled.
pub async fn deliveries<'a>(ctx: &Context, jobs: &[&'a Leased]) -> Result<Vec<Parsed<'a>>, Error> {
    let ids: Vec<_> = jobs.iter().filter_map(|leased| delivery_of(leased)).cloned().collect();
    let found = ctx.webhooks.read(&ids).await?;
    let mut all = Vec::with_capacity(jobs.len());
    for leased in jobs {
        let parsed = match delivery_of(leased).and_then(|id| found.get(id)) {
            None => Err(NEVER_STORED),
            Some(Err(err)) => Err(Failure::transient(causes(err))),
            // What panics here is this delivery's failure alone; the panic hook has logged it, with its place.
            Some(Ok(delivery)) => catch_unwind(AssertUnwindSafe(|| parse(ctx, leased, delivery)))
                .unwrap_or_else(|_| Err(Failure::transient("reading the delivery panicked"))),
        };
        match parsed {
            Ok(parsed) => all.push(parsed),
            Err(failure) => leased.settle(Err(failure)),
        }
        // A body may be many megabytes, and others have deadlines.
        tokio::task::yield_now().await;
    }
    Ok(all)
}

/// None for an id under which nothing can be stored: asking for it would fail the others' reading.
fn delivery_of(leased: &Leased) -> Option<&DeliveryId> {
    match &leased.job {
        Job::TerraIngest { delivery_id, .. } => Some(delivery_id).filter(|id| (1..=LONGEST_KEY).contains(&id.0.len())),
        _ => None,
    }
}

fn parse<'a>(ctx: &Context, leased: &'a Leased, delivery: &Delivery) -> Result<Parsed<'a>, Failure> {
    let event = Event::parse(&delivery.body).map_err(|invalid| Failure::permanent(invalid.to_string()))?;
    let (Handling::Ingest(data_type), Some(user)) = (event.handling, event.user) else {
        return Err(Failure::permanent("the delivery is no data event"));
    };
    let mut documents = HashMap::new();
    let mut scores = Scores::default();
    for (at, item) in event.items.iter().enumerate() {
        // One element at a time: a tree takes many times the room of its text.
        let document = match serde_json::from_str::<Value>(item.get()) {
            Ok(item) => normalise(data_type, &user.provider, &item).map_err(|unplaced| unplaced.to_string()),
            Err(err) => Err(err.to_string()),
        };
        match document {
            Ok(document) => {
                let observations: Vec<_> = document.observations.into_iter().map(storable).collect();
                add(&mut scores, tally(&observations, &delivery.as_of));
                documents.insert((document.data_type, document.key), observations);
            }
            Err(reason) => {
                warn!(delivery_id = %delivery.id, element = at, reason, "an element of a delivery is left out");
                ctx.metrics.count("items_unplaced");
            }
        }
    }
    let tally = counts(leased, delivery, scores);
    Ok(Parsed { leased, delivery: delivery.id.clone(), user, as_of: delivery.as_of.clone(), documents, tally })
}

fn add(scores: &mut Scores, more: Scores) {
    scores.scored += more.scored;
    scores.confident += more.confident;
    scores.tenths += more.tenths;
}

/// What the delivery alone says, and only once: one that comes out of quarantine was counted when it went there. So the
/// counters come to the same whether or not its connection was bound before it came.
fn counts(leased: &Leased, delivery: &Delivery, scores: Scores) -> Tally {
    if leased.id == ingestion_of(&delivery.id) {
        return Tally::default();
    }
    Tally { scored: scores.scored, confident: scores.confident, confidence_tenths: scores.tenths, webhooks: 1 }
}
