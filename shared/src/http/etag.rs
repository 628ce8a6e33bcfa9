//! `ETag` and `If-None-Match` (RFC 9110): who has the answer already is told so, without it.

use ::http::{StatusCode, header};
use serde::Serialize;

use super::{
    request::Request,
    response::{Response, empty, ok},
};
use crate::{
    error::{Error, Result},
    store::objects::sha256_hex,
};

/// So much of the digest does: of one user's answers no two share it.
const DIGITS: usize = 32;

/// For the caller alone, and never without asking: whoever keeps the answer asks with its `ETag`.
const KEPT: &str = "private, no-cache";

/// 200 with a JSON body and its `ETag`, or 304 where the request says that the caller has just that.
pub fn tagged(request: &Request, body: impl Serialize) -> Result<Response> {
    let body = serde_json::value::to_raw_value(&body).map_err(Error::internal)?;
    let tag = of(body.get());
    let known = request.headers().get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let response = if any_matches(known, &tag) { empty(StatusCode::NOT_MODIFIED) } else { ok(&body) };
    Ok(response.header(header::ETAG, tag).header(header::CACHE_CONTROL, KEPT))
}

/// A weak tag: equal tags mean equal JSON, which may travel compressed or not.
fn of(body: &str) -> String {
    let digest = sha256_hex(body.as_bytes());
    format!("W/\"{}\"", digest.get(..DIGITS).unwrap_or(&digest))
}

/// Whether one of the headers' lists holds the tag, weak or strong, or is `*`: `If-None-Match` compares weakly.
fn any_matches<'a>(headers: impl IntoIterator<Item = &'a str>, tag: &str) -> bool {
    let opaque = |tag: &'a str| tag.strip_prefix("W/").unwrap_or(tag);
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let mut tags = headers.into_iter().flat_map(|header| header.split(',')).map(str::trim);
    tags.any(|known| known == "*" || opaque(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_any_list_that_holds_it() {
        let tag = of("{}");
        assert_ne!(tag, of("{ }"));
        let tag = tag.strip_prefix("W/").unwrap().to_owned();
        assert_eq!(tag.len(), DIGITS + 2);
        let bare = tag.trim_matches('"');
        for (header, matches) in [
            (tag.clone(), true),
            (format!("W/{tag}"), true),
            (format!("\"a\", {tag}"), true),
            (format!("\"a\",W/\"b\",W/{tag} , \"c\""), true),
            ("*".into(), true),
            (" * ".into(), true),
            (bare.into(), false),
            (format!("w/{tag}"), false),
            ("\"*\"".into(), false),
            (String::new(), false),
        ] {
            assert_eq!(any_matches([header.as_str()], &tag), matches, "{header}");
        }
        assert!(any_matches(["\"a\"", &tag], &tag));
        assert!(!any_matches([], &tag));
    }
}
