//! What each function may do: the statements of its policies, and which of them allows a call.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use super::needs::Need;
use super::pattern::Pattern;
use crate::lock::lock;
use crate::template::{Effect, Function, Site};

/// One action on one resource that a function's policies allow, both as the template has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    /// [`Function::name`]
    pub function: String,
    /// Such as `dynamodb:GetItem`.
    pub action: String,
    /// An ARN, possibly with wildcards.
    pub resource: String,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} on {}", self.function, self.action, self.resource)
    }
}

/// What a function was not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The session that its code runs in, as AWS names it.
    pub user: String,
    pub action: String,
    pub resource: String,
    /// A statement says so; otherwise none says that it may.
    pub explicit: bool,
}

/// All functions' permissions.
#[derive(Debug)]
pub struct Permissions {
    functions: BTreeMap<String, Role>,
    withheld: Mutex<Vec<Arc<Permission>>>,
}

/// What a function's code runs as.
#[derive(Debug)]
struct Role {
    user: String,
    grants: Vec<Grant>,
}

/// One action on one resource of a statement.
#[derive(Debug)]
struct Grant {
    effect: Effect,
    action: Pattern,
    resource: Pattern,
    permission: Arc<Permission>,
}

impl Permissions {
    pub fn new(functions: &[Function], site: &Site) -> Self {
        let functions = functions.iter().map(|function| (function.name.clone(), Role::of(function, site)));
        Self { functions: functions.collect(), withheld: Mutex::default() }
    }

    /// Everything that any function is allowed.
    pub fn all(&self) -> BTreeSet<Permission> {
        let grants = self.functions.values().flat_map(|role| &role.grants);
        let allowed = grants.filter(|grant| grant.effect == Effect::Allow);
        allowed.map(|grant| (*grant.permission).clone()).collect()
    }

    /// Whether there is anything that this caller may not do: functions are held to their policies, nobody else is.
    pub fn binds(&self, caller: &str) -> bool {
        self.functions.contains_key(caller)
    }

    /// What allows a function what it needs, or the first need that nothing allows. Who is no function may do everything.
    pub fn check(&self, function: &str, needs: &[Need]) -> Result<Vec<Arc<Permission>>, Denied> {
        let Some(role) = self.functions.get(function) else { return Ok(Vec::new()) };
        needs.iter().map(|need| self.allows(role, need)).collect()
    }

    fn allows(&self, role: &Role, need: &Need) -> Result<Arc<Permission>, Denied> {
        let denied = |explicit| {
            let (user, action, resource) = (role.user.clone(), need.action.clone(), need.resource.clone());
            Denied { user, action, resource, explicit }
        };
        let mut allowed = None;
        for grant in role.grants.iter().filter(|grant| grant.concerns(need)) {
            match grant.effect {
                Effect::Deny => return Err(denied(true)),
                Effect::Allow if allowed.is_none() && !lock(&self.withheld).contains(&grant.permission) => {
                    allowed = Some(Arc::clone(&grant.permission));
                }
                Effect::Allow => {}
            }
        }
        allowed.ok_or_else(|| denied(false))
    }

    fn find(&self, function: &str, action: &str, resource: &str) -> Option<Arc<Permission>> {
        let grants = self.functions.get(function)?.grants.iter().filter(|grant| grant.effect == Effect::Allow);
        let mut permissions = grants.map(|grant| &grant.permission);
        permissions.find(|permission| permission.action == action && permission.resource == resource).cloned()
    }

    /// Takes a permission away until what is returned is dropped; nothing where the function has no such permission.
    pub fn withhold(self: &Arc<Self>, function: &str, action: &str, resource: &str) -> Option<Withheld> {
        let permission = self.find(function, action, resource)?;
        lock(&self.withheld).push(Arc::clone(&permission));
        Some(Withheld { permissions: Arc::clone(self), permission })
    }
}

impl Role {
    fn of(function: &Function, site: &Site) -> Self {
        let mut grants = Vec::new();
        for statement in &function.policies {
            for action in &statement.actions {
                for resource in &statement.resources {
                    let permission = Permission {
                        function: function.name.clone(),
                        action: action.clone(),
                        resource: resource.clone(),
                    };
                    grants.push(Grant {
                        effect: statement.effect,
                        // IAM takes actions in any case, ARNs as they are.
                        action: Pattern::new(&action.to_ascii_lowercase()),
                        resource: Pattern::new(resource),
                        permission: Arc::new(permission),
                    });
                }
            }
        }
        let name = &function.function_name;
        // The role that SAM makes for a function; its session goes by the function's name.
        Self { user: format!("arn:aws:sts::{}:assumed-role/{name}Role/{name}", site.account), grants }
    }
}

impl Grant {
    fn concerns(&self, need: &Need) -> bool {
        self.resource.matches(&need.resource) && self.action.matches(&need.action.to_ascii_lowercase())
    }
}

/// A permission that is taken away while this lives.
#[derive(Debug)]
#[must_use = "the permission is back when this is dropped"]
pub struct Withheld {
    permissions: Arc<Permissions>,
    permission: Arc<Permission>,
}

impl Drop for Withheld {
    fn drop(&mut self) {
        let mut withheld = lock(&self.permissions.withheld);
        if let Some(at) = withheld.iter().position(|one| *one == self.permission) {
            withheld.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    fn site() -> Site {
        let [region, account, stack] = ["us-east-1", "000000000000", "local"].map(str::to_owned);
        Site { region, account, stack, api_id: String::new(), sqs_url: String::new() }
    }

    fn permissions(statements: &str) -> Arc<Permissions> {
        let template = format!(
            "Resources: {{ F: {{ Type: AWS::Serverless::Function, Properties: {{ CodeUri: functions/f, \
             Policies: {{ Version: '2012-10-17', Statement: [{statements}] }} }} }} }}"
        );
        let model = Template::parse(&template).unwrap().resolve(&site(), &BTreeMap::new()).unwrap();
        Arc::new(Permissions::new(&model.functions, &site()))
    }

    fn need(action: &str, resource: &str) -> Need {
        Need { action: action.to_owned(), resource: resource.to_owned() }
    }

    const READ: &str =
        "{ Effect: Allow, Action: [dynamodb:getitem, 's3:Get*'], Resource: ['arn:aws:x:::a', 'arn:aws:x:::b/*'] }";

    #[test]
    fn every_need_wants_a_statement_that_allows_it() {
        let permissions = permissions(READ);
        for (action, resource, allowed) in [
            ("dynamodb:GetItem", "arn:aws:x:::a", true),
            ("s3:GetObject", "arn:aws:x:::b/c", true),
            ("s3:GetObject", "arn:aws:x:::b", false),
            ("dynamodb:GetItem", "arn:aws:x:::A", false),
            ("dynamodb:PutItem", "arn:aws:x:::a", false),
        ] {
            assert_eq!(permissions.check("f", &[need(action, resource)]).is_ok(), allowed, "{action} {resource}");
        }
        let needs = [need("dynamodb:GetItem", "arn:aws:x:::a"), need("dynamodb:PutItem", "arn:aws:x:::a")];
        let denied = permissions.check("f", &needs).unwrap_err();
        assert_eq!((denied.action.as_str(), denied.explicit), ("dynamodb:PutItem", false));
        assert_eq!(denied.user, "arn:aws:sts::000000000000:assumed-role/local-FRole/local-F");
        assert!(permissions.check("somebody else", &needs).unwrap().is_empty());
    }

    #[test]
    fn what_a_statement_denies_no_other_allows() {
        let permissions =
            permissions(&format!("{READ}, {{ Effect: Deny, Action: 's3:*', Resource: 'arn:aws:x:::b/secret' }}"));
        assert!(permissions.check("f", &[need("s3:GetObject", "arn:aws:x:::b/c")]).is_ok());
        assert!(permissions.check("f", &[need("s3:GetObject", "arn:aws:x:::b/secret")]).unwrap_err().explicit);
        assert_eq!(permissions.all().len(), 4);
    }

    #[test]
    fn a_permission_is_gone_while_it_is_withheld() {
        let permissions = permissions(READ);
        let wanted = [need("dynamodb:GetItem", "arn:aws:x:::a")];
        let withheld = permissions.withhold("f", "dynamodb:getitem", "arn:aws:x:::a").unwrap();
        assert!(permissions.check("f", &wanted).is_err());
        drop(withheld);
        assert!(permissions.check("f", &wanted).is_ok());
        assert!(permissions.withhold("f", "dynamodb:GetItem", "arn:aws:x:::c").is_none());
    }
}
