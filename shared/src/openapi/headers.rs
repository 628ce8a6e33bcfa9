//! Headers of answers, described once.

use utoipa::openapi::{Header, HeaderBuilder, ObjectBuilder, Type};

use super::schemas::{text, whole};

pub(super) const CORRELATION_ID: &str = "X-Correlation-Id";
pub(super) const RATE_LIMIT: &str = "RateLimit";
pub(super) const RATE_LIMIT_POLICY: &str = "RateLimit-Policy";
pub(super) const RETRY_AFTER: &str = "Retry-After";
pub(super) const WWW_AUTHENTICATE: &str = "WWW-Authenticate";
pub(super) const ETAG: &str = "ETag";

/// Each header that the document speaks of, by its name.
pub fn components() -> [(&'static str, Header); 6] {
    [
        (CORRELATION_ID, header("The request's own id, or one made for it; it stands in our logs.", text())),
        (RATE_LIMIT, header("What is left of the limit, and for how many seconds: `\"standard\";r=99;t=42`.", text())),
        (RATE_LIMIT_POLICY, header("The limit that holds: `\"standard\";q=100;w=60`.", text())),
        (RETRY_AFTER, header("Seconds after which to try again.", whole(0..=u32::MAX))),
        (WWW_AUTHENTICATE, header("Always `Bearer`.", ObjectBuilder::new().schema_type(Type::String))),
        (ETAG, header("Names this answer; send it back in `If-None-Match`.", text())),
    ]
}

fn header(description: &str, schema: ObjectBuilder) -> Header {
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}
