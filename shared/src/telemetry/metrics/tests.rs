use serde_json::json;

use super::*;
use crate::telemetry::{InvocationRecord, JobsRecord};

const MILLIS: Duration = Duration::from_millis(1);

fn record(status: u16) -> RequestRecord<'static> {
    RequestRecord {
        route: "start-session",
        correlation_id: "corr-1",
        request_id: "req-1",
        status,
        duration: 25 * MILLIS,
        cold_start: false,
    }
}

/// Holds a record against the EMF specification: every dimension is a string of the record, every metric a number or
/// an array of at most 100, units and counts are allowed ones.
fn check_emf(record: &Value) {
    assert!(record["_aws"]["Timestamp"].as_u64().unwrap() > 1_600_000_000_000, "milliseconds: {record}");
    for directive in record["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        assert_eq!(directive["Namespace"], NAMESPACE);
        let sets = directive["Dimensions"].as_array().unwrap();
        assert!(!sets.is_empty());
        for dimension in sets.iter().flat_map(|set| set.as_array().unwrap()) {
            let value = record[dimension.as_str().unwrap()].as_str().unwrap();
            assert!((1..=1024).contains(&value.len()), "{dimension}: {value}");
        }
        assert!(sets.iter().all(|set| set.as_array().unwrap().len() <= 30));
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            let value = &record[metric["Name"].as_str().unwrap()];
            assert!(["Count", "Milliseconds"].contains(&metric["Unit"].as_str().unwrap()), "{metric}");
            match value {
                Value::Number(_) => {}
                Value::Object(values) => {
                    let numbers = values["Values"].as_array().unwrap();
                    assert!(numbers.len() <= 100 && numbers.iter().all(Value::is_number));
                    assert_eq!(numbers.len(), values["Counts"].as_array().unwrap().len());
                }
                _ => panic!("{metric} is {value}"),
            }
        }
    }
}

#[test]
fn a_request_is_one_record_with_what_happened_during_it() {
    let (metrics, captured) = Metrics::capture();
    metrics.dynamodb_call(4 * MILLIS, true);
    metrics.dynamodb_call(6 * MILLIS, false);
    metrics.cache("jwks", true);
    metrics.cache("jwks", true);
    metrics.cache("limiter", false);
    metrics.count("authentication_failed");
    metrics.request(record(200));

    let mut records = captured.records();
    assert_eq!(records.len(), 1);
    check_emf(&records[0]);
    let directive = records[0]["_aws"]["CloudWatchMetrics"][0].take();
    assert_eq!(directive["Dimensions"], json!([["function", "route"], ["function", "version"], []]));
    records[0]["_aws"].take();
    assert_eq!(
        records[0],
        json!({
            "_aws": null, "function": "test", "route": "start-session", "version": "1",
            "correlation_id": "corr-1", "request_id": "req-1",
            "requests": 1, "latency": 25, "client_errors": 0, "server_errors": 0, "throttled": 0, "cold_starts": 0,
            "dynamodb_calls": 2, "dynamodb_errors": 1, "dynamodb_latency": { "Values": [4, 6], "Counts": [1, 1] },
            "jwks_cache_hits": 2, "limiter_cache_misses": 1, "authentication_failed": 1,
        })
    );
}

#[test]
fn each_provider_that_was_used_has_a_record_of_its_own() {
    let (metrics, captured) = Metrics::capture();
    metrics.provider_call("roboflow", false, 80 * MILLIS, 2);
    metrics.breaker_transition("roboflow", "open");
    metrics.fallback_used("roboflow");
    metrics.provider_call("camera", true, 30 * MILLIS, 0);
    metrics.request(record(200));

    let records = captured.records();
    assert_eq!(records.len(), 3);
    records.iter().for_each(check_emf);
    let mut roboflow = records.into_iter().find(|record| record["provider"] == "roboflow").unwrap();
    assert_eq!(roboflow["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["function", "provider"]]));
    roboflow["_aws"].take();
    assert_eq!(
        roboflow,
        json!({
            "_aws": null, "function": "test", "provider": "roboflow", "correlation_id": "corr-1", "request_id": "req-1",
            "provider_calls": 1, "provider_errors": 1, "provider_retries": 2, "provider_latency": 80,
            "breaker_open": 1, "fallback_used": 1,
        })
    );
}

#[test]
fn an_invocation_is_one_record_and_each_type_of_job_another() {
    let (metrics, captured) = Metrics::capture();
    metrics.count("unparsable_messages");
    metrics.count_many("jobs_swept", 7);
    metrics.dynamodb_call(4 * MILLIS, true);
    metrics.provider_call("terra_payload", true, 30 * MILLIS, 0);
    let invocation = InvocationRecord {
        source: "jobs",
        request_id: "req-1",
        messages: 120,
        failed: false,
        duration: 25 * MILLIS,
        cold_start: true,
    };
    let job_type = "terra_ingest".to_owned();
    let (durations, ages) = (vec![2 * MILLIS; 120], Vec::new());
    metrics.invocation(invocation, vec![JobsRecord { job_type, done: 0, failed: 119, dead: 1, durations, ages }]);

    let mut records = captured.records();
    records.iter().for_each(check_emf);
    let directive = records[0]["_aws"]["CloudWatchMetrics"][0].take();
    assert_eq!(directive["Dimensions"], json!([["function", "source"], ["function", "version"]]));
    records[0]["_aws"].take();
    assert_eq!(
        records[0],
        json!({
            "_aws": null, "function": "test", "source": "jobs", "version": "1", "request_id": "req-1",
            "invocations": 1, "invocation_errors": 0, "invocation_duration": 25, "messages": 120, "cold_starts": 1,
            "dynamodb_calls": 1, "dynamodb_errors": 0, "dynamodb_latency": 4, "unparsable_messages": 1, "jobs_swept": 7,
        })
    );
    let jobs = &records[1];
    assert_eq!(jobs["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["function", "job_type"], ["function"]]));
    assert_eq!((&jobs["job_type"], &jobs["jobs_failed"]), (&json!("terra_ingest"), &json!(119)));
    assert_eq!(jobs["job_duration"]["Values"].as_array().map(Vec::len), Some(100), "what EMF has room for");
    assert!(jobs.get("job_age").is_none(), "none is done");
    assert_eq!(records[2]["provider"], "terra_payload");
}

#[test]
fn a_provider_whose_breaker_was_open_has_a_record_though_it_was_not_called() {
    let (metrics, captured) = Metrics::capture();
    metrics.fallback_used("model");
    metrics.request(record(200));
    let record = &captured.records()[1];
    check_emf(record);
    assert_eq!((&record["provider_calls"], &record["fallback_used"]), (&json!(0), &json!(1)));
    assert!(record.get("provider_latency").is_none());
}

#[test]
fn statuses_are_counted_by_class() {
    for (status, class) in [(404, "client_errors"), (429, "client_errors"), (429, "throttled"), (503, "server_errors")]
    {
        let (metrics, captured) = Metrics::capture();
        metrics.request(record(status));
        let record = &captured.records()[0];
        assert_eq!(record[class], 1, "{status}");
        let errors = record["client_errors"].as_u64().unwrap() + record["server_errors"].as_u64().unwrap();
        assert_eq!(errors, 1, "{status}");
    }
}

#[test]
fn nothing_is_carried_over_to_the_next_request() {
    let (metrics, captured) = Metrics::capture();
    metrics.count("limiter_unavailable");
    metrics.dynamodb_call(MILLIS, true);
    metrics.request(record(200));
    metrics.request(record(200));
    assert_eq!((captured.sum("limiter_unavailable"), captured.sum("requests")), (1.0, 2.0));
    assert!(captured.records()[1].get("dynamodb_calls").is_none());
}

#[test]
fn a_request_with_more_calls_than_emf_has_room_for_stays_valid() {
    let (metrics, captured) = Metrics::capture();
    (0..250).for_each(|_| metrics.dynamodb_call(MILLIS, true));
    metrics.request(record(200));
    check_emf(&captured.records()[0]);
    assert_eq!(captured.sum("dynamodb_calls"), 250.0);
}

#[test]
fn only_the_first_request_is_a_cold_start() {
    let metrics = Metrics::discard();
    assert_eq!([metrics.cold_start(), metrics.cold_start()], [true, false]);
}

#[test]
fn a_text_that_looks_like_json_stays_a_text() {
    let (metrics, captured) = Metrics::capture();
    metrics.request(RequestRecord { correlation_id: "\"},\n{\"", ..record(200) });
    let records = captured.records();
    assert_eq!(records.len(), 1);
    check_emf(&records[0]);
}
