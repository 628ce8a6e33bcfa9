//! Calls without which the code goes on, on purpose: then it is no answer that tells, but something else.

use local::front::Permission;

/// Function (all where it is empty), action, end of the resource, and what tells.
const LIVED_WITHOUT: &[(&str, &str, &str, &str)] = &[
    ("", "dynamodb:UpdateItem", "ControlTable", "the limiter lets callers pass and counts limiter_unavailable"),
    ("", "dynamodb:GetItem", "ControlTable", "blocks and full windows of other instances are not known"),
    ("", "dynamodb:PutItem", "ControlTable", "a block, or a breaker's state, stays with one instance"),
    ("health-check", "dynamodb:BatchGetItem", "ControlTable", "the report has no figures of the day"),
    ("health-check", "dynamodb:Query", "/index/active", "the report does not say how many sessions are active"),
    ("health-check", "dynamodb:Query", "/index/dead", "the report does not say how many jobs are dead"),
    ("health-check", "s3:ListBucket", "", "the report says that storage failed"),
    ("job-worker", "sqs:ChangeMessageVisibility", "local-jobs", "a message comes back later; the log says so"),
];

pub fn may_be_lived_without(permission: &Permission) -> bool {
    LIVED_WITHOUT.iter().any(|(function, action, resource, _)| {
        (function.is_empty() || *function == permission.function)
            && *action == permission.action
            && permission.resource.ends_with(resource)
    })
}
