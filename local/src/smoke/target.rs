//! What is asked, as whom, and with which secret.

use std::fs;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use reqwest::Client as Http;
use serde_json::Value;
use uuid::Uuid;

use super::{Failure, SmokeOptions};
use crate::demo::client::Client;
use crate::system;
use crate::terra::Terra;

/// Where a running stack says how it can be reached, unless told otherwise.
const STACK_FILE: &str = "target/local/stack.json";

pub struct Target {
    pub client: Client,
    /// None where the secret is not known.
    pub terra: Option<Terra>,
    /// None where the token names none, or several.
    pub fleet: Option<String>,
}

impl Target {
    pub fn of(options: &SmokeOptions) -> Result<Self, Failure> {
        let (url, token, secret) = match &options.url {
            Some(url) => (url.clone(), options.token.clone(), None),
            None => of_stack(options)?,
        };
        let token =
            token.or_else(|| system::variable("SMOKE_TOKEN")).ok_or("no token: give one, or set SMOKE_TOKEN")?;
        let secret = secret.or_else(|| system::variable("TERRA_SIGNING_SECRET"));
        let claims = claims(&token)?;
        let user: Uuid =
            claims["sub"].as_str().and_then(|id| id.parse().ok()).ok_or("the token names no user (sub)")?;
        let client = Client::at(&url, token, user)?;
        let terra = secret.map(|secret| Terra::new(Http::new(), client.base_url(), secret));
        Ok(Self { terra, fleet: options.fleet.clone().or_else(|| only_fleet(&claims)), client })
    }
}

/// Address, token and secret of a running `cargo dev`.
fn of_stack(options: &SmokeOptions) -> Result<(String, Option<String>, Option<String>), Failure> {
    let path = options.stack_file.clone().unwrap_or_else(|| STACK_FILE.into());
    let text = fs::read_to_string(&path)
        .map_err(|err| format!("no address was given, and no `cargo dev` runs: {}: {err}", path.display()))?;
    let stack: Value = serde_json::from_str(&text)?;
    let value = |value: &Value| value.as_str().map(str::to_owned);
    let url = value(&stack["base_url"]).ok_or("the stack file lacks base_url")?;
    Ok((url, value(&stack["tokens"]["user"]), value(&stack["terra_signing_secret"])))
}

/// What the token says of its user; whether that is true is for the backend to find out.
fn claims(token: &str) -> Result<Value, Failure> {
    let read = || {
        let payload = token.split('.').nth(1)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    read().ok_or_else(|| "the token is no JWT".into())
}

/// As Supabase and Cognito name fleets.
fn only_fleet(claims: &Value) -> Option<String> {
    let named = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let groups = named(&claims["cognito:groups"]);
    let of_groups = groups.iter().filter_map(|group| group.strip_prefix("fleet:")).map(str::to_owned);
    let fleets: Vec<String> = named(&claims["app_metadata"]["fleets"]).into_iter().chain(of_groups).collect();
    match fleets.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_tells_its_user_and_its_only_fleet() {
        let payload = json!({ "sub": "5e0a1f3c-7b42-4d1e-9c55-a1b2c3d4e001", "app_metadata": { "fleets": ["north"] } });
        let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload.to_string()));
        let claims = claims(&token).unwrap();
        assert_eq!(claims["sub"], payload["sub"]);
        assert_eq!(only_fleet(&claims).as_deref(), Some("north"));
    }

    #[test]
    fn several_fleets_and_none_are_not_chosen_from() {
        for claims in [
            json!({}),
            json!({ "app_metadata": { "fleets": ["north", "south"] } }),
            json!({ "cognito:groups": ["admin", "fleet:north", "fleet:south"] }),
        ] {
            assert_eq!(only_fleet(&claims), None, "{claims}");
        }
        assert_eq!(only_fleet(&json!({ "cognito:groups": ["x", "fleet:north"] })).as_deref(), Some("north"));
    }

    #[test]
    fn what_is_no_token_is_not_shown_in_the_error() {
        for token in ["", "secret", "a.secret!.b", "a.c2VjcmV0.b"] {
            assert_eq!(claims(token).unwrap_err().to_string(), "the token is no JWT");
        }
    }
}
