//! What invokes functions beside the routes: queues and schedules, with the checks that AWS makes at deployment.

use std::time::Duration;

use serde_json::Value;

use super::functions::{EventSource, Function};
use super::properties::Properties;
use super::resolve::to_text;
use super::storage::Queue;
use super::{Model, TemplateError};

/// Above it, a batch has to be waited for.
const MAX_BATCH_WITHOUT_WINDOW: usize = 10;
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html>
const MAX_BATCH: usize = 10_000;
/// Seconds.
const MAX_WINDOW: u64 = 300;

/// An event source mapping: a queue whose messages a function gets in batches.
#[derive(Debug, Clone)]
pub struct QueueMapping {
    /// The event's id in the template.
    pub id: String,
    /// [`Function::name`]
    pub function: String,
    /// [`Queue::name`]
    pub queue: String,
    pub batch_size: usize,
    /// How long a batch is waited for from its first message on.
    pub window: Duration,
    /// Whether the function's answer names the messages that failed (`ReportBatchItemFailures`).
    pub reports_failures: bool,
    pub maximum_concurrency: Option<usize>,
    pub enabled: bool,
}

/// A schedule of EventBridge Scheduler (`ScheduleV2`) or an EventBridge rule (`Schedule`).
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The event's id in the template, by which it is fired.
    pub id: String,
    /// Its ARN, which the default event names.
    pub arn: String,
    /// [`Function::name`]
    pub function: String,
    /// As it stands: `rate(…)`, `cron(…)` or `at(…)`.
    pub expression: String,
    /// Of a rate; the stack fires the others only by hand.
    pub period: Option<Duration>,
    /// The event as JSON. Without it the function gets the event that EventBridge makes itself.
    pub input: Option<String>,
    pub enabled: bool,
}

impl Model {
    /// Mappings and schedules of all functions; last, since they refer to queues.
    pub(super) fn add_sources(&mut self, region: &str, account: &str) -> Result<(), TemplateError> {
        for function in &self.functions {
            for source in &function.sources {
                let at = format!("{} {}", function.id, source.id);
                let properties = Properties::new(&at, source.properties.clone())?;
                match source.kind.as_str() {
                    "SQS" => self.mappings.push(mapping(function, source, &properties, &self.queues)?),
                    "ScheduleV2" | "Schedule" => {
                        let schedule = schedule(function, source, &properties, region, account)?;
                        if self.schedules.iter().any(|other| other.id == schedule.id) {
                            return Err(TemplateError::new(at, "has the id of another schedule, by which it is fired"));
                        }
                        self.schedules.push(schedule);
                    }
                    other => {
                        return Err(TemplateError::new(
                            at,
                            format!("has the type {other}, which the local stack does not run"),
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

fn mapping(
    function: &Function,
    source: &EventSource,
    properties: &Properties,
    queues: &[Queue],
) -> Result<QueueMapping, TemplateError> {
    let arn = properties.required_text("Queue")?;
    let queue = queues.iter().find(|queue| queue.arn == arn);
    let queue = queue.ok_or_else(|| properties.error("Queue", &format!("is no queue of the template: {arn}")))?;
    if queue.visibility_timeout < function.timeout {
        let problem = format!(
            "is {}, whose visibility timeout of {} s is less than the {} s that {} may take",
            queue.id,
            queue.visibility_timeout.as_secs(),
            function.timeout.as_secs(),
            function.id
        );
        return Err(properties.error("Queue", &problem));
    }
    if properties.get("FilterCriteria").is_some() {
        return Err(properties.error("FilterCriteria", "is not supported by the local stack"));
    }
    let batch_size = properties.number_in("BatchSize", 1..=MAX_BATCH)?.unwrap_or(10);
    let window = properties.number_in("MaximumBatchingWindowInSeconds", 0..=MAX_WINDOW)?.unwrap_or(0);
    if batch_size > MAX_BATCH_WITHOUT_WINDOW && window == 0 {
        let problem = format!("over {MAX_BATCH_WITHOUT_WINDOW} needs a MaximumBatchingWindowInSeconds of at least 1");
        return Err(properties.error("BatchSize", &problem));
    }
    let scaling = properties.nested("ScalingConfig")?;
    let maximum_concurrency = scaling.map(|scaling| scaling.number_in("MaximumConcurrency", 2..=1_000)).transpose()?;
    Ok(QueueMapping {
        id: source.id.clone(),
        function: function.name.clone(),
        queue: queue.name.clone(),
        batch_size,
        window: Duration::from_secs(window),
        reports_failures: reports_failures(properties)?,
        maximum_concurrency: maximum_concurrency.flatten(),
        enabled: enabled(properties)?,
    })
}

fn reports_failures(properties: &Properties) -> Result<bool, TemplateError> {
    let types = properties.texts("FunctionResponseTypes");
    match types.iter().find(|kind| *kind != "ReportBatchItemFailures") {
        Some(other) => Err(properties.error("FunctionResponseTypes", &format!("has no {other}"))),
        None => Ok(!types.is_empty()),
    }
}

fn schedule(
    function: &Function,
    source: &EventSource,
    properties: &Properties,
    region: &str,
    account: &str,
) -> Result<Schedule, TemplateError> {
    // SAM names what it makes of an event after function and event.
    let name = properties.text("Name")?.unwrap_or_else(|| format!("{}{}", function.id, source.id));
    let (property, arn) = match source.kind.as_str() {
        "Schedule" => ("Schedule", format!("arn:aws:events:{region}:{account}:rule/{name}")),
        _ => ("ScheduleExpression", format!("arn:aws:scheduler:{region}:{account}:schedule/default/{name}")),
    };
    let expression = properties.required_text(property)?;
    let period = period(&expression).map_err(|problem| properties.error(property, problem))?;
    let input = properties.text("Input")?;
    if input.as_deref().is_some_and(|input| serde_json::from_str::<Value>(input).is_err()) {
        return Err(properties.error("Input", "must be JSON, since it is a function's event"));
    }
    Ok(Schedule {
        id: source.id.clone(),
        arn,
        function: function.name.clone(),
        expression,
        period,
        input,
        enabled: enabled(properties)?,
    })
}

/// `Enabled: true` of mappings and rules, `State: ENABLED` of schedules and rules.
fn enabled(properties: &Properties) -> Result<bool, TemplateError> {
    let state = properties.get("State").or_else(|| properties.get("Enabled")).map(to_text);
    match state.as_deref() {
        None | Some("true" | "ENABLED") => Ok(true),
        Some("false" | "DISABLED") => Ok(false),
        Some(_) => Err(properties.error("State or Enabled", "must be ENABLED or DISABLED, true or false")),
    }
}

/// The period of a rate; none for `cron(…)` and `at(…)`.
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>
fn period(expression: &str) -> Result<Option<Duration>, &'static str> {
    const PROBLEM: &str = "must be rate(<n> minutes|hours|days), cron(…) or at(…)";
    let (kind, rest) = expression.trim().split_once('(').ok_or(PROBLEM)?;
    let rest = rest.strip_suffix(')').ok_or(PROBLEM)?;
    match kind {
        "cron" | "at" if !rest.trim().is_empty() => return Ok(None),
        "rate" => {}
        _ => return Err(PROBLEM),
    }
    let (number, unit) = rest.trim().split_once(char::is_whitespace).ok_or(PROBLEM)?;
    let number: u32 = number.parse().map_err(|_| PROBLEM)?;
    let minutes = match unit.trim() {
        "minute" | "minutes" => 1,
        "hour" | "hours" => 60,
        "day" | "days" => 24 * 60,
        _ => return Err(PROBLEM),
    };
    if number == 0 {
        return Err(PROBLEM);
    }
    Ok(Some(Duration::from_secs(u64::from(number) * minutes * 60)))
}
