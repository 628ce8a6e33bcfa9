//! JSON log lines: one flat object each, the fields of the request's span on every line.
//!
//! tracing-subscriber's own JSON format nests the spans of a line in an array, which makes every query longer; this
//! layer is smaller than what would flatten it again. It is also the one place through which all text passes on its
//! way to the log, so it is where URLs lose their query strings (keys and signatures travel there).

use std::{
    borrow::Cow,
    error::Error,
    fmt,
    io::{self, Write},
    panic::PanicHookInfo,
};

use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{
    Event, Span, Subscriber, error, error_span,
    field::{Empty, Field, Visit},
    level_filters::LevelFilter,
    span,
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, Registry},
};

use crate::clock::Clock;

/// Log lines and panics of this process go to stdout from here on: to be called before anything can fail. `log_level`
/// is one of `error`, `warn`, `info`, `debug`, `trace`; anything else means `info`.
pub fn init(function: &'static str, log_level: &str) {
    let subscriber = subscriber(function, log_level, to_stdout);
    // It fails only where a subscriber is set already, which is then as good as ours.
    let _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(log_panic));
}

/// The subscriber that [`init`] installs, with `write` in place of stdout: it gets one whole line at a time.
///
/// `log_level` holds for our own crates. What comes from dependencies is kept to warnings: at `debug` the SDK and the
/// HTTP client would write requests with all their headers and bodies.
pub fn subscriber(
    function: &'static str,
    log_level: &str,
    write: impl Fn(&[u8]) + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    let level = log_level.parse().unwrap_or(LevelFilter::INFO);
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(env!("CARGO_PKG_NAME"), level)
        .with_target(function.replace('-', "_"), level);
    Registry::default().with(JsonLines { function, write }.with_filter(targets))
}

/// The span that a request runs in: its fields stand on every line that is logged meanwhile.
pub fn request_span(route: &str, correlation_id: &str, request_id: &str, trace_id: Option<&str>) -> Span {
    // At level error, so that whatever is logged at all has its request's ids.
    let span = error_span!("request", route, correlation_id, request_id, trace_id = Empty);
    if let Some(trace_id) = trace_id {
        span.record("trace_id", trace_id);
    }
    span
}

/// The span that a batch of messages, or a schedule, is worked on in.
pub fn invocation_span(source: &str, request_id: &str, trace_id: Option<&str>) -> Span {
    let span = error_span!("invocation", source, request_id, trace_id = Empty);
    if let Some(trace_id) = trace_id {
        span.record("trace_id", trace_id);
    }
    span
}

/// The panic hook: logs a panic where it happens, since there the request's span is still entered and the place known.
pub fn log_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a value that is no text");
    match info.location() {
        Some(location) => error!(panic = message, %location, "panicked"),
        None => error!(panic = message, "panicked"),
    }
}

fn to_stdout(line: &[u8]) {
    let mut stdout = io::stdout().lock();
    // Nobody is left to tell when stdout is gone.
    let _ = stdout.write_all(line).and_then(|()| stdout.flush());
}

/// Writes each event as a flat JSON object.
struct JsonLines<W> {
    function: &'static str,
    write: W,
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    message: Option<Value>,
    target: &'a str,
    function: &'a str,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&[u8]) + 'static,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = ctx.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, ctx: Context<'_, S>) {
        if let Some(span) = ctx.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in ctx.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.0.extend(of_span.0.clone());
            }
        }
        event.record(&mut fields);
        if let Ok(mut line) = serde_json::to_vec(&self.line(event, fields.0)) {
            line.push(b'\n');
            (self.write)(&line);
        }
    }
}

impl<W> JsonLines<W> {
    fn line<'a>(&'a self, event: &Event<'a>, mut fields: Map<String, Value>) -> Line<'a> {
        let message = fields.remove("message");
        // A field of one of these names would stand twice in the object.
        for reserved in ["timestamp", "level", "target", "function"] {
            fields.remove(reserved);
        }
        Line {
            timestamp: Clock::System.now().to_rfc3339_opts(SecondsFormat::Millis, true),
            level: event.metadata().level().as_str(),
            message,
            target: event.metadata().target(),
            function: self.function,
            fields,
        }
    }
}

/// The fields of a span or an event, as JSON.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().into(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, without_queries(&format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, without_queries(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.insert(field, describe(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }
}

/// An error with all that caused it, `outer: middle: root`, fit for the log.
pub fn describe(err: &(dyn Error + 'static)) -> String {
    let mut chain = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Some errors print their source themselves.
        if !chain.ends_with(&text) {
            chain.push_str(": ");
            chain.push_str(&text);
        }
        source = cause.source();
    }
    without_queries(&chain).into_owned()
}

/// The text with the query strings of its URLs cut off: `https://host/path?…`.
fn without_queries(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let end = after.find(|c: char| c.is_whitespace() || "\"'()<>".contains(c)).unwrap_or(after.len());
        let (url, tail) = after.split_at(end);
        kept.push_str(before);
        kept.push_str("://");
        match url.split_once('?') {
            Some((path, _)) => {
                kept.push_str(path);
                kept.push_str("?…");
            }
            None => kept.push_str(url),
        }
        rest = tail;
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests;
