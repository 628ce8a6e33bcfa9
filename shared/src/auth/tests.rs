use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{config::Secret, error::Error, ids::UserId};

mod issuer;

use issuer::{IssuerServer, Signer, forged};

const SECRET: &str = "a shared secret of an older project, long enough";
const USER: &str = "7b1c0a52-3f5e-4b7a-9b0e-0d5a4d1f2c3e";
const CLIENT: &str = "client-1";

fn now() -> DateTime<Utc> {
    "2026-03-04T05:06:07Z".parse().unwrap()
}

struct Scene {
    auth: Authenticator,
    clock: Clock,
    server: IssuerServer,
    signer: Signer,
}

impl Scene {
    async fn of(kind: IssuerKind) -> Self {
        let signer = match kind {
            IssuerKind::Supabase => Signer::es256("key-1"),
            IssuerKind::CognitoId | IssuerKind::CognitoAccess => Signer::rs256(),
        };
        Self::with(kind, None, signer).await
    }

    async fn supabase() -> Self {
        Self::of(IssuerKind::Supabase).await
    }

    async fn with(kind: IssuerKind, secret: Option<&str>, signer: Signer) -> Self {
        let server = IssuerServer::start(&[&signer]).await;
        let clock = Clock::manual(now());
        let config = IssuerConfig {
            issuer: server.url.clone(),
            kind,
            audience: if kind == IssuerKind::Supabase { "authenticated" } else { CLIENT }.into(),
            jwks_url: None,
            hs256: secret.is_some(),
        };
        let secrets = Secrets::fixed(Values { supabase_jwt_secret: secret.map(Secret::new), ..Values::default() });
        let auth = Authenticator::new(vec![config], Http::default(), secrets, clock.clone(), Metrics::discard());
        Self { auth, clock, server, signer }
    }

    /// Claims of a user, overlaid with `changes`; a null takes a claim away.
    fn claims(&self, changes: Value) -> Value {
        let time = self.clock.now().timestamp();
        let mut claims = json!({
            "iss": self.server.url, "sub": USER, "aud": "authenticated", "role": "authenticated",
            "iat": time, "exp": time + 3600,
        });
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    }

    async fn verify(&self, token: &str) -> Result<Caller, Refusal> {
        self.auth.verify(Some(&format!("Bearer {token}"))).await
    }

    async fn verify_claims(&self, changes: Value) -> Result<Caller, Refusal> {
        self.verify(&self.signer.token(&self.claims(changes))).await
    }

    async fn reason(&self, token: &str) -> Reason {
        self.verify(token).await.expect_err("refused").reason
    }
}

fn user() -> UserId {
    UserId(Uuid::parse_str(USER).unwrap())
}

#[tokio::test]
async fn a_users_token_speaks_for_the_user() {
    let scene = Scene::supabase().await;
    let caller = scene.verify_claims(json!({})).await.unwrap();
    assert_eq!(caller, Caller { user_id: user(), role: Role::User, fleets: vec![] });
    assert!(scene.verify_claims(json!({ "aud": ["other", "authenticated"] })).await.is_ok());
    let token = scene.signer.token(&scene.claims(json!({})));
    assert!(scene.auth.verify(Some(&format!("bearer  {token}"))).await.is_ok(), "the scheme knows no case");
}

#[tokio::test]
async fn claims_that_do_not_hold_are_refused() {
    let scene = Scene::supabase().await;
    let time = now().timestamp();
    for (changes, reason) in [
        (json!({ "exp": time - 61 }), Reason::Expired),
        (json!({ "exp": 0 }), Reason::Expired),
        (json!({ "exp": -1e300 }), Reason::Expired),
        (json!({ "exp": null }), Reason::Expired),
        (json!({ "exp": "2099-01-01" }), Reason::Malformed),
        (json!({ "nbf": time + 61 }), Reason::NotYetValid),
        (json!({ "nbf": "soon" }), Reason::Malformed),
        (json!({ "iss": null }), Reason::Malformed),
        (json!({ "iss": "https://elsewhere.example" }), Reason::UnknownIssuer),
        (json!({ "iss": format!("{}/", scene.server.url) }), Reason::UnknownIssuer),
        (json!({ "iss": [scene.server.url] }), Reason::Malformed),
        (json!({ "aud": null }), Reason::Audience),
        (json!({ "aud": "anon" }), Reason::Audience),
        (json!({ "aud": ["other"] }), Reason::Audience),
        (json!({ "aud": [] }), Reason::Audience),
        (json!({ "aud": null, "client_id": "authenticated" }), Reason::Audience),
        (json!({ "sub": null }), Reason::Subject),
        (json!({ "sub": "" }), Reason::Subject),
        (json!({ "sub": "admin" }), Reason::Subject),
        (json!({ "sub": format!("{{{USER}}}") }), Reason::Subject),
        (json!({ "role": "anon" }), Reason::Kind),
        (json!({ "role": "service_role" }), Reason::Kind),
        (json!({ "role": null }), Reason::Kind),
    ] {
        let refusal = scene.verify_claims(changes.clone()).await.expect_err(&changes.to_string());
        assert_eq!(refusal, Refusal { reason, counts: true }, "{changes}");
    }
}

#[tokio::test]
async fn a_clock_may_be_a_minute_off() {
    let scene = Scene::supabase().await;
    let time = now().timestamp();
    for changes in [json!({ "exp": time - 60 }), json!({ "exp": 1.5 + (time as f64) }), json!({ "nbf": time + 60 })] {
        assert!(scene.verify_claims(changes.clone()).await.is_ok(), "{changes}");
    }
}

#[tokio::test]
async fn tokens_age_by_our_clock_and_not_by_the_systems() {
    let scene = Scene::supabase().await;
    let token = scene.signer.token(&scene.claims(json!({})));
    scene.clock.advance(Duration::from_secs(3660));
    assert!(scene.verify(&token).await.is_ok());
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(scene.reason(&token).await, Reason::Expired);
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let scene = Scene::supabase().await;
    for none in [None, Some(""), Some("Bearer"), Some("Basic dXNlcjpwYXNz")] {
        let refusal = scene.auth.verify(none).await.unwrap_err();
        assert_eq!(refusal, Refusal { reason: Reason::Missing, counts: false }, "{none:?}");
    }
    let token = scene.signer.token(&scene.claims(json!({})));
    let twice = format!(r#"{{"iss":"{0}","iss":"{0}"}}"#, scene.server.url);
    let (head, _) = token.split_once('.').unwrap();
    for garbage in [
        "x".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        format!("{token}.{token}"),
        token.replacen('.', "", 1),
        format!("{head}.{}.", base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, twice)),
        "\u{1F511}.\u{1F511}.\u{1F511}".to_owned(),
    ] {
        let refusal = scene.verify(&garbage).await.unwrap_err();
        assert_eq!(refusal, Refusal { reason: Reason::Malformed, counts: true }, "{garbage}");
    }
    let long = scene.signer.token(&scene.claims(json!({ "padding": "x".repeat(8192) })));
    assert_eq!(scene.reason(&long).await, Reason::TooLong);
    assert_eq!(scene.server.asked(), 0, "no keys are fetched for what is no token");
}

#[tokio::test]
async fn a_token_that_nobody_signed_is_refused() {
    let scene = Scene::supabase().await;
    let claims = scene.claims(json!({}));
    for algorithm in ["none", "None", "NONE", "", "nOnE"] {
        let token = forged(&json!({ "alg": algorithm, "kid": "key-1" }), &claims, b"");
        assert_eq!(scene.reason(&token).await, Reason::Malformed, "{algorithm}");
    }
    for signature in [&b""[..], &[0; 64], &[0xff; 64], &[0; 63]] {
        let token = forged(&json!({ "alg": "ES256", "kid": "key-1" }), &claims, signature);
        assert_eq!(scene.reason(&token).await, Reason::Signature);
    }
    let stranger = Signer::es256("key-1");
    assert_eq!(scene.reason(&stranger.token(&claims)).await, Reason::Signature);
}

#[tokio::test]
async fn a_token_that_was_changed_after_it_was_signed_is_refused() {
    let scene = Scene::supabase().await;
    let token = scene.signer.token(&scene.claims(json!({})));
    let mine = scene.signer.token(&scene.claims(json!({ "app_metadata": { "role": "admin" } })));
    let (head, signature) = (token.split('.').next().unwrap(), token.rsplit('.').next().unwrap());
    let swapped = format!("{head}.{}.{signature}", mine.split('.').nth(1).unwrap());
    assert_eq!(scene.reason(&swapped).await, Reason::Signature);
}

#[tokio::test]
async fn a_key_that_comes_with_the_token_is_not_believed() {
    let scene = Scene::supabase().await;
    let stranger = Signer::es256("mine");
    let mut header = Header::new(Algorithm::ES256);
    header.jwk = Some(serde_json::from_value(stranger.jwk()).unwrap());
    header.jku = Some("https://attacker.example/jwks.json".into());
    let claims = scene.claims(json!({}));
    assert_eq!(scene.reason(&stranger.token_with(&header, &claims)).await, Reason::MissingKeyId);
    header.kid = Some("key-1".into());
    assert_eq!(scene.reason(&stranger.token_with(&header, &claims)).await, Reason::Signature);
    header.crit = Some(vec!["exp".into()]);
    assert_eq!(scene.reason(&scene.signer.token_with(&header, &claims)).await, Reason::CriticalExtension);
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    for secret in [None, Some(SECRET)] {
        for signer in [Signer::es256("key-1"), Signer::rs256()] {
            let scene = Scene::with(IssuerKind::Supabase, secret, signer).await;
            let claims = scene.claims(json!({}));
            let jwk = scene.signer.jwk();
            let parsed: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk.clone()).unwrap();
            let der = DecodingKey::from_jwk(&parsed).unwrap();
            let raw = der.try_get_as_bytes().map(<[u8]>::to_vec).unwrap_or_default();
            let field = |name: &str| jwk[name].as_str().unwrap_or_default().as_bytes().to_vec();
            let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &raw);
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n").into_bytes();
            for forger_secret in [jwk.to_string().into_bytes(), raw, pem, field("x"), field("n"), Vec::new()] {
                let forger = Signer::hs256(&forger_secret).with_kid(scene.signer.kid);
                let expected = if secret.is_some() { Reason::Signature } else { Reason::Algorithm };
                assert_eq!(scene.reason(&forger.token(&claims)).await, expected);
            }
        }
    }
}

#[tokio::test]
async fn a_symmetric_key_that_an_issuer_publishes_is_not_used() {
    let scene = Scene::supabase().await;
    let oct = json!({ "kty": "oct", "kid": "key-2", "k": "c2VjcmV0", "alg": "HS256" });
    scene.server.answer(200, json!({ "keys": [scene.signer.jwk(), oct] }).to_string());
    let forger = Signer::hs256(b"secret").with_kid("key-2");
    assert_eq!(scene.reason(&forger.token(&scene.claims(json!({})))).await, Reason::Algorithm);
    let posing = forged(&json!({ "alg": "ES256", "kid": "key-2" }), &scene.claims(json!({})), &[1; 64]);
    assert_eq!(scene.reason(&posing).await, Reason::UnknownKey);
}

#[tokio::test]
async fn the_shared_secret_signs_where_it_is_configured() {
    let scene = Scene::with(IssuerKind::Supabase, Some(SECRET), Signer::hs256(SECRET.as_bytes())).await;
    assert_eq!(scene.verify_claims(json!({})).await.unwrap().user_id, user());
    assert_eq!(scene.server.asked(), 0);
    let other = Signer::hs256(b"another secret");
    assert_eq!(scene.reason(&other.token(&scene.claims(json!({})))).await, Reason::Signature);
}

#[tokio::test]
async fn an_algorithm_is_the_issuers_and_the_keys_own() {
    let supabase = Scene::supabase().await;
    let claims = supabase.claims(json!({}));
    for algorithm in ["HS256", "HS384", "ES384", "PS256", "RS512", "EdDSA"] {
        let token = forged(&json!({ "alg": algorithm, "kid": "key-1" }), &claims, &[1; 64]);
        assert_eq!(supabase.reason(&token).await, Reason::Algorithm, "{algorithm}");
    }
    assert!(supabase.verify_claims(json!({})).await.is_ok());
    let mixed = forged(&json!({ "alg": "RS256", "kid": "key-1" }), &claims, &[1; 256]);
    assert_eq!(supabase.reason(&mixed).await, Reason::KeyAlgorithm);
    // Cognito signs with RS256 alone, even if its document had another key.
    let cognito = Scene::with(IssuerKind::CognitoId, Some(SECRET), Signer::es256("key-1")).await;
    let claims = cognito.claims(json!({ "aud": CLIENT, "token_use": "id" }));
    assert_eq!(cognito.reason(&cognito.signer.token(&claims)).await, Reason::Algorithm);
    assert_eq!(cognito.reason(&Signer::hs256(SECRET.as_bytes()).token(&claims)).await, Reason::Algorithm);
}

#[tokio::test]
async fn roles_and_fleets_are_what_the_issuer_alone_can_write() {
    let scene = Scene::supabase().await;
    for (changes, role, fleets) in [
        (json!({ "app_metadata": { "role": "admin" } }), Role::Admin, vec![]),
        (json!({ "app_metadata": { "role": "trainer", "fleets": ["a", 1, "b"] } }), Role::Trainer, vec!["a", "b"]),
        (json!({ "app_metadata": { "role": "Admin" } }), Role::User, vec![]),
        (json!({ "app_metadata": { "role": ["admin"] } }), Role::User, vec![]),
        (json!({ "app_metadata": "admin" }), Role::User, vec![]),
        (json!({ "user_metadata": { "role": "admin", "fleets": ["a"] } }), Role::User, vec![]),
        (json!({ "cognito:groups": ["admin", "fleet:a"] }), Role::User, vec![]),
    ] {
        let caller = scene.verify_claims(changes.clone()).await.unwrap();
        assert_eq!((caller.role, caller.fleets), (role, fleets.into_iter().map(String::from).collect()), "{changes}");
    }
}

#[tokio::test]
async fn cognito_takes_the_kind_of_token_that_is_configured() {
    let id = json!({ "aud": CLIENT, "role": null, "token_use": "id", "cognito:groups": ["trainer", "fleet:FD001"] });
    let access = json!({ "aud": null, "client_id": CLIENT, "role": null, "token_use": "access" });
    let scene = Scene::of(IssuerKind::CognitoId).await;
    let caller = scene.verify_claims(id.clone()).await.unwrap();
    assert_eq!(caller, Caller { user_id: user(), role: Role::Trainer, fleets: vec!["FD001".into()] });
    assert_eq!(scene.verify_claims(access.clone()).await.unwrap_err().reason, Reason::Audience);
    let posing = json!({ "aud": CLIENT, "token_use": "access" });
    assert_eq!(scene.verify_claims(posing).await.unwrap_err().reason, Reason::Kind);
    let supabase_role = json!({ "aud": CLIENT, "token_use": "id", "app_metadata": { "role": "admin" } });
    assert_eq!(scene.verify_claims(supabase_role).await.unwrap().role, Role::User);

    let scene = Scene::of(IssuerKind::CognitoAccess).await;
    assert_eq!(scene.verify_claims(access).await.unwrap().role, Role::User);
    assert_eq!(scene.verify_claims(id).await.unwrap_err().reason, Reason::Audience);
    let foreign = json!({ "aud": CLIENT, "client_id": "client-2", "token_use": "access" });
    assert_eq!(scene.verify_claims(foreign).await.unwrap_err().reason, Reason::Audience);
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept_for_five_minutes() {
    let scene = Scene::supabase().await;
    for _ in 0..3 {
        scene.verify_claims(json!({})).await.unwrap();
    }
    scene.clock.advance(Duration::from_secs(299));
    scene.verify_claims(json!({})).await.unwrap();
    assert_eq!(scene.server.asked(), 1);
    scene.clock.advance(Duration::from_secs(1));
    scene.verify_claims(json!({})).await.unwrap();
    assert_eq!(scene.server.asked(), 2);
}

#[tokio::test]
async fn of_a_hundred_who_need_the_keys_one_fetches_them() {
    let scene = Scene::supabase().await;
    let callers = join_all((0..100).map(|_| scene.verify_claims(json!({})))).await;
    assert!(callers.iter().all(Result::is_ok));
    assert_eq!(scene.server.asked(), 1);
    scene.clock.advance(Duration::from_secs(300));
    let callers = join_all((0..100).map(|_| scene.verify_claims(json!({})))).await;
    assert!(callers.iter().all(Result::is_ok));
    assert_eq!(scene.server.asked(), 2);
}

#[tokio::test]
async fn of_a_hundred_who_find_the_issuer_down_one_asks() {
    let scene = Scene::supabase().await;
    scene.server.answer(503, "");
    let callers = join_all((0..100).map(|_| scene.verify_claims(json!({})))).await;
    let unavailable = Refusal { reason: Reason::KeysUnavailable, counts: false };
    assert!(callers.into_iter().all(|caller| caller == Err(unavailable)));
    assert_eq!(scene.server.asked(), 1);
    assert!(matches!(Error::from(unavailable), Error::Unavailable { retry_after, .. } if !retry_after.is_zero()));
    scene.server.publish(&[&scene.signer]);
    scene.clock.advance(crate::error::RETRY_AFTER);
    assert!(scene.verify_claims(json!({})).await.is_ok());
}

#[tokio::test]
async fn a_new_key_id_is_asked_for_once_in_thirty_seconds() {
    let scene = Scene::supabase().await;
    scene.verify_claims(json!({})).await.unwrap();
    let next = Signer::es256("key-2");
    let token = next.token(&scene.claims(json!({})));
    assert_eq!(scene.verify(&token).await.unwrap_err(), Refusal { reason: Reason::UnknownKey, counts: false });
    assert_eq!(scene.server.asked(), 1, "the keys are younger than that");
    scene.clock.advance(Duration::from_secs(30));
    join_all((0..100).map(|_| scene.verify(&token))).await;
    assert_eq!(scene.server.asked(), 2);
    scene.server.publish(&[&scene.signer, &next]);
    assert_eq!(scene.reason(&token).await, Reason::UnknownKey);
    scene.clock.advance(Duration::from_secs(30));
    assert!(scene.verify(&token).await.is_ok());
    assert_eq!(scene.server.asked(), 3);
}

#[tokio::test]
async fn a_key_that_was_withdrawn_is_good_for_five_minutes_at_most() {
    let scene = Scene::supabase().await;
    scene.verify_claims(json!({})).await.unwrap();
    scene.server.publish(&[&Signer::es256("key-2")]);
    scene.clock.advance(Duration::from_secs(300));
    assert_eq!(scene.verify_claims(json!({})).await.unwrap_err().reason, Reason::UnknownKey);
}

#[tokio::test]
async fn old_keys_serve_for_a_day_while_the_issuer_is_down() {
    for (status, body) in
        [(500, "{}"), (200, "no json"), (200, r#"{"keys":[]}"#), (302, ""), (200, &"x".repeat(70_000))]
    {
        let scene = Scene::supabase().await;
        scene.verify_claims(json!({})).await.unwrap();
        scene.server.answer(status, body);
        scene.clock.advance(Duration::from_secs(300));
        for _ in 0..3 {
            scene.verify_claims(json!({})).await.unwrap();
        }
        assert_eq!(scene.server.asked(), 2, "an issuer that is down is asked every 30 s");
        scene.clock.advance(Duration::from_secs(24 * 3600 - 300));
        scene.verify_claims(json!({})).await.unwrap();
        scene.clock.advance(Duration::from_millis(1));
        let refusal = scene.verify_claims(json!({})).await.unwrap_err();
        assert_eq!(refusal, Refusal { reason: Reason::KeysUnavailable, counts: false });
    }
}

#[tokio::test]
async fn of_several_issuers_each_vouches_for_its_own() {
    let (one, other) = (Scene::supabase().await, Scene::supabase().await);
    let configs = [&one, &other].map(|scene| IssuerConfig {
        issuer: scene.server.url.clone(),
        kind: IssuerKind::Supabase,
        audience: "authenticated".into(),
        jwks_url: None,
        hs256: false,
    });
    let auth = Authenticator::new(
        configs.into(),
        Http::default(),
        Secrets::fixed(Values::default()),
        one.clock.clone(),
        Metrics::discard(),
    );
    let verify = async |signer: &Signer, scene: &Scene| {
        let token = signer.token(&scene.claims(json!({})));
        auth.verify(Some(&format!("Bearer {token}"))).await
    };
    assert!(verify(&one.signer, &one).await.is_ok());
    assert!(verify(&other.signer, &other).await.is_ok());
    assert_eq!(verify(&one.signer, &other).await.unwrap_err().reason, Reason::Signature);
}
