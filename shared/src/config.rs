//! Typed configuration, read once from a lookup function. A variable that is empty counts as absent, since an
//! optional parameter of the template arrives as an empty string.

use std::{fmt, time::Duration};

use serde::Deserialize;

/// Names of the variables that a function may require.
pub mod name {
    pub const AUTH_ISSUERS: &str = "AUTH_ISSUERS";
    pub const BUCKET: &str = "BUCKET";
    pub const CONNECTIONS_TABLE: &str = "CONNECTIONS_TABLE";
    pub const CONTROL_TABLE: &str = "CONTROL_TABLE";
    pub const ENGINES_TABLE: &str = "ENGINES_TABLE";
    pub const JOB_DEAD_LETTER_QUEUE_URL: &str = "JOB_DEAD_LETTER_QUEUE_URL";
    pub const JOB_QUEUE_URL: &str = "JOB_QUEUE_URL";
    pub const JOBS_TABLE: &str = "JOBS_TABLE";
    pub const LATEST_METRICS_TABLE: &str = "LATEST_METRICS_TABLE";
    pub const METRICS_TABLE: &str = "METRICS_TABLE";
    pub const QUARANTINE_TABLE: &str = "QUARANTINE_TABLE";
    pub const SECRETS_ARN: &str = "SECRETS_ARN";
    pub const SESSIONS_TABLE: &str = "SESSIONS_TABLE";
    pub const WEBHOOKS_TABLE: &str = "WEBHOOKS_TABLE";
}

/// Names in the secret that a function may require beside its variables. A provider's key is needed only where the
/// provider is configured, and the secret of older Supabase projects by every function that verifies tokens.
pub mod secret {
    pub const CAMERA_API_KEY: &str = "camera_api_key";
    pub const ROBOFLOW_API_KEY: &str = "roboflow_api_key";
    pub const SUPABASE_JWT_SECRET: &str = "supabase_jwt_secret";
    pub const TERRA_SIGNING_SECRET: &str = "terra_signing_secret";
}

/// Three visibility timeouts of 3 minutes, and then some: by then a message that is still there has come back.
const JOB_OVERDUE_AFTER: Duration = Duration::from_secs(15 * 60);

/// What a function is configured with. A name that the function did not require may be an empty string; it then has
/// no code that uses it.
#[derive(Debug, Clone)]
pub struct Config {
    pub stage: String,
    /// Version that the platform gave this deployment: the dimension that a canary is watched by.
    pub function_version: String,
    pub control_table: String,
    pub sessions_table: String,
    pub webhooks_table: String,
    pub connections_table: String,
    pub quarantine_table: String,
    pub jobs_table: String,
    pub metrics_table: String,
    pub latest_metrics_table: String,
    pub engines_table: String,
    pub bucket: String,
    pub job_queue_url: String,
    pub job_dead_letter_queue_url: String,
    pub issuers: Vec<IssuerConfig>,
    pub camera: Option<CameraConfig>,
    pub camera_fallback: CameraFallback,
    pub roboflow: Option<RoboflowConfig>,
    /// Where a planner's own model answers over gRPC; none where the built-in one is all there is.
    pub ml_service_url: Option<String>,
    pub terra: TerraConfig,
    pub secrets: SecretsConfig,
    /// How long a queued job may be overdue before the sweeper takes its message for lost.
    pub job_overdue_after: Duration,
}

/// Where the function's secrets are, empty where it has none; and what of them it can't work without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretsConfig {
    pub arn: String,
    pub needed: Vec<&'static str>,
}

/// Where large deliveries may be fetched from.
#[derive(Debug, Clone, Default)]
pub struct TerraConfig {
    /// `host` or `host:port`, exactly as in the URL, or `*.domain` for every host below it.
    pub payload_hosts: Vec<String>,
}

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

#[derive(Debug, Clone)]
pub struct CameraConfig {
    pub url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraFallback {
    None,
    TestFrame,
}

#[derive(Debug, Clone)]
pub struct RoboflowConfig {
    pub url: String,
    /// `project/version`
    pub model: String,
    pub shot_classes: Vec<String>,
    pub target_classes: Vec<String>,
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

/// Everything that is wrong with the configuration, in one message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("configuration: {}", .0.join("; "))]
pub struct ConfigError(pub Vec<String>);

/// The level of the log, which starts before anything else, so that a faulty configuration can be logged.
#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
pub fn log_level() -> String {
    std::env::var("LOG_LEVEL").unwrap_or_else(|_| "info".into())
}

impl Config {
    /// Reads the process environment.
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    pub fn from_env(required: &[&'static str]) -> Result<Self, ConfigError> {
        Self::from_lookup(required, |name| std::env::var(name).ok())
    }

    /// Reads the configuration from `lookup`; all that is missing or malformed is reported together.
    pub fn from_lookup(
        required: &[&'static str],
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let (secrets, variables): (Vec<_>, Vec<_>) = required.iter().copied().partition(|name| is_secret(name));
        let mut faults: Vec<String> =
            variables.iter().filter(|name| get(name).is_none()).map(|name| format!("{name} is missing")).collect();
        let issuers = issuers(&get, &mut faults);
        let camera = camera(&get, &mut faults);
        let roboflow = roboflow(&get, &mut faults);
        let ml_service_url = ml_service_url(&get, &mut faults);
        let camera_fallback = match get("CAMERA_FALLBACK").as_deref() {
            None | Some("none") => CameraFallback::None,
            Some("test-frame") => CameraFallback::TestFrame,
            Some(_) => {
                faults.push("CAMERA_FALLBACK must be none or test-frame".into());
                CameraFallback::None
            }
        };
        let job_overdue_after = match get("JOB_OVERDUE_AFTER_SECONDS").map(|text| text.parse()) {
            None => JOB_OVERDUE_AFTER,
            Some(Ok(seconds)) => Duration::from_secs(seconds),
            Some(Err(_)) => {
                faults.push("JOB_OVERDUE_AFTER_SECONDS must be a whole number".into());
                JOB_OVERDUE_AFTER
            }
        };
        let secrets = SecretsConfig {
            arn: get(name::SECRETS_ARN).unwrap_or_default(),
            needed: needed(&secrets, camera.is_some(), roboflow.is_some(), &issuers),
        };
        if secrets.arn.is_empty() && !secrets.needed.is_empty() {
            faults.push(format!("SECRETS_ARN is missing (needed for {})", secrets.needed.join(", ")));
        }
        if !faults.is_empty() {
            return Err(ConfigError(faults));
        }
        let text = |name: &str| get(name).unwrap_or_default();
        Ok(Self {
            stage: get("STAGE").unwrap_or_else(|| "dev".into()),
            function_version: get("AWS_LAMBDA_FUNCTION_VERSION").unwrap_or_else(|| "$LATEST".into()),
            control_table: text(name::CONTROL_TABLE),
            sessions_table: text(name::SESSIONS_TABLE),
            webhooks_table: text(name::WEBHOOKS_TABLE),
            connections_table: text(name::CONNECTIONS_TABLE),
            quarantine_table: text(name::QUARANTINE_TABLE),
            jobs_table: text(name::JOBS_TABLE),
            metrics_table: text(name::METRICS_TABLE),
            latest_metrics_table: text(name::LATEST_METRICS_TABLE),
            engines_table: text(name::ENGINES_TABLE),
            bucket: text(name::BUCKET),
            job_queue_url: text(name::JOB_QUEUE_URL),
            job_dead_letter_queue_url: text(name::JOB_DEAD_LETTER_QUEUE_URL),
            issuers,
            camera,
            camera_fallback,
            roboflow,
            ml_service_url,
            terra: terra(&get),
            secrets,
            job_overdue_after,
        })
    }
}

fn is_secret(name: &str) -> bool {
    let all =
        [secret::CAMERA_API_KEY, secret::ROBOFLOW_API_KEY, secret::SUPABASE_JWT_SECRET, secret::TERRA_SIGNING_SECRET];
    all.contains(&name)
}

/// Of the secrets that the function requires, those that its configuration makes use of; and what its issuers sign with.
fn needed(required: &[&'static str], camera: bool, roboflow: bool, issuers: &[IssuerConfig]) -> Vec<&'static str> {
    let used = |name: &&'static str| match *name {
        secret::CAMERA_API_KEY => camera,
        secret::ROBOFLOW_API_KEY => roboflow,
        _ => true,
    };
    let of_issuers = issuers.iter().any(|issuer| issuer.hs256).then_some(secret::SUPABASE_JWT_SECRET);
    required.iter().copied().filter(used).chain(of_issuers).collect()
}

fn terra(get: &impl Fn(&str) -> Option<String>) -> TerraConfig {
    let hosts = get("TERRA_PAYLOAD_HOSTS").unwrap_or_default();
    TerraConfig {
        payload_hosts: hosts
            .split(',')
            .map(|host| host.trim().to_lowercase())
            .filter(|host| !host.is_empty())
            .collect(),
    }
}

fn issuers(get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Vec<IssuerConfig> {
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

impl IssuerConfig {
    /// Where the issuer publishes its keys.
    pub fn keys_url(&self) -> String {
        self.jwks_url.clone().unwrap_or_else(|| format!("{}/.well-known/jwks.json", self.issuer.trim_end_matches('/')))
    }
}

fn camera(get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Option<CameraConfig> {
    let url = get("CAMERA_API_URL")?;
    if let Some(fault) = insecure(&url) {
        faults.push(format!("CAMERA_API_URL {fault}"));
    }
    Some(CameraConfig { url: url.trim_end_matches('/').into() })
}

fn roboflow(get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Option<RoboflowConfig> {
    let model = get("ROBOFLOW_MODEL")?;
    let url = get("ROBOFLOW_URL").unwrap_or_else(|| "https://detect.roboflow.com".into());
    if let Some(fault) = insecure(&url) {
        faults.push(format!("ROBOFLOW_URL {fault}"));
    }
    let list = |name: &str, default: &str| -> Vec<String> {
        let text = get(name).unwrap_or_else(|| default.into());
        text.split(',').map(|class| class.trim().to_lowercase()).filter(|class| !class.is_empty()).collect()
    };
    Some(RoboflowConfig {
        url: url.trim_end_matches('/').into(),
        model: model.trim_matches('/').into(),
        shot_classes: list("ROBOFLOW_SHOT_CLASSES", "shot,hole,bullet,bullet_hole"),
        target_classes: list("ROBOFLOW_TARGET_CLASSES", "target,bullseye"),
    })
}

/// gRPC knows no paths but its services'.
fn ml_service_url(get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Option<String> {
    let url = get("ML_SERVICE_URL")?;
    let has_path = || reqwest::Url::parse(&url).is_ok_and(|url| url.path() != "/" || url.query().is_some());
    let fault = insecure(&url).or_else(|| has_path().then_some("must have no path and no query"));
    if let Some(fault) = fault {
        faults.push(format!("ML_SERVICE_URL {fault}"));
    }
    Some(url.trim_end_matches('/').into())
}

/// Why a URL may not carry keys or pictures: plain HTTP is for the same machine only.
fn insecure(url: &str) -> Option<&'static str> {
    let Ok(url) = reqwest::Url::parse(url) else { return Some("is not a URL") };
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) | ("http", Some("127.0.0.1" | "localhost" | "[::1]")) => None,
        ("http", Some(_)) => Some("must use https (plain http is for loopback only)"),
        _ => Some("must be an https URL"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn read(required: &[&'static str], vars: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let vars: HashMap<_, _> = vars.iter().copied().collect();
        Config::from_lookup(required, |name| vars.get(name).map(ToString::to_string))
    }

    #[test]
    fn everything_missing_is_named_at_once() {
        let err = read(&[name::BUCKET, name::SESSIONS_TABLE], &[("BUCKET", " "), ("CAMERA_API_URL", "http://camera")])
            .unwrap_err()
            .to_string();
        for part in ["BUCKET is missing", "SESSIONS_TABLE is missing", "CAMERA_API_URL must use https"] {
            assert!(err.contains(part), "{part} in {err}");
        }
    }

    #[test]
    fn an_issuer_over_plain_http_is_refused_unless_it_is_loopback() {
        let config = |issuer: &str| {
            read(
                &[],
                &[(
                    "AUTH_ISSUERS",
                    &format!(r#"[{{"issuer":"{issuer}","kind":"supabase","audience":"authenticated"}}]"#),
                )],
            )
        };
        assert!(config("http://issuer.example/auth/v1").is_err());
        assert!(config("http://127.0.0.1:9/auth/v1").is_ok());
        let issuers = config("https://issuer.example/auth/v1").unwrap().issuers;
        assert_eq!(issuers[0].keys_url(), "https://issuer.example/auth/v1/.well-known/jwks.json");
    }

    #[test]
    fn the_models_address_is_an_origin_over_https_or_on_loopback() {
        let url = |url: &str| read(&[], &[("ML_SERVICE_URL", url)]).map(|config| config.ml_service_url);
        assert_eq!(url(""), Ok(None));
        for (given, expected) in [
            ("https://model.example", "https://model.example"),
            ("https://model.example:8443/", "https://model.example:8443"),
            ("http://127.0.0.1:50051", "http://127.0.0.1:50051"),
            ("http://[::1]:50051", "http://[::1]:50051"),
        ] {
            assert_eq!(url(given), Ok(Some(expected.into())));
        }
        for wrong in
            ["http://model.example", "model.example:50051", "grpc://model.example", "https://a.example/v1", "x"]
        {
            assert!(url(wrong).unwrap_err().to_string().contains("ML_SERVICE_URL"), "{wrong}");
        }
    }

    #[test]
    fn a_secret_never_shows_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }

    #[test]
    fn a_secret_is_needed_where_what_it_is_for_is_configured() {
        let required = [secret::CAMERA_API_KEY, secret::ROBOFLOW_API_KEY];
        let issuers = r#"[{"issuer":"https://i.example","kind":"supabase","audience":"a"}]"#;
        let arn = ("SECRETS_ARN", "arn");
        let of = |vars: &[(&str, &str)]| read(&required, vars).map(|config| config.secrets.needed);
        assert_eq!(of(&[("AUTH_ISSUERS", issuers)]).unwrap(), [""; 0]);
        assert_eq!(of(&[arn, ("CAMERA_API_URL", "https://camera.example/")]).unwrap(), ["camera_api_key"]);
        assert_eq!(of(&[arn, ("ROBOFLOW_MODEL", "holes/1")]).unwrap(), ["roboflow_api_key"]);
        let hs256 = [arn, ("AUTH_ISSUERS", issuers), ("SUPABASE_HS256", "true")];
        assert_eq!(of(&hs256).unwrap(), ["supabase_jwt_secret"]);
        let err = read(&[secret::TERRA_SIGNING_SECRET], &[]).unwrap_err().to_string();
        assert!(err.contains("SECRETS_ARN is missing (needed for terra_signing_secret)"), "{err}");
    }
}
