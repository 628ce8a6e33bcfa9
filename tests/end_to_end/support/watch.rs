//! What the functions wrote: closing lines and metrics, by correlation id.

use local::Stack;
use serde_json::Value;

use super::Answer;

/// The closing log lines of one request.
pub fn closing_lines(stack: &Stack, function: &str, correlation_id: &str) -> Vec<Value> {
    let entries = stack.logs().entries(function).into_iter();
    entries.filter(|line| line["message"] == "request ended" && line["correlation_id"] == correlation_id).collect()
}

/// The EMF records of one request: its own, and those of the providers that it used.
pub fn records(stack: &Stack, function: &str, correlation_id: &str) -> Vec<Value> {
    let records = stack.logs().metrics(function).into_iter();
    records.filter(|record| record["correlation_id"] == correlation_id).collect()
}

/// The record of one provider in one request; panics where there is not exactly one.
#[track_caller]
pub fn provider_record(stack: &Stack, function: &str, answer: &Answer, provider: &str) -> Value {
    let all = records(stack, function, answer.header("x-correlation-id").unwrap());
    let mut of_provider: Vec<Value> = all.into_iter().filter(|record| record["provider"] == provider).collect();
    assert_eq!(of_provider.len(), 1, "records of {provider}");
    of_provider.remove(0)
}

/// The sum of a metric over all that a function wrote; a list of values counts with all of them.
pub fn sum(stack: &Stack, function: &str, metric: &str) -> f64 {
    stack.logs().metrics(function).iter().filter_map(|record| record[metric].as_f64()).sum()
}

/// Everything that all functions wrote.
pub fn all_lines(stack: &Stack) -> Vec<String> {
    let functions = stack.model().functions.iter();
    functions.flat_map(|function| stack.logs().of(&function.name)).map(|line| line.text).collect()
}

/// Fails where any line holds one of these texts, and names it without repeating it.
#[track_caller]
pub fn assert_not_logged(stack: &Stack, secrets: &[(&str, &str)]) {
    let lines = all_lines(stack);
    assert!(!lines.is_empty(), "nothing was written at all");
    for line in &lines {
        for (name, secret) in secrets {
            assert!(!secret.is_empty() && !line.contains(secret), "{name} in a line of the log");
        }
    }
}
