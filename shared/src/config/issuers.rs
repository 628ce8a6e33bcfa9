//! Whose tokens are accepted.

use serde::Deserialize;

use super::{name, providers::insecure};

/// An issuer whose tokens are accepted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Compared with `iss` byte by byte.
    pub issuer: String,
    pub kind: IssuerKind,
    /// Expected `aud`; for Cognito access tokens the expected `client_id`.
    pub audience: String,
    /// Where the keys are; by default `<issuer>/.well-known/jwks.json`.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// Whether tokens of an older Supabase project are taken, which are signed with a shared secret; by
    /// `SUPABASE_HS256`, for all issuers of that kind.
    #[serde(skip)]
    pub hs256: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerKind {
    Supabase,
    /// Id tokens: `aud` is the client.
    CognitoId,
    /// Access tokens: no `aud`, `client_id` instead.
    CognitoAccess,
}

impl IssuerConfig {
    /// Where the issuer publishes its keys.
    pub fn keys_url(&self) -> String {
        self.jwks_url.clone().unwrap_or_else(|| format!("{}/.well-known/jwks.json", self.issuer.trim_end_matches('/')))
    }
}

pub(super) fn read(get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Vec<IssuerConfig> {
    let Some(text) = get(name::AUTH_ISSUERS) else { return Vec::new() };
    let mut issuers: Vec<IssuerConfig> = match serde_json::from_str(&text) {
        Ok(issuers) => issuers,
        Err(err) => {
            faults.push(format!("AUTH_ISSUERS is not a list of issuers: {err}"));
            return Vec::new();
        }
    };
    let hs256 = get("SUPABASE_HS256").is_some_and(|flag| flag == "true");
    for issuer in &mut issuers {
        issuer.hs256 = hs256 && issuer.kind == IssuerKind::Supabase;
        if let Some(fault) = insecure(&issuer.keys_url()) {
            faults.push(format!("AUTH_ISSUERS: {} {fault}", issuer.issuer));
        }
    }
    issuers
}
