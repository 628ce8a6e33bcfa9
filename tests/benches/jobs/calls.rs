//! The calls of AWS APIs, as the front saw them.

use std::{collections::BTreeMap, time::Duration};

use local::front::{Call, Calls};

#[derive(Default)]
struct Row {
    calls: usize,
    refused: usize,
    times: Vec<Duration>,
}

/// Prints what was called how often for `count` of `what`, and how long it took.
pub fn print(calls: &Calls, count: usize, what: &str) {
    let mut rows = BTreeMap::<(String, String), Row>::new();
    for call in &calls.0 {
        let row = rows.entry((call.operation.clone(), tables(call))).or_default();
        row.calls += 1;
        row.refused += usize::from(call.status != Some(200));
        row.times.push(call.end - call.start);
    }
    println!(
        "{:<22} {:<44} {:>7} {:>9} {:>9} {:>9} {:>7}",
        "calls",
        "of",
        "count",
        format!("a {what}"),
        "median",
        "sum",
        "not 200"
    );
    for ((operation, tables), mut row) in rows {
        row.times.sort();
        let median = row.times[row.times.len() / 2].as_secs_f64() * 1e3;
        let sum: Duration = row.times.iter().sum();
        let each = row.calls as f64 / count.max(1) as f64;
        println!(
            "{operation:<22} {tables:<44} {:>7} {each:>9.3} {median:>6.1} ms {:>7.2} s {:>7}",
            row.calls,
            sum.as_secs_f64(),
            row.refused
        );
    }
    println!("{:<67} {:>7} {:>9.3}", "all", calls.count(), calls.count() as f64 / count.max(1) as f64);
}

/// As the template calls them.
fn tables(call: &Call) -> String {
    let mut names: Vec<&str> = call.resources.iter().map(|name| name.trim_start_matches("local-")).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}
