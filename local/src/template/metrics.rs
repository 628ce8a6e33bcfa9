//! The metrics that the template's alarms and dashboard name: what the functions must record for them to mean anything.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::properties::Properties;
use super::resolve::{Resolver, to_text};
use super::{Site, Template, TemplateError, parameters};

/// What is looked at of a running system.
#[derive(Debug, Default)]
pub struct Observed {
    pub alarms: Vec<Alarm>,
    pub widgets: Vec<Widget>,
}

/// An alarm on one metric, or on an expression of several.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// Logical id; of a nested stack's the stack's before it: `StartSessionRoute.Latency`.
    pub id: String,
    pub queries: Vec<Query>,
    pub comparison: Comparison,
    pub threshold: f64,
}

/// One of the metrics or expressions of an alarm.
#[derive(Debug, Clone)]
pub enum Query {
    Stat {
        id: String,
        stat: MetricStat,
    },
    /// What is compared with the threshold.
    Expression(String),
}

/// A statistic of a metric over a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricStat {
    pub namespace: String,
    pub metric: String,
    pub dimensions: BTreeMap<String, String>,
    /// `Sum`, `Maximum`, `p95`, ….
    pub stat: String,
    pub unit: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Above,
    AtLeast,
}

/// A widget of the dashboard with the metrics that it shows.
#[derive(Debug, Clone)]
pub struct Widget {
    pub title: String,
    pub metrics: Vec<MetricStat>,
}

impl Comparison {
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Above => value > threshold,
            Self::AtLeast => value >= threshold,
        }
    }
}

impl Template {
    /// Alarms and dashboard of this template, whose nested templates lie below `directory`.
    pub fn observed(
        &self,
        directory: &Path,
        site: &Site,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Observed, TemplateError> {
        let resolver = Resolver::new(&self.document, site, parameters::values(&self.document, overrides)?);
        let mut observed = Observed::default();
        for (id, resource) in self.resources() {
            let properties = || Properties::resolved(&resolver, id, resource);
            match resource.get("Type").and_then(Value::as_str) {
                Some("AWS::CloudWatch::Alarm") => observed.alarms.push(alarm(id, &properties()?)?),
                Some("AWS::CloudWatch::Dashboard") => observed.widgets.extend(widgets(&properties()?)?),
                Some("AWS::CloudFormation::Stack") => {
                    let nested = nested(directory, site, &properties()?)?;
                    observed.widgets.extend(nested.widgets);
                    let alarms = nested.alarms.into_iter();
                    observed.alarms.extend(alarms.map(|alarm| Alarm { id: format!("{id}.{}", alarm.id), ..alarm }));
                }
                _ => {}
            }
        }
        Ok(observed)
    }
}

fn nested(directory: &Path, site: &Site, stack: &Properties) -> Result<Observed, TemplateError> {
    let template = Template::read(&directory.join(stack.required_text("TemplateURL")?))?;
    let parameters = stack.nested("Parameters")?;
    let parameters = parameters.iter().flat_map(Properties::entries);
    let overrides = parameters.map(|(name, value)| (name.clone(), to_text(value))).collect();
    template.observed(directory, site, &overrides)
}

fn alarm(id: &str, properties: &Properties) -> Result<Alarm, TemplateError> {
    let comparison = match properties.required_text("ComparisonOperator")?.as_str() {
        "GreaterThanThreshold" => Comparison::Above,
        "GreaterThanOrEqualToThreshold" => Comparison::AtLeast,
        other => return Err(properties.error("ComparisonOperator", &format!("is {other}, which is not known here"))),
    };
    let threshold = properties.number("Threshold")?.ok_or_else(|| properties.error("Threshold", "is missing"))?;
    let queries = match properties.get("Metrics") {
        Some(Value::Array(metrics)) => {
            let query = |metric: &Value| query(&Properties::new(&format!("{id} Metrics"), metric.clone())?);
            metrics.iter().map(query).collect::<Result<_, _>>()?
        }
        _ => {
            let name = if properties.get("ExtendedStatistic").is_some() { "ExtendedStatistic" } else { "Statistic" };
            let stat = stat(properties, properties.required_text(name)?, properties.text("Unit")?)?;
            vec![Query::Stat { id: "metric".to_owned(), stat }]
        }
    };
    Ok(Alarm { id: id.to_owned(), queries, comparison, threshold })
}

fn query(properties: &Properties) -> Result<Query, TemplateError> {
    if let Some(expression) = properties.text("Expression")? {
        return Ok(Query::Expression(expression));
    }
    let of = |part: Option<Properties>| part.ok_or_else(|| properties.error("MetricStat", "is not whole"));
    let settings = of(properties.nested("MetricStat")?)?;
    let metric = of(settings.nested("Metric")?)?;
    let stat = stat(&metric, settings.required_text("Stat")?, settings.text("Unit")?)?;
    Ok(Query::Stat { id: properties.required_text("Id")?, stat })
}

fn stat(metric: &Properties, stat: String, unit: Option<String>) -> Result<MetricStat, TemplateError> {
    let mut dimensions = BTreeMap::new();
    for dimension in metric.get("Dimensions").and_then(Value::as_array).into_iter().flatten() {
        let dimension = Properties::new(&metric.id, dimension.clone())?;
        dimensions.insert(dimension.required_text("Name")?, dimension.required_text("Value")?);
    }
    let (namespace, name) = (metric.required_text("Namespace")?, metric.required_text("MetricName")?);
    Ok(MetricStat { namespace, metric: name, dimensions, stat, unit })
}

/// `[namespace, metric, dimension, value, …, {options}]`; an expression has options alone.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>
fn widgets(properties: &Properties) -> Result<Vec<Widget>, TemplateError> {
    let body: Value = serde_json::from_str(&properties.required_text("DashboardBody")?)
        .map_err(|error| properties.error("DashboardBody", &format!("is no JSON: {error}")))?;
    let widgets = body.get("widgets").and_then(Value::as_array).into_iter().flatten();
    Ok(widgets.map(|widget| widget_of(&widget["properties"])).collect())
}

fn widget_of(widget: &Value) -> Widget {
    let lines = widget["metrics"].as_array().into_iter().flatten().filter_map(Value::as_array);
    let metric = |line: &Vec<Value>| {
        let options = line.iter().find(|part| part.is_object());
        let stat = options.and_then(|options| options.get("stat")).unwrap_or(&widget["stat"]);
        let texts: Vec<&str> = line.iter().filter_map(Value::as_str).collect();
        let [namespace, metric, dimensions @ ..] = texts.as_slice() else { return None };
        let pairs = dimensions.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
        Some(MetricStat {
            namespace: (*namespace).to_owned(),
            metric: (*metric).to_owned(),
            dimensions: pairs.collect(),
            stat: to_text(stat),
            unit: None,
        })
    };
    Widget { title: to_text(&widget["title"]), metrics: lines.filter_map(metric).collect() }
}
