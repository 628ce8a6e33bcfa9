//! What the tests share: a stack, users of their own, and answers that are easy to look at.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr},
    sync::LazyLock,
    sync::atomic::{AtomicU32, Ordering},
};

use description::Description;
use local::{Stack, StackOptions, camera::SceneOrder};
use serde_json::{Value, json};
use tokio::{
    runtime::{Builder, Runtime},
    sync::OnceCell,
};
use uuid::Uuid;

pub mod description;
pub mod engines;
pub mod events;
pub mod in_process;
pub mod pictures;
pub mod stand_in;
pub mod storage;
pub mod terra;
pub mod watch;
pub mod wearables;

/// One runtime for the whole run: a stack that several tests share must outlive each of them.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().enable_all().thread_stack_size(16 << 20).build().unwrap());
static STACK: OnceCell<Stack> = OnceCell::const_new();

/// Runs a test to its end.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    RUNTIME.block_on(test)
}

/// Runs work on the runtime's own threads. Unoptimised, the future of a handler takes more stack than a test's thread
/// has.
pub async fn on_a_large_stack<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    RUNTIME.spawn(work).await.unwrap()
}

/// The stack of all tests that need nothing special of it; they keep apart by having users of their own.
pub async fn stack() -> &'static Stack {
    STACK.get_or_init(|| start(StackOptions::default())).await
}

/// A stack of one's own.
pub async fn start(options: StackOptions) -> Stack {
    Stack::start(options).await.unwrap_or_else(|err| panic!("the stack did not start: {err}"))
}

/// What every answer of a function carries, as the API says it.
const COMMON_HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("strict-transport-security", "max-age=63072000"),
    ("cache-control", "no-store"),
];

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The answer, which must be one that is described.
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers, path) =
            (response.status().as_u16(), response.headers().clone(), response.url().path().to_owned());
        let text = response.text().await.unwrap();
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        let answer = Self { status, headers, body };
        Description::hold(&path, &answer);
        answer
    }

    /// The answer of a function that was invoked with an event, as API Gateway would pass it on.
    pub fn of_invocation(payload: &[u8]) -> Self {
        let payload: Value = serde_json::from_slice(payload).unwrap();
        let mut headers = reqwest::header::HeaderMap::new();
        for (name, value) in payload["headers"].as_object().unwrap() {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            headers.insert(name, value.as_str().unwrap().parse().unwrap());
        }
        let status = payload["statusCode"].as_u64().unwrap().try_into().unwrap();
        let body = payload["body"].as_str().map_or(Value::Null, |body| serde_json::from_str(body).unwrap());
        Self { status, headers, body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// `code` of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The body of a success; panics with the whole answer otherwise.
    #[track_caller]
    pub fn success(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {:#}", self.status, self.body);
        self.body
    }

    /// Checks that this is a problem of this status and code, whole and in its media type.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{:#}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["success"], false);
        assert_eq!(self.body["correlation_id"].as_str(), self.header("x-correlation-id"));
        for field in ["type", "title", "detail"] {
            assert!(self.body[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {:#}", self.body);
        }
        assert_eq!(self.body["errors"].is_array(), status == 422, "{:#}", self.body);
        assert_eq!(self.header("www-authenticate"), (status == 401).then_some("Bearer"));
        let wait = self.header("retry-after").map(|seconds| seconds.parse::<u32>().unwrap());
        assert_eq!(wait.is_some_and(|seconds| seconds >= 1), status == 429 || status == 503, "{wait:?}");
        self.has_common_headers();
    }

    /// Checks the headers that every answer of a function has.
    #[track_caller]
    pub fn has_common_headers(&self) {
        self.has_common_headers_but("cache-control", "no-store");
    }

    /// The same where one of them is another than usual.
    #[track_caller]
    pub fn has_common_headers_but(&self, other: &str, own: &str) {
        for (name, value) in COMMON_HEADERS {
            assert_eq!(self.header(name), Some(if *name == other { own } else { *value }), "{name}");
        }
        let id = self.header("x-correlation-id").expect("a correlation id");
        assert!((1..=128).contains(&id.len()), "{id}");
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)), "{id}");
    }

    /// The JSON pointers of a 422.
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
    }
}

/// Somebody who calls the API, from an address of their own.
pub struct User {
    pub id: Uuid,
    pub token: Option<String>,
    pub base_url: String,
    /// Where they call from.
    pub address: IpAddr,
    http: reqwest::Client,
}

impl User {
    /// A user whom no other test knows.
    pub fn new(stack: &Stack) -> Self {
        Self::with_role(stack, None)
    }

    pub fn with_role(stack: &Stack, role: Option<&str>) -> Self {
        let id = shared::ids::Ids.uuid();
        let token = stack.identity().token(id, role).unwrap();
        Self::bearing(stack, id, Some(token))
    }

    /// Somebody without a token.
    pub fn stranger(stack: &Stack) -> Self {
        Self::bearing(stack, Uuid::nil(), None)
    }

    pub fn bearing(stack: &Stack, id: Uuid, token: Option<String>) -> Self {
        let address = fresh_address();
        let http = reqwest::Client::builder().local_address(address).build().unwrap();
        Self { id, token, base_url: stack.base_url(), address, http }
    }

    /// The same address without a token.
    pub fn without_token(&self) -> Self {
        self.bearing_instead(None)
    }

    /// The same address with another token.
    pub fn with_token(&self, token: &str) -> Self {
        self.bearing_instead(Some(token.into()))
    }

    fn bearing_instead(&self, token: Option<String>) -> Self {
        let Self { id, address, .. } = *self;
        Self { id, token, base_url: self.base_url.clone(), address, http: self.http.clone() }
    }

    pub fn request(&self, method: reqwest::Method, route: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}/{route}", self.base_url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, route: &str) -> Answer {
        Answer::of(self.request(reqwest::Method::GET, route).send().await.unwrap()).await
    }

    pub async fn post(&self, route: &str, body: &Value) -> Answer {
        self.post_with(route, body, &[]).await
    }

    pub async fn post_with(&self, route: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.request(reqwest::Method::POST, route).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.body(body.to_string()).send().await.unwrap()).await
    }

    /// A session of this user's on the air pistol target.
    pub async fn session(&self) -> Uuid {
        self.session_on("air_pistol_10m").await
    }

    pub async fn session_on(&self, target: &str) -> Uuid {
        let metadata = json!({ "target_type": target });
        let body = json!({ "user_id": self.id, "session_type": "practice", "metadata": metadata });
        let started = self.post("start-session", &body).await.success();
        started["session"]["id"].as_str().unwrap().parse().unwrap()
    }

    pub async fn analyze(&self, session: Uuid, number: u32, frame: &[u8]) -> Answer {
        self.post("analyze-frame", &frame_body(session, number, frame)).await
    }

    pub async fn end(&self, session: Uuid) -> Answer {
        self.post("end-session", &json!({ "session_id": session, "end_reason": "completed" })).await
    }
}

/// The body of an analyze-frame request.
pub fn frame_body(session: Uuid, number: u32, frame: &[u8]) -> Value {
    json!({ "session_id": session, "frame_number": number, "frame_data": base64(frame), "timestamp": "2026-11-21T09:00:00.000Z" })
}

pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A frame of the session's scene, as the range camera would send it.
pub async fn frame(stack: &Stack, session: Uuid, number: u32) -> Vec<u8> {
    stack.camera().unwrap().frame(session, number).await.unwrap().expect("there is such a frame").to_vec()
}

/// Puts a scene of its own before the camera.
pub fn scene(stack: &Stack, session: Uuid, order: SceneOrder) {
    stack.camera().unwrap().set_scene(session, order).unwrap();
}

/// An address of the loopback network that no other test calls from: limits are counted by address.
fn fresh_address() -> IpAddr {
    static NEXT: AtomicU32 = AtomicU32::new(2);
    let [_, high, middle, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    Ipv4Addr::new(127, high, middle, low).into()
}
