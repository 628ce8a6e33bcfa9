//! Secrets: which there are, and where they are kept.

use std::fmt;

use serde::Deserialize;

use super::IssuerConfig;

/// Names in the secret that a function may require beside its variables. A provider's key is needed only where the
/// provider is configured, and the secret of older Supabase projects by every function that verifies tokens.
pub mod secret {
    pub const CAMERA_API_KEY: &str = "camera_api_key";
    pub const ROBOFLOW_API_KEY: &str = "roboflow_api_key";
    pub const SUPABASE_JWT_SECRET: &str = "supabase_jwt_secret";
    pub const TERRA_SIGNING_SECRET: &str = "terra_signing_secret";
}

/// Where the function's secrets are, empty where it has none; and what of them it can't work without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretsConfig {
    pub arn: String,
    pub needed: Vec<&'static str>,
}

/// A string that never shows itself in a log.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself, to be handed on and not kept.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

pub(super) fn is_secret(name: &str) -> bool {
    let all =
        [secret::CAMERA_API_KEY, secret::ROBOFLOW_API_KEY, secret::SUPABASE_JWT_SECRET, secret::TERRA_SIGNING_SECRET];
    all.contains(&name)
}

/// Of the secrets that the function requires, those that its configuration makes use of; and what its issuers sign with.
pub(super) fn needed(
    required: &[&'static str],
    camera: bool,
    roboflow: bool,
    issuers: &[IssuerConfig],
) -> Vec<&'static str> {
    let used = |name: &&'static str| match *name {
        secret::CAMERA_API_KEY => camera,
        secret::ROBOFLOW_API_KEY => roboflow,
        _ => true,
    };
    let of_issuers = issuers.iter().any(|issuer| issuer.hs256).then_some(secret::SUPABASE_JWT_SECRET);
    required.iter().copied().filter(used).chain(of_issuers).collect()
}
