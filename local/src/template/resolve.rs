//! Intrinsic functions, pseudo parameters, parameters and conditions. Only what is asked for is resolved, so a resource
//! that the stack does not run may use what it does not know.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Site, TemplateError};

/// Deeper than any template that is not circular.
const MAX_DEPTH: u32 = 64;

pub struct Resolver<'a> {
    pub document: &'a Value,
    pub site: &'a Site,
    pub parameters: BTreeMap<String, Value>,
    depth: Cell<u32>,
}

type Resolved = Result<Value, TemplateError>;

impl<'a> Resolver<'a> {
    pub fn new(document: &'a Value, site: &'a Site, parameters: BTreeMap<String, Value>) -> Self {
        Self { document, site, parameters, depth: Cell::new(0) }
    }

    /// The value with everything resolved. `at` names the resource in errors. What is `AWS::NoValue` is left out.
    pub fn resolve(&self, at: &str, value: &Value) -> Resolved {
        if self.depth.get() >= MAX_DEPTH {
            return Err(TemplateError::new(at, "refers to itself"));
        }
        self.depth.set(self.depth.get() + 1);
        let resolved = self.resolve_one(at, value);
        self.depth.set(self.depth.get() - 1);
        resolved
    }

    fn resolve_one(&self, at: &str, value: &Value) -> Resolved {
        match value {
            Value::Array(items) => {
                let items = items.iter().map(|item| self.resolve(at, item)).collect::<Result<Vec<_>, _>>()?;
                Ok(Value::Array(items.into_iter().filter(|item| !item.is_null()).collect()))
            }
            Value::Object(map) => match single(map) {
                Some(("Ref", name)) => self.reference(at, text(at, "Ref", name)?),
                Some((function, argument)) if function.starts_with("Fn::") => self.call(at, function, argument),
                _ => self.resolve_map(at, map),
            },
            other => Ok(other.clone()),
        }
    }

    fn resolve_map(&self, at: &str, map: &Map<String, Value>) -> Resolved {
        let mut resolved = Map::new();
        for (key, value) in map {
            let value = self.resolve(at, value)?;
            if !value.is_null() {
                resolved.insert(key.clone(), value);
            }
        }
        Ok(Value::Object(resolved))
    }

    fn call(&self, at: &str, function: &str, argument: &Value) -> Resolved {
        match function {
            "Fn::Sub" => self.sub(at, argument),
            "Fn::GetAtt" if argument.is_string() => self.sub(at, &json!(format!("${{{}}}", to_text(argument)))),
            "Fn::GetAtt" => {
                let (resource, attribute) = pair(at, function, argument)?;
                self.attribute(at, text(at, function, resource)?, text(at, function, attribute)?)
            }
            "Fn::If" => {
                let [condition, yes, no] = triple(at, function, argument)?;
                let chosen = if self.condition(at, text(at, function, condition)?)? { yes } else { no };
                self.resolve(at, chosen)
            }
            "Fn::Join" => {
                let (separator, items) = pair(at, function, argument)?;
                let items = self.texts(at, function, items)?;
                Ok(Value::String(items.join(text(at, function, separator)?)))
            }
            "Fn::Split" => {
                let (separator, source) = pair(at, function, argument)?;
                let source = self.resolve(at, source)?;
                let separator = text(at, function, separator)?;
                Ok(text(at, function, &source)?.split(separator).map(str::to_owned).collect())
            }
            "Fn::Select" => {
                let (index, items) = pair(at, function, argument)?;
                let items = self.resolve(at, items)?;
                let index = to_text(&self.resolve(at, index)?).parse::<usize>().ok();
                index
                    .and_then(|index| items.get(index))
                    .cloned()
                    .ok_or_else(|| TemplateError::new(at, "Fn::Select asks for an item that is not there"))
            }
            "Fn::FindInMap" => {
                let keys = self.texts(at, function, argument)?;
                let path = format!("/Mappings/{}", keys.join("/"));
                self.document
                    .pointer(&path)
                    .cloned()
                    .ok_or_else(|| TemplateError::new(at, format!("{path} is not there")))
            }
            "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" => {
                Ok(Value::Bool(self.truth(at, &json!({ function: argument }))?))
            }
            _ => Err(TemplateError::new(at, format!("uses {function}, which the local stack does not know"))),
        }
    }

    fn texts(&self, at: &str, function: &str, items: &Value) -> Result<Vec<String>, TemplateError> {
        match self.resolve(at, items)? {
            Value::Array(items) => Ok(items.iter().map(to_text).collect()),
            other => Err(TemplateError::new(at, format!("{function} wants a list, not {other}"))),
        }
    }

    /// `${Name}`, `${Resource.Attribute}`, `${Variable}` of the second form's map, and `${!Literal}`.
    fn sub(&self, at: &str, argument: &Value) -> Resolved {
        let (format, variables) = match argument {
            Value::Array(parts) => match parts.as_slice() {
                [format, variables] => (text(at, "Fn::Sub", format)?, self.resolve(at, variables)?),
                _ => return Err(TemplateError::new(at, "Fn::Sub wants a text and a map")),
            },
            other => (text(at, "Fn::Sub", other)?, Value::Null),
        };
        let mut result = String::new();
        let mut rest = format;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| TemplateError::new(at, format!("Fn::Sub: no end of ${{ in {format}")))?;
            result.push_str(before);
            result.push_str(&match (name.strip_prefix('!'), variables.get(name), name.split_once('.')) {
                (Some(literal), ..) => format!("${{{literal}}}"),
                (_, Some(value), _) => to_text(value),
                (.., Some((resource, attribute))) => to_text(&self.attribute(at, resource, attribute)?),
                (None, None, None) => to_text(&self.reference(at, name)?),
            });
            rest = after;
        }
        result.push_str(rest);
        Ok(Value::String(result))
    }

    fn reference(&self, at: &str, name: &str) -> Resolved {
        let pseudo = match name {
            "AWS::NoValue" => return Ok(Value::Null),
            "AWS::Region" => &self.site.region,
            "AWS::AccountId" => &self.site.account,
            "AWS::StackName" => &self.site.stack,
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => "amazonaws.com",
            "AWS::StackId" => {
                let Site { region, account, stack, .. } = self.site;
                return Ok(json!(format!("arn:aws:cloudformation:{region}:{account}:stack/{stack}/local")));
            }
            _ => match self.parameters.get(name) {
                Some(value) => return Ok(value.clone()),
                None => return self.resource_reference(at, name),
            },
        };
        Ok(json!(pseudo))
    }

    pub fn truth(&self, at: &str, value: &Value) -> Result<bool, TemplateError> {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        match value.as_object().and_then(single) {
            Some(("Condition", name)) => self.condition(at, text(at, "Condition", name)?),
            Some(("Fn::Equals", pair_of)) => {
                let (left, right) = pair(at, "Fn::Equals", pair_of)?;
                Ok(to_text(&self.resolve(at, left)?) == to_text(&self.resolve(at, right)?))
            }
            Some(("Fn::Not", one)) => Ok(!self.truth(at, list(one).first().unwrap_or(&Value::Null))?),
            Some(("Fn::And", all)) => {
                list(all).iter().try_fold(true, |so_far, item| Ok(self.truth(at, item)? && so_far))
            }
            Some(("Fn::Or", any)) => {
                list(any).iter().try_fold(false, |so_far, item| Ok(self.truth(at, item)? || so_far))
            }
            _ => Err(TemplateError::new(at, format!("{value} is no condition"))),
        }
    }

    pub fn condition(&self, at: &str, name: &str) -> Result<bool, TemplateError> {
        let condition = self.document.get("Conditions").and_then(|all| all.get(name));
        let condition = condition.ok_or_else(|| TemplateError::new(at, format!("there is no condition {name}")))?;
        self.truth(at, condition)
    }
}

fn single(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    match map.len() {
        1 => map.iter().next().map(|(key, value)| (key.as_str(), value)),
        _ => None,
    }
}

fn text<'v>(at: &str, function: &str, value: &'v Value) -> Result<&'v str, TemplateError> {
    value.as_str().ok_or_else(|| TemplateError::new(at, format!("{function} wants a text, not {value}")))
}

fn pair<'v>(at: &str, function: &str, value: &'v Value) -> Result<(&'v Value, &'v Value), TemplateError> {
    match value.as_array().map(Vec::as_slice) {
        Some([first, second]) => Ok((first, second)),
        _ => Err(TemplateError::new(at, format!("{function} wants two values"))),
    }
}

fn triple<'v>(at: &str, function: &str, value: &'v Value) -> Result<[&'v Value; 3], TemplateError> {
    match value.as_array().map(Vec::as_slice) {
        Some([first, second, third]) => Ok([first, second, third]),
        _ => Err(TemplateError::new(at, format!("{function} wants three values"))),
    }
}

/// As CloudFormation writes a value into a text: a list of texts with commas.
pub fn to_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(to_text).collect::<Vec<_>>().join(","),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
