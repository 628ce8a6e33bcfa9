//! `ETag` and `If-None-Match` (RFC 9110): who has the answer already is told so, without it.

use shared::store::objects::sha256_hex;

/// So much of the digest does: of one user's answers no two share it.
const DIGITS: usize = 32;

/// A strong tag: equal tags mean equal bytes.
pub fn of(body: &str) -> String {
    let digest = sha256_hex(body.as_bytes());
    format!("\"{}\"", digest.get(..DIGITS).unwrap_or(&digest))
}

/// Whether one of the headers' lists holds the tag, weak or strong, or is `*`.
pub fn any_matches<'a>(headers: impl IntoIterator<Item = &'a str>, tag: &str) -> bool {
    let mut tags = headers.into_iter().flat_map(|header| header.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_any_list_that_holds_it() {
        let tag = of("{}");
        assert_eq!(tag.len(), DIGITS + 2);
        assert_ne!(tag, of("{ }"));
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
