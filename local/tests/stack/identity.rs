use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use local::identity::SigningKey;
use serde_json::{Value, json};

use crate::support::{Fixture, json_of};

async fn keys(fixture: &Fixture) -> JwkSet {
    let url = format!("{}/.well-known/jwks.json", fixture.stack.identity().issuer());
    serde_json::from_value(json_of(fixture.client.get(url).send().await.unwrap()).await).unwrap()
}

fn verified(token: &str, keys: &JwkSet, issuer: &str) -> Option<Value> {
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["authenticated"]);
    validation.set_issuer(&[issuer]);
    let key = DecodingKey::from_jwk(keys.find(&kid)?).unwrap();
    jsonwebtoken::decode::<Value>(token, &key, &validation).ok().map(|token| token.claims)
}

#[tokio::test]
async fn tokens_verify_against_the_published_keys() {
    let fixture = Fixture::start().await;
    let keys = keys(&fixture).await;
    let issuer = fixture.stack.identity().issuer();
    for (name, role) in [("user", Value::Null), ("trainer", json!("trainer")), ("admin", json!("admin"))] {
        let claims = verified(fixture.stack.token(name), &keys, issuer).unwrap();
        assert_eq!(claims["sub"], json!(fixture.stack.users()[name]));
        assert_eq!((&claims["role"], &claims["app_metadata"]["role"]), (&json!("authenticated"), &role));
    }
    assert_eq!(fixture.stack.identity().jwks_requests(), 1);
}

#[tokio::test]
async fn keys_can_be_rotated_and_forged() {
    let fixture = Fixture::start().await;
    let identity = fixture.stack.identity();
    let user = fixture.stack.users()["user"];
    identity.rotate_key().unwrap();
    let published = keys(&fixture).await;
    let new = identity.token(user, None).unwrap();
    for token in [fixture.stack.token("user"), &new] {
        assert!(verified(token, &published, identity.issuer()).is_some());
    }
    let claims = identity.claims(user, Some("admin"));
    let forged = SigningKey::generate().unwrap().with_kid(&identity.key().unwrap().kid).sign(&claims).unwrap();
    assert!(verified(&forged, &published, identity.issuer()).is_none());
    identity.withdraw_old_keys();
    let published = keys(&fixture).await;
    assert!(verified(fixture.stack.token("user"), &published, identity.issuer()).is_none());
}

#[tokio::test]
async fn the_provider_can_be_unavailable() {
    let fixture = Fixture::start().await;
    let url = format!("{}/.well-known/jwks.json", fixture.stack.identity().issuer());
    fixture.stack.identity().set_available(false);
    assert_eq!(fixture.client.get(&url).send().await.unwrap().status(), 503);
    fixture.stack.identity().set_available(true);
    assert_eq!(fixture.client.get(&url).send().await.unwrap().status(), 200);
}
