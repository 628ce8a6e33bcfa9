//! What a model's answer must be before anybody hears of it.

use shared::provider::Failure;

use crate::{generated::RulResponse, reading::decimal};

/// The label's cap in cycles (Heimes 2008): beyond it an engine shows no wear yet, and models do not tell engines apart.
pub const CAP: u32 = 125;

/// A model's version goes to the caller, to the table and to the log.
pub const MAX_VERSION_CHARS: usize = 64;

/// A model's answer, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Cycles until failure, 0 to [`CAP`].
    pub rul: u32,
    /// 0 to 1.
    pub confidence: f64,
    /// 1 to [`MAX_VERSION_CHARS`] printable characters.
    pub version: String,
}

impl TryFrom<RulResponse> for Answer {
    type Error = Failure;

    fn try_from(response: RulResponse) -> Result<Self, Failure> {
        let RulResponse { predicted_rul, confidence, model_version: version } = response;
        let unusable = |fault: String| Failure::Unusable(fault);
        let rul = u32::try_from(predicted_rul).map_err(|_| unusable(format!("a life of {predicted_rul} cycles")))?;
        // A NaN is in no range.
        if !(0.0..=1.0).contains(&confidence) {
            return Err(unusable(format!("a confidence of {confidence}")));
        }
        let length = version.chars().count();
        if !(1..=MAX_VERSION_CHARS).contains(&length) || version.chars().any(char::is_control) {
            return Err(unusable(format!("a version of {length} characters, or of unprintable ones")));
        }
        Ok(Self { rul: rul.min(CAP), confidence: decimal(confidence), version })
    }
}

/// The answers to `asked` histories, in their order.
pub fn all(responses: Vec<RulResponse>, asked: usize) -> Result<Vec<Answer>, Failure> {
    if responses.len() != asked {
        return Err(Failure::Unusable(format!("{} answers to {asked} histories", responses.len())));
    }
    responses.into_iter().map(Answer::try_from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(predicted_rul: i32, confidence: f32, version: &str) -> RulResponse {
        RulResponse { predicted_rul, confidence, model_version: version.into() }
    }

    #[test]
    fn a_life_is_capped_and_a_confidence_is_the_number_that_the_model_wrote() {
        for (given, rul) in [(0, 0), (124, 124), (125, 125), (126, 125), (i32::MAX, 125)] {
            let answer = Answer::try_from(response(given, 0.87, "planner-3")).unwrap();
            assert_eq!(answer, Answer { rul, confidence: 0.87, version: "planner-3".into() });
        }
        for confidence in [0.0, -0.0, 1.0] {
            assert!(Answer::try_from(response(7, confidence, "v")).is_ok());
        }
    }

    #[test]
    fn what_can_not_be_true_is_refused() {
        let longest = "é".repeat(MAX_VERSION_CHARS);
        assert!(Answer::try_from(response(7, 0.5, &longest)).is_ok());
        for (rul, confidence, version) in [
            (-1, 0.5, "v"),
            (i32::MIN, 0.5, "v"),
            (7, f32::NAN, "v"),
            (7, f32::INFINITY, "v"),
            (7, -0.01, "v"),
            (7, 1.01, "v"),
            (7, 0.5, ""),
            (7, 0.5, "v\n1"),
            (7, 0.5, &format!("{longest}x")),
        ] {
            let refused = Answer::try_from(response(rul, confidence, version));
            assert!(matches!(refused, Err(Failure::Unusable(_))), "{rul} {confidence} {version:?}");
        }
        assert!(Answer::try_from(RulResponse::default()).is_err(), "a message that nobody filled in");
    }

    #[test]
    fn a_batch_has_as_many_answers_as_histories_and_no_wrong_one() {
        let good = response(7, 0.5, "v");
        assert_eq!(all(vec![good.clone(); 2], 2).map(|answers| answers.len()).ok(), Some(2));
        for (responses, asked) in [
            (vec![good.clone(); 2], 3),
            (vec![good.clone(); 2], 1),
            (vec![], 1),
            (vec![good, response(-1, 0.5, "v")], 2),
        ] {
            assert!(all(responses, asked).is_err());
        }
    }
}
