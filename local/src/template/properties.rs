//! Typed access to a resource's resolved properties, with errors that name resource and property.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::TemplateError;
use super::resolve::{Resolver, to_text};

pub struct Properties {
    pub id: String,
    map: Map<String, Value>,
}

impl Properties {
    pub fn resolved(resolver: &Resolver, id: &str, resource: &Value) -> Result<Self, TemplateError> {
        let empty = Value::Object(Map::new());
        Self::new(id, resolver.resolve(id, resource.get("Properties").unwrap_or(&empty))?)
    }

    pub fn new(id: &str, properties: Value) -> Result<Self, TemplateError> {
        match properties {
            Value::Object(map) => Ok(Self { id: id.to_owned(), map }),
            Value::Null => Ok(Self { id: id.to_owned(), map: Map::new() }),
            _ => Err(TemplateError::new(id, "has Properties that are no map")),
        }
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    pub fn error(&self, name: &str, problem: &str) -> TemplateError {
        TemplateError::new(&self.id, format!("{name} {problem}"))
    }

    pub fn text(&self, name: &str) -> Result<Option<String>, TemplateError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(_) | Value::Object(_)) => Err(self.error(name, "must be a text")),
            Some(value) => Ok(Some(to_text(value))),
        }
    }

    pub fn required_text(&self, name: &str) -> Result<String, TemplateError> {
        self.text(name)?.ok_or_else(|| self.error(name, "is missing"))
    }

    /// CloudFormation takes `30` and `"30"` alike.
    pub fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, TemplateError> {
        match self.text(name)? {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| self.error(name, "must be a number in range")),
        }
    }

    pub fn number_in<T>(&self, name: &str, range: RangeInclusive<T>) -> Result<Option<T>, TemplateError>
    where
        T: FromStr + PartialOrd + Display,
    {
        match self.number(name)? {
            Some(number) if !range.contains(&number) => {
                Err(self.error(name, &format!("must be between {} and {}", range.start(), range.end())))
            }
            number => Ok(number),
        }
    }

    /// A list of texts; a single text counts as a list of one.
    pub fn texts(&self, name: &str) -> Vec<String> {
        match self.get(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => items.iter().map(to_text).collect(),
            Some(one) => vec![to_text(one)],
        }
    }

    pub fn nested(&self, name: &str) -> Result<Option<Self>, TemplateError> {
        self.get(name).map(|inner| Self::new(&format!("{} {name}", self.id), inner.clone())).transpose()
    }

    pub fn entries(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.map.iter()
    }
}
