//! Parameters: defaults, overrides, and the checks that CloudFormation makes before it starts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::TemplateError;
use super::resolve::to_text;

pub fn values(
    document: &Value,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, TemplateError> {
    let declared = document.get("Parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(unknown) = overrides.keys().find(|name| !declared.contains_key(*name)) {
        return Err(TemplateError::new(unknown, "is no parameter of the template"));
    }
    declared.iter().map(|(name, declaration)| Ok((name.clone(), value(name, declaration, overrides)?))).collect()
}

fn value(name: &str, declaration: &Value, overrides: &BTreeMap<String, String>) -> Result<Value, TemplateError> {
    let text = match (overrides.get(name), declaration.get("Default")) {
        (Some(text), _) => text.clone(),
        (None, Some(default)) => to_text(default),
        (None, None) => return Err(TemplateError::new(name, "has no default and was not given")),
    };
    if let Some(allowed) = declaration.get("AllowedValues").and_then(Value::as_array)
        && !allowed.iter().any(|candidate| to_text(candidate) == text)
    {
        return Err(TemplateError::new(name, format!("is {text:?}, which is not one of the allowed values")));
    }
    let kind = declaration.get("Type").and_then(Value::as_str).unwrap_or_default();
    match kind {
        "Number" if text.parse::<f64>().is_err() => Err(TemplateError::new(name, format!("is no number: {text:?}"))),
        "CommaDelimitedList" if text.is_empty() => Ok(json!([])),
        "CommaDelimitedList" => Ok(text.split(',').map(|item| json!(item.trim())).collect()),
        _ => Ok(Value::String(text)),
    }
}
