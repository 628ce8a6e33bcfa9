//! A JSON body: from bytes to a type, or to an error that tells the caller which field to mend.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};

use crate::{
    domain::invalid::Invalid,
    error::{Error, Result},
};

pub(super) fn json<T: DeserializeOwned>(content_type: Option<&str>, body: &[u8]) -> Result<T> {
    if body.is_empty() {
        return Err(Error::MissingBody);
    }
    if !content_type.is_some_and(is_json) {
        return Err(Error::UnsupportedMediaType("Content-Type must be application/json".into()));
    }
    let text = str::from_utf8(body).map_err(|_| Error::MalformedJson("it is not UTF-8".into()))?;
    let mut json = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize(&mut json) {
        Ok(value) => json.end().map(|()| value).map_err(|err| Error::MalformedJson(err.to_string())),
        Err(err) => Err(refusal(text, &err)),
    }
}

/// `application/json`, with or without parameters.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// Where the whole text is JSON, it is the value that does not fit; serde_json's own category is no help, it calls a
/// number in place of an enum's name a syntax error.
fn refusal(text: &str, err: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    match serde_json::from_str::<IgnoredAny>(text) {
        Err(malformed) => Error::MalformedJson(malformed.to_string()),
        Ok(_) => Error::Invalid(misfit(err.path(), &err.inner().to_string())),
    }
}

/// serde's words for a value that does not fit, in the caller's: a pointer and what the value must be.
fn misfit(path: &Path, message: &str) -> Invalid {
    let at = pointer(path);
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _position)| message);
    if let Some(field) = quoted_after(message, "missing field ") {
        return Invalid::at(format!("{at}/{}", escaped(field)), "is required");
    }
    if let Some(field) = quoted_after(message, "duplicate field ") {
        return Invalid::at(format!("{at}/{}", escaped(field)), "is given more than once");
    }
    let detail = match message.split_once(", expected ") {
        Some((found, names)) if found.starts_with("unknown variant") => format!("must be {}", listed(names)),
        Some((found, expected)) if found.starts_with("invalid ") => format!("must be {}", in_plain_words(expected)),
        _ => match message {
            "expected value" => "must be a string".into(),
            "recursion limit exceeded" => "is nested too deeply".into(),
            "number out of range" => "is out of range".into(),
            _ if message.starts_with("UUID parsing failed") => "must be a UUID".into(),
            _ => message.into(),
        },
    };
    Invalid::at(at, detail)
}

fn quoted_after<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    message.strip_prefix(prefix)?.strip_prefix('`')?.strip_suffix('`')
}

/// The names in serde's list (`one of `a`, `b``, `` `a` or `b` ``).
fn listed(names: &str) -> String {
    let names: Vec<_> = names.split('`').skip(1).step_by(2).collect();
    match names.as_slice() {
        [only] => (*only).to_owned(),
        names => format!("one of {}", names.join(", ")),
    }
}

/// What serde expects, for someone who does not know Rust.
fn in_plain_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number, not negative and not too large",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number, not too large",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "an object",
        "string or map" | "variant identifier" => "a string",
        _ if expected.starts_with("struct ") => "an object",
        _ if expected.contains("UUID") => "a UUID",
        _ => expected,
    }
}

/// A JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } | Segment::Enum { variant: key } => pointer.push_str(&format!("/{}", escaped(key))),
            Segment::Unknown => {}
        }
    }
    pointer
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only whether it parses is asked")]
    struct Frame {
        id: Uuid,
        number: u32,
        kind: Option<Kind>,
        #[serde(default)]
        tags: Vec<String>,
        #[serde(default)]
        sizes: BTreeMap<String, f64>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Practice,
        Competition,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only whether it parses is asked")]
    struct Inner {
        on: bool,
    }

    const ID: &str = "\"id\":\"7c9e6679-7425-40de-944b-e07fc1f90ae7\"";

    fn parse(body: &str) -> Result<Frame> {
        json(Some("application/json"), body.as_bytes())
    }

    #[test]
    fn a_field_that_does_not_fit_is_named_in_plain_words() {
        for (body, pointer, detail) in [
            ("{\"number\":1}", "/id", "is required"),
            ("{ID}", "/number", "is required"),
            ("{ID,\"number\":1,\"number\":2}", "/number", "is given more than once"),
            ("{\"id\":\"x\",\"number\":1}", "/id", "must be a UUID"),
            ("{\"id\":7,\"number\":1}", "/id", "must be a UUID"),
            ("{ID,\"number\":-1}", "/number", "must be a whole number, not negative and not too large"),
            ("{ID,\"number\":\"1\"}", "/number", "must be a whole number, not negative and not too large"),
            ("{ID,\"number\":null}", "/number", "must be a whole number, not negative and not too large"),
            ("{ID,\"number\":1,\"kind\":\"nap\"}", "/kind", "must be one of practice, competition"),
            ("{ID,\"number\":1,\"kind\":1}", "/kind", "must be a string"),
            ("{ID,\"number\":1,\"tags\":[\"a\",2]}", "/tags/1", "must be a string"),
            ("{ID,\"number\":1,\"tags\":\"a\"}", "/tags", "must be an array"),
            ("{ID,\"number\":1,\"sizes\":{\"a/b~c\":true}}", "/sizes/a~1b~0c", "must be a number"),
            ("{ID,\"number\":1,\"inner\":{}}", "/inner/on", "is required"),
            ("{ID,\"number\":1,\"inner\":{\"on\":1}}", "/inner/on", "must be true or false"),
            ("{ID,\"number\":1,\"inner\":5}", "/inner", "must be an object"),
            ("{ID,\"number\":1,\"sizes\":{\"a\":1e999}}", "/sizes/a", "is out of range"),
            ("7", "", "must be an object"),
            ("null", "", "must be an object"),
        ] {
            let Err(Error::Invalid(Invalid(faults))) = parse(&body.replace("ID", ID)) else { panic!("{body} fits") };
            assert_eq!((faults[0].pointer.as_str(), faults[0].detail.as_str()), (pointer, detail), "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_malformed_even_behind_a_field_that_does_not_fit() {
        let deep = "[".repeat(200);
        for body in ["{", "{\"id\":}", "{\"id\":7,", "{ID,\"number\":1} x", "\u{feff}{}", "nul", deep.as_str()] {
            let refused = parse(&body.replace("ID", ID));
            assert!(matches!(refused, Err(Error::MalformedJson(_))), "{body}: {refused:?}");
        }
        let not_utf8 = json::<Value>(Some("application/json"), b"{\"a\":\"\xff\"}");
        assert!(matches!(not_utf8, Err(Error::MalformedJson(_))));
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused_before_the_stack_ends() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let Err(Error::Invalid(Invalid(faults))) = json::<Value>(Some("application/json"), deep.as_bytes()) else {
            panic!("accepted")
        };
        assert_eq!(faults[0].detail, "is nested too deeply");
    }

    #[test]
    fn fields_that_nobody_asked_for_are_ignored() {
        assert!(parse(&"{ID,\"number\":1,\"more\":{\"than\":[\"asked\"]}}".replace("ID", ID)).is_ok());
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
