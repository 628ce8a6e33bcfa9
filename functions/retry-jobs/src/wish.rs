//! What is asked for.

use serde_json::Value;
use shared::{
    domain::invalid::{Fields, Invalid, text},
    jobs::Job,
    openapi::{self, Body},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// Most jobs of one call, and how many it is where nobody says.
const LIMIT: usize = 1_000;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub kinds: Vec<&'static str>,
    pub limit: usize,
}

impl Wish {
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let kind = fields.optional("job_type", kind);
        let limit = fields.optional("limit", limit);
        fields.finish(|| {
            let kinds = kind.map_or_else(|| Job::TYPES.to_vec(), |kind| vec![kind]);
            Some(Self { kinds, limit: limit.unwrap_or(LIMIT) })
        })
    }
}

impl PartialSchema for Wish {
    fn schema() -> RefOr<Schema> {
        let limit = openapi::whole(1..=LIMIT).default(Some(LIMIT.into()));
        Body::of("Which dead jobs get another go: all, unless it says which.")
            .optional("job_type", "Only jobs of this type.", openapi::one_of(Job::TYPES))
            .optional("limit", "Most jobs of this call.", limit)
            .into()
    }
}

impl ToSchema for Wish {}

fn kind(value: &Value) -> Result<&'static str, Invalid> {
    let wanted = text(value)?;
    Job::TYPES.into_iter().find(|kind| *kind == wanted).ok_or_else(|| Invalid::not_one_of(Job::TYPES))
}

fn limit(value: &Value) -> Result<usize, Invalid> {
    let limit = value.as_u64().and_then(|limit| usize::try_from(limit).ok());
    limit
        .filter(|limit| (1..=LIMIT).contains(limit))
        .ok_or_else(|| Invalid::new(format!("must be a whole number from 1 to {LIMIT}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_fields_may_be_left_out() {
        let all = Wish { kinds: Job::TYPES.to_vec(), limit: 1_000 };
        for body in [json!({}), json!({ "job_type": null, "limit": null }), json!({ "limit": 1000, "more": 1 })] {
            assert_eq!(Wish::parse(&body), Ok(all.clone()), "{body}");
        }
        let body = json!({ "job_type": "terra_ingest", "limit": 1 });
        assert_eq!(Wish::parse(&body), Ok(Wish { kinds: vec!["terra_ingest"], limit: 1 }));
    }

    #[test]
    fn every_fault_is_named_at_its_place() {
        for (body, pointers) in [
            (json!([]), vec![""]),
            (json!({ "job_type": "x" }), vec!["/job_type"]),
            (json!({ "job_type": 7 }), vec!["/job_type"]),
            (json!({ "limit": 0 }), vec!["/limit"]),
            (json!({ "limit": 1001 }), vec!["/limit"]),
            (json!({ "limit": -1 }), vec!["/limit"]),
            (json!({ "limit": 1.5 }), vec!["/limit"]),
            (json!({ "limit": "10" }), vec!["/limit"]),
            (json!({ "job_type": "", "limit": true }), vec!["/job_type", "/limit"]),
        ] {
            let invalid = Wish::parse(&body).unwrap_err();
            let found: Vec<_> = invalid.0.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{body}");
        }
    }
}
