//! What the secret holds.

use std::collections::BTreeMap;

use crate::config::{Secret, secret};

/// The secrets by name; one that is empty counts as absent, so that a secret can be laid out before all of it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    pub camera_api_key: Option<Secret>,
    pub roboflow_api_key: Option<Secret>,
    pub terra_signing_secret: Option<Secret>,
    /// The one before it, for as long as Terra may still sign with it.
    pub terra_signing_secret_previous: Option<Secret>,
    /// HS256 secret of an older Supabase project.
    pub supabase_jwt_secret: Option<Secret>,
}

impl Values {
    /// Reads the secret's text. What is wrong with it is said without repeating any of it.
    pub(super) fn parse(text: &str, needed: &[&'static str]) -> Result<Self, String> {
        // The parser's own message may quote what it stumbled over.
        let texts: BTreeMap<String, Option<Secret>> =
            serde_json::from_str(text).map_err(|_| "it is no JSON object of texts".to_owned())?;
        let held = |name: &str| texts.get(name)?.clone().filter(|secret| !secret.expose().trim().is_empty());
        let missing: Vec<&str> = needed.iter().copied().filter(|name| held(name).is_none()).collect();
        if !missing.is_empty() {
            return Err(format!("{} is missing in it", missing.join(", ")));
        }
        Ok(Self {
            camera_api_key: held(secret::CAMERA_API_KEY),
            roboflow_api_key: held(secret::ROBOFLOW_API_KEY),
            terra_signing_secret: held(secret::TERRA_SIGNING_SECRET),
            terra_signing_secret_previous: held("terra_signing_secret_previous"),
            supabase_jwt_secret: held(secret::SUPABASE_JWT_SECRET),
        })
    }

    /// What webhooks may be signed with.
    pub fn terra_signing_secrets(&self) -> Vec<Secret> {
        [&self.terra_signing_secret, &self.terra_signing_secret_previous].into_iter().flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_is_absent_and_what_is_needed_is_named() {
        let text =
            r#"{"terra_signing_secret":"a","terra_signing_secret_previous":" ","camera_api_key":"","other":"b"}"#;
        let values = Values::parse(text, &[secret::TERRA_SIGNING_SECRET]).unwrap();
        assert_eq!(values.terra_signing_secrets(), [Secret::new("a")]);
        let needed = [secret::TERRA_SIGNING_SECRET, secret::CAMERA_API_KEY, secret::SUPABASE_JWT_SECRET];
        let err = Values::parse(text, &needed).unwrap_err();
        assert_eq!(err, "camera_api_key, supabase_jwt_secret is missing in it");
    }

    #[test]
    fn what_is_wrong_with_a_secret_is_said_without_repeating_it() {
        for text in
            ["hunter2", r#"{"camera_api_key": {"hunter2": 1}}"#, r#"["hunter2"]"#, r#"{"camera_api_key": "hunter2"#]
        {
            let err = Values::parse(text, &[]).unwrap_err();
            assert!(!err.contains("hunter2"), "{err}");
        }
    }
}
