//! Wildcards as IAM has them: `*` stands for any characters or none, `?` for one.

/// What actions and resources are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    Exactly(String),
    Wild(String),
}

impl Pattern {
    pub fn new(text: &str) -> Self {
        if text.contains(['*', '?']) { Self::Wild(text.to_owned()) } else { Self::Exactly(text.to_owned()) }
    }

    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == text,
            Self::Wild(pattern) => wild(pattern.as_bytes(), text.as_bytes()),
        }
    }
}

/// Goes back to the last `*` alone, which is enough: what an earlier one would take more, the last can take too.
fn wild(mut pattern: &[u8], mut text: &[u8]) -> bool {
    let mut last: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, text) {
            ([b'*', rest @ ..], _) => {
                pattern = rest;
                last = Some((rest, text));
            }
            ([b'?', rest @ ..], [_, tail @ ..]) => (pattern, text) = (rest, tail),
            ([wanted, rest @ ..], [found, tail @ ..]) if wanted == found => (pattern, text) = (rest, tail),
            ([], []) => return true,
            _ => match last {
                Some((rest, [_, tail @ ..])) => {
                    (pattern, text) = (rest, tail);
                    last = Some((rest, tail));
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_as_iam_does() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("*", "arn:aws:s3:::b/c", true),
            ("arn:aws:s3:::b/frames/*", "arn:aws:s3:::b/frames/1/2.jpg", true),
            ("arn:aws:s3:::b/frames/*", "arn:aws:s3:::b/frames/", true),
            ("arn:aws:s3:::b/frames/*", "arn:aws:s3:::b/frames", false),
            ("arn:aws:s3:::b/frames/*", "arn:aws:s3:::b/reports/frames/", false),
            ("table/*/index/?y_user", "table/t/index/by_user", true),
            ("table/*/index/?y_user", "table/t/index/y_user", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1b2b3", false),
            ("?", "", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }
}
