use serde_json::{Value, json};
use tracing::{debug, error, info, warn};

use super::*;
use crate::telemetry::CapturedLogs;

/// The lines that `work` logs at `log_level`.
fn lines(log_level: &str, work: impl FnOnce()) -> Vec<Value> {
    let logs = CapturedLogs::new(log_level);
    tracing::dispatcher::with_default(&logs.dispatch(), work);
    logs.lines()
}

#[derive(Debug, thiserror::Error)]
#[error("frame not stored")]
struct Outer(#[source] Middle);

#[derive(Debug, thiserror::Error)]
#[error("error sending request for url (https://host/path?api_key=hunter2)")]
struct Middle(#[source] io::Error);

#[test]
fn a_line_is_one_flat_object_with_the_request_s_fields() {
    let mut lines = lines("info", || {
        let _span = request_span("start-session", "corr-1", "req-1", Some("1-abc")).entered();
        info!(session_id = 7, ok = true, note = "two\nlines", "session started");
    });
    let timestamp = lines[0]["timestamp"].take();
    assert!(timestamp.as_str().unwrap().ends_with('Z'));
    assert_eq!(
        lines,
        [json!({
            "timestamp": null, "level": "INFO", "message": "session started", "target": module_path!(),
            "function": "start-session", "route": "start-session", "correlation_id": "corr-1", "request_id": "req-1",
            "trace_id": "1-abc", "session_id": 7, "ok": true, "note": "two\nlines",
        })]
    );
}

#[test]
fn a_line_outside_of_a_request_names_the_function() {
    let lines = lines("info", || info!("starting"));
    assert_eq!(lines[0]["function"], "start-session");
    assert!(lines[0].get("route").is_none());
}

#[test]
fn a_field_can_neither_hide_the_level_nor_stand_twice() {
    let lines = lines("info", || {
        let _span = request_span("a", "corr-1", "req-1", None).entered();
        info!(level = "none", function = "other", route = "b", "said");
    });
    assert_eq!((&lines[0]["level"], &lines[0]["function"]), (&json!("INFO"), &json!("start-session")));
    assert_eq!(lines[0]["route"], "b");
}

#[test]
fn an_error_keeps_its_causes_and_a_url_loses_its_query() {
    let lines = lines("info", || {
        let err = Outer(Middle(io::Error::other("connection reset")));
        error!(error = &err as &dyn Error, debug = ?err, "failed");
    });
    assert_eq!(
        lines[0]["error"],
        "frame not stored: error sending request for url (https://host/path?…): connection reset"
    );
    assert!(!lines[0].to_string().contains("hunter2"));
}

#[test]
fn the_request_s_ids_stand_on_errors_even_where_only_errors_are_logged() {
    let lines = lines("error", || {
        let _span = request_span("a", "corr-1", "req-1", None).entered();
        warn!("not this");
        error!("this");
    });
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["correlation_id"], "corr-1");
}

#[test]
fn dependencies_are_kept_to_warnings_at_any_level() {
    let lines = lines("trace", || {
        debug!("ours");
        debug!(target: "start_session::store", "the function's");
        info!(target: "aws_smithy_runtime", "theirs, with all headers");
        warn!(target: "aws_smithy_runtime", "theirs");
    });
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["ours", "the function's", "theirs"]);
}

#[test]
fn an_unknown_level_means_info() {
    let lines = lines("chatty", || {
        debug!("not this");
        info!("this");
    });
    assert_eq!(lines.len(), 1);
}

#[test]
fn only_query_strings_are_cut() {
    for (text, kept) in [
        ("is it so? yes", "is it so? yes"),
        ("GET https://a/b?c=d and http://e/?f", "GET https://a/b?… and http://e/?…"),
        ("\"https://a/b?c=d\"", "\"https://a/b?…\""),
        ("https://a/b", "https://a/b"),
        ("://?", "://?…"),
    ] {
        assert_eq!(without_queries(text), kept);
    }
}
