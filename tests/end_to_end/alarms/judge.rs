//! What an alarm says of what was recorded. All that a stack recorded counts as one period.

use std::collections::BTreeMap;

use local::{
    Stack,
    template::{Alarm, MetricStat, Query},
};
use serde_json::Value;

use super::{OURS, expression};

/// Everything that a stack's functions recorded.
pub struct Records(Vec<Value>);

impl Records {
    pub fn of(stack: &Stack) -> Self {
        let functions = stack.model().functions.iter();
        Self(functions.flat_map(|function| stack.logs().metrics(&function.name)).collect())
    }

    /// Whether the metric is recorded, under exactly these dimensions and in the unit, if one is named.
    pub fn know(&self, stat: &MetricStat) -> bool {
        !self.values(stat).is_empty()
    }

    /// Every value that CloudWatch would have of the metric.
    pub fn values(&self, stat: &MetricStat) -> Vec<f64> {
        self.0.iter().filter(|record| tells(record, stat)).flat_map(|record| numbers(&record[&stat.metric])).collect()
    }

    /// The statistic; none where there is no data.
    pub fn statistic(&self, stat: &MetricStat) -> Option<f64> {
        let mut values = self.values(stat);
        values.sort_by(f64::total_cmp);
        let (least, largest) = (values.first()?, values.last()?);
        Some(match stat.stat.as_str() {
            "Sum" => values.iter().sum(),
            "Maximum" => *largest,
            "Minimum" => *least,
            percentile => {
                let share = percentile.strip_prefix('p').and_then(|share| share.parse::<f64>().ok());
                let share = share.unwrap_or_else(|| panic!("the statistic {percentile}"));
                // The first of which so many are not above it.
                let reached = (1..=values.len()).find(|rank| *rank as f64 >= share / 100.0 * values.len() as f64);
                values[reached.unwrap_or(values.len()) - 1]
            }
        })
    }

    /// What the alarm compares with its threshold; none where data is missing, which alarms nobody.
    pub fn measured(&self, alarm: &Alarm) -> Option<f64> {
        let (mut metrics, mut expression) = (BTreeMap::new(), None);
        for query in &alarm.queries {
            match query {
                Query::Stat { id, stat } => {
                    assert_eq!(stat.namespace, OURS, "{}", alarm.id);
                    metrics.insert(id.clone(), self.statistic(stat));
                }
                Query::Expression(text) => expression = Some(text),
            }
        }
        match expression {
            Some(text) => expression::value(text, &metrics),
            None => metrics.into_values().next().flatten(),
        }
    }

    pub fn alarm(&self, alarm: &Alarm) -> bool {
        self.measured(alarm).is_some_and(|value| alarm.comparison.holds(value, alarm.threshold))
    }
}

/// Fails unless all of these alarms go off.
#[track_caller]
pub fn assert_all_go_off(stack: &Stack, alarms: &[Alarm]) {
    let records = Records::of(stack);
    let silent: Vec<_> = alarms
        .iter()
        .filter(|alarm| !records.alarm(alarm))
        .map(|alarm| (&alarm.id, records.measured(alarm), alarm.threshold))
        .collect();
    assert!(silent.is_empty(), "silent, with what they measured and their thresholds: {silent:?}");
}

/// Whether a record tells CloudWatch this metric: of the alarm's namespace, one of its dimension sets has the alarm's names and
/// no others, with the alarm's values, and the unit is the alarm's.
fn tells(record: &Value, stat: &MetricStat) -> bool {
    let directives = record["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten();
    directives.filter(|directive| directive["Namespace"] == stat.namespace.as_str()).any(|directive| {
        let mut sets = directive["Dimensions"].as_array().into_iter().flatten().filter_map(Value::as_array);
        let of_metric = |set: &Vec<Value>| {
            set.len() == stat.dimensions.len()
                && stat.dimensions.iter().all(|(name, value)| set.iter().any(|it| it == name) && record[name] == *value)
        };
        let metric =
            directive["Metrics"].as_array().into_iter().flatten().find(|it| it["Name"] == stat.metric.as_str());
        let unit = |metric: &Value| stat.unit.as_deref().is_none_or(|unit| metric["Unit"] == unit);
        sets.any(of_metric) && metric.is_some_and(unit)
    })
}

/// One number, or several with how often each occurred.
fn numbers(value: &Value) -> Vec<f64> {
    let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    match value.as_f64() {
        Some(number) => vec![number],
        None => {
            let counts = list("Counts");
            let count = |at: usize| counts.get(at).map_or(1, |count| usize::try_from(count.as_u64().unwrap()).unwrap());
            let values = list("Values").into_iter().filter_map(|it| it.as_f64()).enumerate();
            values.flat_map(|(at, number)| vec![number; count(at)]).collect()
        }
    }
}
