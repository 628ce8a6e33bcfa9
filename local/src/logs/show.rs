//! Log lines for human eyes: the function's name in its colour, a JSON entry as one readable line.

use std::io::{IsTerminal, Write};

use serde_json::{Map, Value};

use super::LogLine;

const COLOURS: [&str; 6] = ["36", "33", "35", "32", "34", "96"];
const NAME_WIDTH: usize = 16;
/// Shown otherwise, or of use only to those who search CloudWatch.
const UNSHOWN: [&str; 8] = ["message", "timestamp", "level", "target", "spans", "function", "request_id", "trace_id"];

/// What of the logs is shown on the terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Echo {
    #[default]
    Off,
    /// Log entries and requests.
    Logs,
    /// Metrics too.
    Everything,
}

impl Echo {
    pub(super) fn line(self, line: &LogLine) {
        let hidden = self == Self::Off || (self == Self::Logs && line.is_metric());
        if !hidden {
            let text = line.json().and_then(|json| readable(&json)).unwrap_or_else(|| line.text.clone());
            print(&line.function, &text);
        }
    }

    pub(super) fn note(self, text: &str) {
        if self != Self::Off {
            print("", text);
        }
    }
}

fn print(name: &str, text: &str) {
    let mut out = std::io::stdout().lock();
    let written = if out.is_terminal() {
        let colour = COLOURS[name.bytes().map(usize::from).sum::<usize>() % COLOURS.len()];
        writeln!(out, "\x1b[{colour}m{name:>NAME_WIDTH$}\x1b[0m {}", coloured_level(text))
    } else {
        writeln!(out, "{name:>NAME_WIDTH$} {text}")
    };
    // Nobody reads the terminal any more; the lines are kept all the same.
    written.ok();
}

fn coloured_level(text: &str) -> String {
    let paint = |level: &str, colour: &str| text.replacen(level, &format!("\x1b[{colour}m{level}\x1b[0m"), 1);
    match text.split_whitespace().nth(1) {
        Some("ERROR") => paint("ERROR", "31"),
        Some("WARN") => paint("WARN", "33"),
        _ => text.to_owned(),
    }
}

/// `12:00:00.123 INFO message key=value …` of the JSON that tracing or Lambda write.
fn readable(json: &Value) -> Option<String> {
    let entry = json.as_object()?;
    let message = entry.get("message").or_else(|| json.pointer("/fields/message")).map(plain).unwrap_or_default();
    let time = entry.get("timestamp").map(plain).unwrap_or_default();
    let time = time.get(11..23).unwrap_or(&time);
    let level = entry.get("level").map(plain).unwrap_or_default();
    let mut text = format!("{time} {level:<5} {message}");
    append_fields(&mut text, entry);
    Some(text)
}

fn append_fields(text: &mut String, fields: &Map<String, Value>) {
    for (key, value) in fields {
        match (key.as_str(), value) {
            (key, _) if UNSHOWN.contains(&key) => {}
            (_, Value::Null) => {}
            ("fields" | "span", Value::Object(inner)) => append_fields(text, inner),
            _ => {
                text.push_str(&format!(" {key}={}", plain(value)));
            }
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_becomes_one_readable_line() {
        let entry = json!({
            "timestamp": "2026-11-21T12:00:00.123456Z", "level": "WARN", "target": "health_check",
            "fields": {"message": "slow", "latency_ms": 7}, "span": {"name": "request", "correlation_id": "c1"},
        });
        let expected = "12:00:00.123 WARN  slow latency_ms=7 correlation_id=c1 name=request";
        assert_eq!(readable(&entry).unwrap(), expected);
        assert_eq!(readable(&json!(3)), None);
    }
}
