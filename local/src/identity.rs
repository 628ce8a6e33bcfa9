//! The identity provider: an ES256 key made at start, its JWKS document, and tokens shaped like Supabase's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use hyper::{Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::http::{self, Stop};
use crate::lock::lock;
use crate::system;

/// How long a token is good for.
const TOKEN_LIFETIME_SECS: i64 = 24 * 3600;
const ISSUER_PATH: &str = "/auth/v1";

/// Who there is: name, id, role, fleets. Their ids stay the same from start to start, so that kept data stays theirs.
const USERS: [(&str, Uuid, Option<&str>, &[&str]); 4] = [
    ("user", uuid!("5e0a1f3c-7b42-4d1e-9c55-a1b2c3d4e001"), None, &["north"]),
    ("other_user", uuid!("5e0a1f3c-7b42-4d1e-9c55-a1b2c3d4e002"), None, &["south"]),
    ("trainer", uuid!("5e0a1f3c-7b42-4d1e-9c55-a1b2c3d4e003"), Some("trainer"), &[]),
    ("admin", uuid!("5e0a1f3c-7b42-4d1e-9c55-a1b2c3d4e004"), Some("admin"), &[]),
];

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("no signing key: {0}")]
    Key(String),
    #[error("token not signed: {0}")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// A key pair that signs tokens.
#[derive(Clone)]
pub struct SigningKey {
    pub kid: String,
    encoding: EncodingKey,
    /// The public half as a JSON Web Key.
    pub jwk: Value,
}

/// The provider. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

struct Inner {
    issuer: String,
    state: Mutex<State>,
}

struct State {
    /// The newest last; all are published.
    keys: Vec<SigningKey>,
    available: bool,
    jwks_requests: usize,
}

impl SigningKey {
    /// A fresh key, which no provider publishes.
    pub fn generate() -> Result<Self, IdentityError> {
        let failed = |error: &dyn std::fmt::Display| IdentityError::Key(error.to_string());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|error| failed(&error))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref())
            .map_err(|error| failed(&error))?;
        // An uncompressed point: 0x04, x, y, of 32 bytes each.
        let point = pair.public_key().as_ref();
        let (Some(x), Some(y)) = (point.get(1..33), point.get(33..65)) else {
            return Err(failed(&"unexpected public key"));
        };
        let kid = system::new_id().to_string();
        let base64 = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "key_ops": ["verify"],
            "kid": kid, "x": base64(x), "y": base64(y),
        });
        Ok(Self { kid, encoding: EncodingKey::from_ec_der(pkcs8.as_ref()), jwk })
    }

    /// Signs any claims, with this key's id in the header.
    pub fn sign(&self, claims: &Value) -> Result<String, IdentityError> {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::ES256) };
        Ok(jsonwebtoken::encode(&header, claims, &self.encoding)?)
    }

    /// The same key under another id.
    pub fn with_kid(&self, kid: &str) -> Self {
        Self { kid: kid.to_owned(), ..self.clone() }
    }
}

impl Identity {
    pub(crate) fn new(address: std::net::SocketAddr) -> Result<Self, IdentityError> {
        let state = State { keys: vec![SigningKey::generate()?], available: true, jwks_requests: 0 };
        let inner = Inner { issuer: format!("http://{address}{ISSUER_PATH}"), state: Mutex::new(state) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The `iss` of its tokens; the keys are at `<issuer>/.well-known/jwks.json`.
    pub fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    /// The claims of a token for this user, ready to be changed and signed. `role` as in `app_metadata`.
    pub fn claims(&self, user: Uuid, role: Option<&str>) -> Value {
        let now = system::now_secs();
        let app_metadata =
            role.map_or_else(|| json!({"provider": "email"}), |role| json!({"provider": "email", "role": role}));
        json!({
            "iss": self.issuer(), "sub": user, "aud": "authenticated", "role": "authenticated",
            "iat": now, "exp": now + TOKEN_LIFETIME_SECS,
            "email": format!("{user}@local.test"), "app_metadata": app_metadata, "user_metadata": {},
            "session_id": system::new_id(), "is_anonymous": false,
        })
    }

    /// A token that verifies.
    pub fn token(&self, user: Uuid, role: Option<&str>) -> Result<String, IdentityError> {
        self.sign(&self.claims(user, role))
    }

    /// Any claims, signed with the current key.
    pub fn sign(&self, claims: &Value) -> Result<String, IdentityError> {
        self.key().ok_or_else(|| IdentityError::Key("there is none".to_owned()))?.sign(claims)
    }

    pub fn key(&self) -> Option<SigningKey> {
        lock(&self.inner.state).keys.last().cloned()
    }

    /// Signs with a new key from now on; the one before stays published.
    pub fn rotate_key(&self) -> Result<(), IdentityError> {
        let key = SigningKey::generate()?;
        lock(&self.inner.state).keys.push(key);
        Ok(())
    }

    /// Publishes the newest key only.
    pub fn withdraw_old_keys(&self) {
        let mut state = lock(&self.inner.state);
        let old = state.keys.len().saturating_sub(1);
        state.keys.drain(..old);
    }

    /// Whether the JWKS document can be had; if not, requests get 503.
    pub fn set_available(&self, available: bool) {
        lock(&self.inner.state).available = available;
    }

    /// How often the JWKS document was asked for.
    pub fn jwks_requests(&self) -> usize {
        lock(&self.inner.state).jwks_requests
    }

    /// Ids by name: `user`, `other_user`, `trainer`, `admin`.
    pub fn users() -> BTreeMap<&'static str, Uuid> {
        USERS.iter().map(|(name, id, ..)| (*name, *id)).collect()
    }

    /// A fresh token for each of [`Identity::users`].
    pub fn tokens(&self) -> Result<BTreeMap<&'static str, String>, IdentityError> {
        let token = |(name, id, role, fleets): &(_, _, _, &[&str])| {
            let mut claims = self.claims(*id, *role);
            if let (false, Some(app_metadata)) = (fleets.is_empty(), claims.get_mut("app_metadata")) {
                app_metadata["fleets"] = json!(fleets);
            }
            Ok((*name, self.sign(&claims)?))
        };
        USERS.iter().map(token).collect()
    }

    pub(crate) async fn serve(self, listener: tokio::net::TcpListener, stop: Stop) {
        let handler = move |request: hyper::Request<hyper::body::Incoming>, _| {
            let answer = self.answer(request.method(), request.uri().path());
            std::future::ready(Ok(answer))
        };
        http::serve(listener, stop, handler).await;
    }

    fn answer(&self, method: &Method, path: &str) -> http::Answer {
        let wanted = path.strip_prefix(ISSUER_PATH) == Some("/.well-known/jwks.json");
        if !wanted || method != Method::GET {
            return http::json(StatusCode::NOT_FOUND, &json!({"message": "Not Found"}));
        }
        let mut state = lock(&self.inner.state);
        state.jwks_requests += 1;
        if !state.available {
            return http::json(StatusCode::SERVICE_UNAVAILABLE, &json!({"message": "Service Unavailable"}));
        }
        let keys: Vec<&Value> = state.keys.iter().map(|key| &key.jwk).collect();
        http::json(StatusCode::OK, &json!({ "keys": keys }))
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Identity").field("issuer", &self.inner.issuer).finish_non_exhaustive()
    }
}
