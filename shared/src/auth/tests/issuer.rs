//! An issuer on loopback: it publishes what it is told to, and counts who asks.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A private key with its id.
#[derive(Clone)]
pub struct Signer {
    pub kid: &'static str,
    pub algorithm: Algorithm,
    key: EncodingKey,
}

impl Signer {
    pub fn es256(kid: &'static str) -> Self {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        Self { kid, algorithm: Algorithm::ES256, key: EncodingKey::from_ec_der(document.as_ref()) }
    }

    /// One key for all tests: making it takes its time.
    pub fn rs256() -> Self {
        static KEY: OnceLock<EncodingKey> = OnceLock::new();
        let key = KEY.get_or_init(|| {
            let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
            let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
            let text = STANDARD.encode(der.as_ref());
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
            EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
        });
        Self { kid: "rsa-1", algorithm: Algorithm::RS256, key: key.clone() }
    }

    pub fn hs256(secret: &[u8]) -> Self {
        Self { kid: "hmac", algorithm: Algorithm::HS256, key: EncodingKey::from_secret(secret) }
    }

    pub fn with_kid(self, kid: &'static str) -> Self {
        Self { kid, ..self }
    }

    /// The public half, as an issuer publishes it.
    pub fn jwk(&self) -> Value {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap()).unwrap();
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk
    }

    pub fn token(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.into());
        self.token_with(&header, claims)
    }

    pub fn token_with(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }
}

/// A token whose header says what it likes.
pub fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode(signature))
}

#[derive(Clone)]
pub struct IssuerServer {
    pub url: String,
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
}

impl IssuerServer {
    pub async fn start(signers: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            answer: Arc::default(),
            asked: Arc::default(),
        };
        server.publish(signers);
        tokio::spawn(server.clone().serve(listener));
        server
    }

    pub fn publish(&self, signers: &[&Signer]) {
        let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
        self.answer(200, json!({ "keys": keys }).to_string());
    }

    pub fn answer(&self, status: u16, body: impl Into<String>) {
        *self.answer.lock().unwrap() = (status, body.into());
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn serve(self, listener: TcpListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let server = self.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                assert!(head.starts_with(b"GET /.well-known/jwks.json "));
                server.asked.fetch_add(1, Ordering::SeqCst);
                let (status, body) = server.answer.lock().unwrap().clone();
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} -\r\nlocation: /\r\ncontent-length: {length}\r\nconnection: close");
                stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await
            });
        }
    }
}
