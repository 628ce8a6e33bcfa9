//! A JSON body, or an error that tells the caller what is wrong with it. Which fields it must have is the domain's
//! affair: its types parse themselves from the value and name every field that does not fit.

use serde::Deserialize;

use crate::error::{Error, Result};

pub(super) fn json<'a, T: Deserialize<'a>>(content_type: Option<&str>, body: &'a [u8]) -> Result<T> {
    if body.is_empty() {
        return Err(Error::MissingBody);
    }
    if !content_type.is_some_and(is_json) {
        return Err(Error::UnsupportedMediaType("Content-Type must be application/json".into()));
    }
    serde_json::from_slice(body).map_err(|err| Error::MalformedJson(err.to_string()))
}

/// `application/json`, with or without parameters.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn parse(body: &[u8]) -> Result<Value> {
        json(Some("application/json"), body)
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        let too_deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let bodies = ["{", "{\"id\":}", "{\"id\":7,", "{} x", "\u{feff}{}", "nul", "{\"a\":1e999}", &too_deep];
        for body in bodies.map(str::as_bytes).into_iter().chain([&b"{\"a\":\"\xff\"}"[..]]) {
            let refused = parse(body);
            assert!(matches!(refused, Err(Error::MalformedJson(_))), "{}: {refused:?}", body.escape_ascii());
        }
    }

    #[test]
    fn a_body_must_be_there_and_say_that_it_is_json() {
        assert!(matches!(json::<Value>(None, b""), Err(Error::MissingBody)));
        for accepted in ["application/json", "Application/JSON; charset=utf-8", "application/json;x=y"] {
            assert!(json::<Value>(Some(accepted), b"{}").is_ok(), "{accepted}");
        }
        for refused in [None, Some(""), Some("text/plain"), Some("application/jsonx"), Some("multipart/form-data")] {
            let refused = json::<Value>(refused, b"{}");
            assert!(matches!(refused, Err(Error::UnsupportedMediaType(_))), "{refused:?}");
        }
    }
}
