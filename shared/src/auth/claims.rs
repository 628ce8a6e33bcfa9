//! What a token says, and whether that speaks for a user. The signature has been checked.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    caller::{Caller, Role},
    refusal::Reason,
};
use crate::{
    config::{IssuerConfig, IssuerKind},
    ids::UserId,
};

/// How far the issuer's clock may be from ours, in seconds.
const LEEWAY: f64 = 60.0;
/// Beginning of a Cognito group that stands for a fleet.
const FLEET_GROUP: &str = "fleet:";

/// The claims that decide. A claim that is twice in the token is an error.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: Option<String>,
    /// Seconds since the epoch; RFC 7519 allows fractions.
    exp: Option<f64>,
    nbf: Option<f64>,
    aud: Option<Audience>,
    client_id: Option<String>,
    token_use: Option<String>,
    role: Option<String>,
    /// Only the issuer's service can write it. `user_metadata` is the user's own, and not read at all.
    app_metadata: Option<Value>,
    #[serde(rename = "cognito:groups")]
    groups: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, expected: &str) -> bool {
        match self {
            Self::One(audience) => audience == expected,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == expected),
        }
    }
}

impl Claims {
    /// Whom the token speaks for, if all its claims hold now.
    pub(super) fn caller(&self, issuer: &IssuerConfig, now: DateTime<Utc>) -> Result<Caller, Reason> {
        if self.iss != issuer.issuer {
            return Err(Reason::Issuer);
        }
        self.check_time(now)?;
        self.check_kind(issuer)?;
        let user_id = self.user_id().ok_or(Reason::Subject)?;
        let (role, fleets) = match issuer.kind {
            IssuerKind::Supabase => (self.supabase_role(), self.supabase_fleets()),
            IssuerKind::CognitoId | IssuerKind::CognitoAccess => (self.cognito_role(), self.cognito_fleets()),
        };
        Ok(Caller { user_id, role, fleets })
    }

    fn check_time(&self, now: DateTime<Utc>) -> Result<(), Reason> {
        // Exact: milliseconds since the epoch fit a double's 53 bits for 285,000 years.
        #[expect(clippy::cast_precision_loss, reason = "fits, see above")]
        let now = now.timestamp_millis() as f64 / 1000.0;
        let exp = self.exp.ok_or(Reason::Expired)?;
        if now > exp + LEEWAY {
            return Err(Reason::Expired);
        }
        if self.nbf.is_some_and(|nbf| now < nbf - LEEWAY) {
            return Err(Reason::NotYetValid);
        }
        Ok(())
    }

    fn check_kind(&self, issuer: &IssuerConfig) -> Result<(), Reason> {
        let audience = || self.aud.as_ref().is_some_and(|aud| aud.names(&issuer.audience));
        let (kind, audience) = match issuer.kind {
            // `anon` and `service_role` are keys of the project, not users.
            IssuerKind::Supabase => (self.role.as_deref() == Some("authenticated"), audience()),
            IssuerKind::CognitoId => (self.token_use.as_deref() == Some("id"), audience()),
            IssuerKind::CognitoAccess => {
                (self.token_use.as_deref() == Some("access"), self.client_id.as_ref() == Some(&issuer.audience))
            }
        };
        if !audience {
            return Err(Reason::Audience);
        }
        if !kind {
            return Err(Reason::Kind);
        }
        Ok(())
    }

    /// A UUID in its usual 36 characters.
    fn user_id(&self) -> Option<UserId> {
        let sub = self.sub.as_deref().filter(|sub| sub.len() == uuid::fmt::Hyphenated::LENGTH)?;
        Uuid::try_parse(sub).ok().map(UserId)
    }

    fn supabase_role(&self) -> Role {
        match self.app_metadata.as_ref().and_then(|data| data.get("role")).and_then(Value::as_str) {
            Some("admin") => Role::Admin,
            Some("trainer") => Role::Trainer,
            _ => Role::User,
        }
    }

    fn supabase_fleets(&self) -> Vec<String> {
        let fleets = self.app_metadata.as_ref().and_then(|data| data.get("fleets")).and_then(Value::as_array);
        fleets.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flatten().map(String::as_str)
    }

    fn cognito_role(&self) -> Role {
        if self.groups().any(|group| group == "admin") {
            Role::Admin
        } else if self.groups().any(|group| group == "trainer") {
            Role::Trainer
        } else {
            Role::User
        }
    }

    fn cognito_fleets(&self) -> Vec<String> {
        self.groups().filter_map(|group| group.strip_prefix(FLEET_GROUP)).map(str::to_owned).collect()
    }
}
