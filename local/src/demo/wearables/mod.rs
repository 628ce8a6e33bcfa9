//! Two weeks of somebody's wearables: signed webhooks in, metrics out, each with how far to trust it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    DemoOptions, Failure,
    client::{Client, answer},
};
use crate::{Stack, terra::Terra};

pub mod bucket;
mod fortnight;
mod table;
mod verdict;

use bucket::Bucket;
use fortnight::{Fortnight, Parcel};
use verdict::Verdict;

/// By then the worker is done, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);
/// The job that fetches what a link leads to.
const FETCH: &str = "fetch_large_delivery";

/// Runs the two weeks; true only if all that is shown is right.
pub async fn run(stack: &Stack, bucket: &Bucket, options: &DemoOptions) -> Result<bool, Failure> {
    println!(
        "\nTwo weeks of a watch and a ring: signed webhooks come in, metrics come out, each with how far to trust it.\n"
    );
    let (user, admin) = (Client::new(stack, "user"), Client::new(stack, "admin"));
    let fortnight = Fortnight::new(options.seed(), user.user);
    let mut verdict = Verdict::default();
    send(stack, &fortnight.parcels(&bucket.put(fortnight.large_delivery())), &mut verdict).await?;
    worked(stack).await?;

    let metrics = latest(&user).await?;
    table::print_metrics(&metrics, |_| true);
    fortnight.expected().iter().for_each(|expected| verdict.metric(&metrics, expected));
    let large = fortnight.expected_of_large_delivery();
    verdict.expect(!metrics.iter().any(|row| row["metric"] == large.metric), || {
        format!("{} is there before its delivery could be fetched", large.metric)
    });

    println!("\nThe link of the large delivery was broken (403), so its job is dead, where an admin sees it:\n");
    let dead = dead_jobs(&admin).await?;
    table::print_dead(&dead);
    let fetches = dead.iter().filter(|job| job["job_type"] == FETCH).count();
    verdict.expect(dead.len() == 1 && fetches == 1 && bucket.refused() > 0, || {
        format!("one {FETCH} should be dead, and these are: {}", json!(dead))
    });

    if !options.broken_link {
        bucket.mend();
    }
    println!("\nThe link is mended, and the admin has the job done again:\n");
    let retried = admin.post("retry-jobs", &json!({ "job_type": FETCH })).await?;
    println!("  retried {}, remaining {}", retried["retried"], retried["remaining"]);
    verdict.expect(retried["retried"] == 1, || format!("one job should be retried: {retried}"));
    worked(stack).await?;
    let metrics = latest(&user).await?;
    table::print_metrics(&metrics, |metric| metric == large.metric);
    verdict.metric(&metrics, &large);
    let dead = dead_jobs(&admin).await?;
    verdict.expect(dead.is_empty(), || format!("no job should be dead at the end, and these are: {}", json!(dead)));
    verdict.print();
    Ok(verdict.is_good())
}

/// Sends everything as Terra does it, one after the other.
async fn send(stack: &Stack, parcels: &[Parcel], verdict: &mut Verdict) -> Result<(), Failure> {
    let terra = Terra::of(stack);
    for Parcel { what, webhooks, answer: expected } in parcels {
        for webhook in webhooks {
            let answered = answer("webhook-terra", terra.request(webhook)).await?;
            verdict.expect(answered["status"] == *expected, || {
                format!("{what}: the answer is {}, not {expected}", answered["status"])
            });
        }
        println!("  {:>3} × {what:<52} {expected}", webhooks.len());
    }
    Ok(())
}

/// Waits until no job is left to be done.
async fn worked(stack: &Stack) -> Result<(), Failure> {
    let started = Instant::now();
    if !stack.queue_drained("JobQueue", PATIENCE).await? {
        return Err(format!("the queue is not empty after {} s", PATIENCE.as_secs()).into());
    }
    println!("  worked on after {:.1} s\n", started.elapsed().as_secs_f64());
    Ok(())
}

async fn latest(user: &Client) -> Result<Vec<Value>, Failure> {
    let answer = user.get(&format!("latest-metrics/{}", user.user)).await?;
    Ok(answer["metrics"].as_array().ok_or("no metrics")?.clone())
}

async fn dead_jobs(admin: &Client) -> Result<Vec<Value>, Failure> {
    let answer = admin.get("dead-jobs").await?;
    Ok(answer["jobs"].as_array().ok_or("no jobs")?.clone())
}
