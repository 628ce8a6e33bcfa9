//! What a body says of itself, as far as accepting it takes: whether it is JSON, its type, and whose it is.
//!
//! No more is asked of it here. A body whose parts have the wrong shapes is accepted, and its job dies of it where those
//! who run the system see it: refused, it would come back for a day and then be gone.

use std::collections::HashMap;

use serde_json::value::RawValue;
use shared::{Error, Result, domain::terra::LONGEST_USER_ID};

/// A body's type and user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// `type`; empty where there is none.
    pub kind: String,
    /// `user.user_id`, or `new_user.user_id`.
    pub terra_user_id: Option<String>,
}

impl Content {
    /// # Errors
    /// `MissingBody`; `MalformedJson` for what is no JSON in UTF-8.
    pub fn read(body: &[u8]) -> Result<Self> {
        if body.is_empty() {
            return Err(Error::MissingBody);
        }
        let text = std::str::from_utf8(body).map_err(|err| Error::MalformedJson(err.to_string()))?;
        let json: &RawValue = serde_json::from_str(text).map_err(|err| Error::MalformedJson(err.to_string()))?;
        let event = Members::of(json);
        let user_of = |name| event.get(name).and_then(|user| Members::of(user).text("user_id"));
        let terra_user_id = user_of("user").or_else(|| user_of("new_user"));
        Ok(Self {
            kind: event.text("type").unwrap_or_default(),
            terra_user_id: terra_user_id.filter(|id| (1..=LONGEST_USER_ID).contains(&id.len())),
        })
    }
}

/// The members of an object, each still the text that it was; of two of one name the last. None of what is no object.
struct Members<'a>(HashMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    fn of(json: &'a RawValue) -> Self {
        Self(serde_json::from_str(json.get()).unwrap_or_default())
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }

    fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> (String, Option<String>) {
        let content = Content::read(body.as_bytes()).unwrap();
        (content.kind, content.terra_user_id)
    }

    #[test]
    fn a_type_and_a_user_are_read_wherever_they_stand_and_whatever_stands_around_them() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let long = "u".repeat(257);
        for (body, kind, user) in [
            (r#"{"type":"daily","user":{"user_id":"u1"},"data":[1e999,"\ud800"]}"#, "daily", Some("u1")),
            (r#" {"user":{"provider":null,"user_id":"u1"},"type":"da\u0069ly"} "#, "daily", Some("u1")),
            (
                r#"{"type":"user_reauth","old_user":{"user_id":"u1"},"new_user":{"user_id":"u2"}}"#,
                "user_reauth",
                Some("u2"),
            ),
            (r#"{"type":"daily","type":"sleep","user":null}"#, "sleep", None),
            (r#"{"type":7,"user":"u1"}"#, "", None),
            (r#"{"type":null,"user":{"user_id":5}}"#, "", None),
            (r#"{"user":{"user_id":""}}"#, "", None),
            (&format!(r#"{{"user":{{"user_id":"{long}"}}}}"#), "", None),
            (&format!(r#"{{"type":"daily","user":{{"user_id":"u1"}},"data":{deep}}}"#), "daily", Some("u1")),
            (&deep, "", None),
            ("[]", "", None),
            ("null", "", None),
            (r#""daily""#, "", None),
            ("7", "", None),
        ] {
            assert_eq!(read(body), (kind.to_owned(), user.map(str::to_owned)), "{}", body.get(..80).unwrap_or(body));
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        assert!(matches!(Content::read(b""), Err(Error::MissingBody)));
        for body in [&b"{"[..], b"{}x", b"\xef\xbb\xbf{}", b"{\"a\":\"\xff\"}", b"nul", b"{\"type\":\"daily\",}", b" "]
        {
            let refused = Content::read(body);
            assert!(matches!(refused, Err(Error::MalformedJson(_))), "{}: {refused:?}", body.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let json = serde_json::from_slice::<&RawValue>(&body).is_ok();
            prop_assert_eq!(Content::read(&body).is_ok(), json);
        }
    }
}
