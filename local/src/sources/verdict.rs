//! Which messages of a batch are done, by what the function answered.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use std::collections::BTreeSet;

use serde_json::Value;

/// Which messages come again.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    AllDone,
    Failed(BTreeSet<String>),
    AllFailed,
}

impl Verdict {
    /// Of an answer with `ReportBatchItemFailures`. Nothing at all, `null`, `{}` and an empty or absent list mean that all
    /// is done; what cannot be understood, or names what was not in the batch, means that nothing is.
    pub fn of(answer: &[u8], batch: &BTreeSet<&str>) -> Self {
        if answer.is_empty() {
            return Self::AllDone;
        }
        let failures = match serde_json::from_slice(answer) {
            Ok(Value::Null) => return Self::AllDone,
            Ok(Value::Object(mut answer)) => answer.remove("batchItemFailures").unwrap_or_default(),
            _ => return Self::AllFailed,
        };
        let failures = match failures {
            Value::Null => return Self::AllDone,
            Value::Array(failures) => failures,
            _ => return Self::AllFailed,
        };
        let id = |failure: &Value| {
            let id = failure.get("itemIdentifier")?.as_str()?;
            batch.contains(id).then(|| id.to_owned())
        };
        match failures.iter().map(id).collect::<Option<BTreeSet<_>>>() {
            None => Self::AllFailed,
            Some(failed) if failed.is_empty() => Self::AllDone,
            Some(failed) => Self::Failed(failed),
        }
    }

    pub fn is_done(&self, message_id: &str) -> bool {
        match self {
            Self::AllDone => true,
            Self::Failed(failed) => !failed.contains(message_id),
            Self::AllFailed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_which_messages_failed() {
        let failed = |ids: &[&str]| Verdict::Failed(ids.iter().map(|id| (*id).to_owned()).collect());
        let cases = [
            ("", Verdict::AllDone),
            ("null", Verdict::AllDone),
            ("{}", Verdict::AllDone),
            (r#"{"batchItemFailures":null}"#, Verdict::AllDone),
            (r#"{"batchItemFailures":[]}"#, Verdict::AllDone),
            (r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#, failed(&["a"])),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"},{"itemIdentifier":"a"}]}"#,
                failed(&["a", "b"]),
            ),
            (r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":""}]}"#, Verdict::AllFailed),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, Verdict::AllFailed),
            (r#"{"batchItemFailures":[{"itemIdentifier":"unknown"}]}"#, Verdict::AllFailed),
            (r#"{"batchItemFailures":[{"id":"a"}]}"#, Verdict::AllFailed),
            (r#"{"batchItemFailures":"a"}"#, Verdict::AllFailed),
            (r#""done""#, Verdict::AllFailed),
            ("done", Verdict::AllFailed),
        ];
        for (answer, verdict) in cases {
            assert_eq!(Verdict::of(answer.as_bytes(), &BTreeSet::from(["a", "b"])), verdict, "{answer}");
        }
    }
}
