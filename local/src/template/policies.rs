//! A function's `Policies`: what IAM lets its code do. Statements are read as they stand; what the local stack could not hold
//! a function to is an error, since a policy that is passed over would pass every test.

use serde_json::Value;

use super::TemplateError;
use super::properties::Properties;

/// The version whose statements have wildcards and the like as they are read here; without it AWS takes an older one.
const VERSION: &str = "2012-10-17";

/// A statement of an identity-based policy. It concerns every one of its actions on every one of its resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub effect: Effect,
    /// Such as `dynamodb:GetItem`; `*` and `?` stand for any characters.
    pub actions: Vec<String>,
    /// ARNs, with the same wildcards, or `*`.
    pub resources: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// All statements of a function with these properties.
pub fn statements(function: &Properties) -> Result<Vec<Statement>, TemplateError> {
    let policies = match function.get("Policies") {
        None => return Ok(Vec::new()),
        Some(Value::Array(policies)) => policies.as_slice(),
        Some(policy) => std::slice::from_ref(policy),
    };
    let mut statements = Vec::new();
    for (at, policy) in (1..).zip(policies) {
        let policy = Properties::new(&format!("{} Policies {at}", function.id), policy.clone())
            .map_err(|_| function.error("Policies", &format!("{at} {NO_INLINE}")))?;
        statements.extend(of_policy(&policy)?);
    }
    Ok(statements)
}

/// A managed policy is a text, a template of SAM's a map with its name.
const NO_INLINE: &str =
    "is no policy with statements of its own: which actions and resources it allows is not known here";

fn of_policy(policy: &Properties) -> Result<Vec<Statement>, TemplateError> {
    only(policy, &["Version", "Id", "Statement"], NO_INLINE)?;
    if policy.text("Version")?.as_deref() != Some(VERSION) {
        return Err(policy.error("Version", &format!("must be \"{VERSION}\"")));
    }
    let statements = match policy.get("Statement") {
        None => return Err(policy.error("Statement", "is missing")),
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement) => std::slice::from_ref(statement),
    };
    let place = |at: usize| format!("{} Statement {at}", policy.id);
    (1..)
        .zip(statements)
        .map(|(at, statement)| of_statement(&Properties::new(&place(at), statement.clone())?))
        .collect()
}

fn of_statement(statement: &Properties) -> Result<Statement, TemplateError> {
    only(statement, &["Sid", "Effect", "Action", "Resource"], "is not supported by the local stack")?;
    let effect = match statement.required_text("Effect")?.as_str() {
        "Allow" => Effect::Allow,
        "Deny" => Effect::Deny,
        _ => return Err(statement.error("Effect", "must be Allow or Deny")),
    };
    let actions = list(statement, "Action", "<service>:<action> or *", |action| {
        action == "*" || action.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
    })?;
    let resources = list(statement, "Resource", "an ARN or *", |resource| {
        resource == "*" || (resource.starts_with("arn:") && resource.splitn(6, ':').count() == 6)
    })?;
    Ok(Statement { effect, actions, resources })
}

fn only(properties: &Properties, known: &[&str], problem: &str) -> Result<(), TemplateError> {
    match properties.entries().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(properties.error(name, problem)),
        None => Ok(()),
    }
}

/// The texts under a name, one or several, each of the right form.
fn list(
    statement: &Properties,
    name: &str,
    form: &str,
    is_good: impl Fn(&str) -> bool,
) -> Result<Vec<String>, TemplateError> {
    let items = match statement.get(name) {
        None => return Err(statement.error(name, "is missing")),
        Some(Value::Array(items)) if items.is_empty() => return Err(statement.error(name, "is empty")),
        Some(Value::Array(items)) => items.as_slice(),
        Some(item) => std::slice::from_ref(item),
    };
    let text = |item: &Value| {
        let text = item.as_str().filter(|text| is_good(text));
        text.map(str::to_owned).ok_or_else(|| statement.error(name, &format!("must be {form}, which {item} is not")))
    };
    items.iter().map(text).collect()
}
