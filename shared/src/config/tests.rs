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
            &[("AUTH_ISSUERS", &format!(r#"[{{"issuer":"{issuer}","kind":"supabase","audience":"authenticated"}}]"#))],
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
    for wrong in ["http://model.example", "model.example:50051", "grpc://model.example", "https://a.example/v1", "x"] {
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
