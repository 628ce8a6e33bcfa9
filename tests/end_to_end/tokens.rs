//! Tokens that are not what they seem, and keys that change.

use futures::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use local::{Stack, StackOptions, identity::SigningKey};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, User, run, stack, start};

/// What an attacker starts from: a user of one's own, whose token verifies.
struct Attacker<'a> {
    stack: &'a Stack,
    user: Uuid,
    claims: Value,
}

impl<'a> Attacker<'a> {
    fn new(stack: &'a Stack) -> Self {
        let user = User::new(stack).id;
        Self { stack, user, claims: stack.identity().claims(user, None) }
    }

    /// The claims with one of them changed, or left out where the value is null.
    fn with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims.clone();
        let fields = claims.as_object_mut().unwrap();
        if value.is_null() {
            fields.remove(name)
        } else {
            fields.insert(name.to_owned(), value)
        };
        claims
    }

    fn signed(&self, name: &str, value: Value) -> String {
        self.stack.identity().sign(&self.with(name, value)).unwrap()
    }

    /// Starts a session with the token, from an address of its own.
    async fn start(&self, token: &str) -> Answer {
        let body = json!({ "user_id": self.user, "session_type": "practice" });
        User::bearing(self.stack, self.user, Some(token.to_owned())).post("start-session", &body).await
    }
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

/// A token of any header and claims with the signature that stands there.
fn assembled(header: &Value, claims: &Value, signature: &str) -> String {
    format!("{}.{}.{signature}", base64(&header.to_string()), base64(&claims.to_string()))
}

/// The published key taken for an HMAC secret, in every form in which a library might take it.
fn hmac_with_the_public_key(claims: &Value, key: &SigningKey) -> Vec<(&'static str, String)> {
    use base64::Engine;
    // SubjectPublicKeyInfo of a P-256 key: RFC 5480, up to the point.
    const PREFIX: &[u8] = &[
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    let coordinate =
        |name: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(key.jwk[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let der = [PREFIX, &point].concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64::engine::general_purpose::STANDARD.encode(&der)
    );
    let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::HS256) };
    let sign = |secret: &[u8]| jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap();
    vec![
        ("HS256 with the public point", sign(&point)),
        ("HS256 with the public key's DER", sign(&der)),
        ("HS256 with the public key's PEM", sign(pem.as_bytes())),
        ("HS256 with the JWK", sign(key.jwk.to_string().as_bytes())),
        ("HS256 with nothing", sign(b"")),
    ]
}

fn attacks(attacker: &Attacker) -> Vec<(&'static str, String)> {
    let identity = attacker.stack.identity();
    let (key, good) = (identity.key().unwrap(), identity.sign(&attacker.claims).unwrap());
    let [header, _, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
    let now = attacker.claims["iat"].as_i64().unwrap();
    let stranger = SigningKey::generate().unwrap();
    let admin = attacker.with("app_metadata", json!({ "role": "admin" }));
    let unsigned = |algorithm: &str| assembled(&json!({ "alg": algorithm, "typ": "JWT", "kid": key.kid }), &admin, "");
    let header_with = |name: &str, value: Value| {
        let mut header = json!({ "alg": "ES256", "typ": "JWT", "kid": key.kid });
        header[name] = value;
        assembled(&header, &attacker.claims, signature)
    };
    let mut attacks = vec![
        ("garbage", "garbage".to_owned()),
        ("three dots", "...".to_owned()),
        ("an endless token", "x".repeat(8_500)),
        ("another's key under the issuer's id", stranger.with_kid(&key.kid).sign(&attacker.claims).unwrap()),
        ("an unknown key id", stranger.sign(&attacker.claims).unwrap()),
        ("claims that were changed", format!("{header}.{}.{signature}", base64(&admin.to_string()))),
        ("no signature", good.rsplit_once('.').unwrap().0.to_owned() + "."),
        ("alg none", unsigned("none")),
        ("alg None", unsigned("None")),
        ("alg NONE", unsigned("NONE")),
        ("a critical extension", header_with("crit", json!(["exp"]))),
        ("no key id", header_with("kid", Value::Null)),
        ("expired", attacker.signed("exp", json!(now - 120))),
        ("without an end", attacker.signed("exp", Value::Null)),
        ("not yet valid", attacker.signed("nbf", json!(now + 3_600))),
        ("another issuer", attacker.signed("iss", json!("https://evil.example/auth/v1"))),
        ("nearly the issuer", attacker.signed("iss", json!(format!("{}/", identity.issuer())))),
        ("no issuer", attacker.signed("iss", Value::Null)),
        ("another audience", attacker.signed("aud", json!("other"))),
        ("other audiences", attacker.signed("aud", json!(["other", "another"]))),
        ("no audience", attacker.signed("aud", Value::Null)),
        ("anon", attacker.signed("role", json!("anon"))),
        ("service_role", attacker.signed("role", json!("service_role"))),
        ("no role", attacker.signed("role", Value::Null)),
        ("no subject", attacker.signed("sub", Value::Null)),
        ("an empty subject", attacker.signed("sub", json!(""))),
        ("a subject that is no user's id", attacker.signed("sub", json!("admin"))),
    ];
    attacks.extend(hmac_with_the_public_key(&admin, &key));
    attacks
}

#[test]
fn a_token_that_is_not_the_issuers_for_a_user_now_is_refused_and_never_says_why() {
    run(async {
        let stack = stack().await;
        let attacker = &Attacker::new(stack);
        // What the attacks are made from is good: each fails for what it changes.
        attacker.start(&stack.identity().sign(&attacker.claims).unwrap()).await.success();
        let answers = join_all(
            attacks(attacker).into_iter().map(|(what, token)| async move { (what, attacker.start(&token).await) }),
        );
        for (what, answer) in answers.await {
            assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{what}: {:#}", answer.body);
            answer.is_problem(401, "unauthenticated");
            assert_eq!(answer.body["detail"], "a valid bearer token is required", "{what}");
        }
    });
}

#[test]
fn every_route_of_users_refuses_a_forged_token() {
    run(async {
        let stack = stack().await;
        let attacker = Attacker::new(stack);
        let admin = attacker.with("app_metadata", json!({ "role": "admin" }));
        let forged =
            SigningKey::generate().unwrap().with_kid(&stack.identity().key().unwrap().kid).sign(&admin).unwrap();
        let forger = User::bearing(stack, attacker.user, Some(forged));
        for route in ["start-session", "camera-proxy", "analyze-frame", "end-session"] {
            forger.post(route, &json!({})).await.is_problem(401, "unauthenticated");
        }
        forger.get("health-check/detailed").await.is_problem(401, "unauthenticated");
    });
}

#[test]
fn only_the_bearer_scheme_carries_a_token() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let token = user.token.clone().unwrap();
        let body = json!({ "user_id": user.id, "session_type": "practice" });
        for (authorization, status) in [
            (format!("Bearer {token}"), 201),
            (format!("bearer {token}"), 201),
            (token.clone(), 401),
            (format!("Basic {token}"), 401),
            (format!("Token {token}"), 401),
            ("Bearer".to_owned(), 401),
        ] {
            let answer =
                user.without_token().post_with("start-session", &body, &[("authorization", &authorization)]).await;
            assert_eq!(answer.status, status, "{}", authorization.replace(&token, "…"));
        }
        let in_query = user.without_token().post(&format!("start-session?access_token={token}"), &body).await;
        in_query.is_problem(401, "unauthenticated");
    });
}

#[test]
fn claims_that_are_unusual_and_good_are_taken() {
    run(async {
        let stack = stack().await;
        let attacker = Attacker::new(stack);
        let now = attacker.claims["iat"].as_i64().unwrap();
        for (what, name, value) in [
            ("one of several audiences", "aud", json!(["other", "authenticated"])),
            ("valid since a moment ago", "nbf", json!(now - 5)),
            ("an issuer's clock half a minute fast", "nbf", json!(now + 30)),
            ("an issuer's clock that is slow", "exp", json!(now - 5)),
            ("no app_metadata", "app_metadata", Value::Null),
        ] {
            let answer = attacker.start(&attacker.signed(name, value)).await;
            assert_eq!(answer.status, 201, "{what}: {:#}", answer.body);
        }
    });
}

#[test]
fn a_role_counts_only_where_the_issuer_alone_can_write_it() {
    run(async {
        let stack = stack().await;
        let attacker = Attacker::new(stack);
        for (name, value, status) in [
            ("user_metadata", json!({ "role": "admin", "app_metadata": { "role": "admin" } }), 403),
            ("app_metadata", json!({ "role": "superuser" }), 403),
            ("app_metadata", json!({ "role": ["admin"] }), 403),
            ("app_metadata", json!({ "Role": "admin" }), 403),
            ("app_role", json!("admin"), 403),
            ("cognito:groups", json!(["admin"]), 403),
            ("app_metadata", json!({ "role": "trainer" }), 200),
            ("app_metadata", json!({ "role": "admin" }), 200),
        ] {
            let token = attacker.signed(name, value.clone());
            let answer = User::bearing(stack, attacker.user, Some(token)).get("health-check/detailed").await;
            assert_eq!(answer.status, status, "{name}: {value}");
        }
    });
}

#[test]
fn a_key_is_rotated_without_downtime_and_the_old_one_ends_when_it_is_withdrawn() {
    run(async {
        let stack = start(StackOptions { max_instances: 1, ..StackOptions::default() }).await;
        let old = User::new(&stack);
        old.session().await;
        stack.identity().rotate_key().unwrap();
        let new = User::new(&stack);
        // Instances that start now read both keys; those that run still know the old one.
        old.session().await;
        stack.kill_instances("start-session").await;
        new.session().await;
        old.session().await;
        assert!(stack.identity().jwks_requests() <= 2, "the keys are kept");
        stack.identity().withdraw_old_keys();
        stack.kill_instances("start-session").await;
        new.session().await;
        let body = json!({ "user_id": old.id, "session_type": "practice" });
        old.post("start-session", &body).await.is_problem(401, "unauthenticated");
    });
}

#[test]
fn an_issuer_that_is_down_hinders_only_those_who_do_not_know_its_keys() {
    run(async {
        let stack = start(StackOptions { max_instances: 1, ..StackOptions::default() }).await;
        let user = User::new(&stack);
        let session = user.session().await;
        stack.identity().set_available(false);
        // This instance knows the keys.
        user.session().await;
        // That one has never asked. It blames nobody for it, however often.
        for _ in 0..15 {
            user.end(session).await.is_problem(503, "unavailable");
        }
        stack.identity().set_available(true);
        stack.kill_instances("end-session").await;
        user.end(session).await.success();
        user.with_token("no.such.token").end(session).await.is_problem(401, "unauthenticated");
    });
}
