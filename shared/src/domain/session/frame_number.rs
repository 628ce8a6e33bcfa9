//! The number of a frame.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{domain::invalid::Invalid, openapi};

/// Number of a frame within its session, 1 to 999,999: six digits, so that sort keys order as numbers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct FrameNumber(u32);

impl FrameNumber {
    pub const MIN: Self = Self(1);
    pub const MAX: Self = Self(999_999);

    pub const fn get(self) -> u32 {
        self.0
    }

    pub fn parse(value: &Value) -> Result<Self, Invalid> {
        match (value.as_u64(), value.as_i64()) {
            (Some(number), _) => u32::try_from(number).unwrap_or(u32::MAX).try_into(),
            (None, Some(_negative)) => Err(Invalid::new("must be at least 1")),
            (None, None) => Err(Invalid::new("must be a whole number")),
        }
    }
}

impl PartialSchema for FrameNumber {
    fn schema() -> RefOr<Schema> {
        let number = openapi::whole(Self::MIN.get()..=Self::MAX.get());
        number.description(Some("Number of a frame within its session.")).into()
    }
}

impl ToSchema for FrameNumber {}

impl TryFrom<u32> for FrameNumber {
    type Error = Invalid;

    fn try_from(number: u32) -> Result<Self, Invalid> {
        match number {
            0 => Err(Invalid::new("must be at least 1")),
            1..=999_999 => Ok(Self(number)),
            _ => Err(Invalid::new("must be at most 999999")),
        }
    }
}

impl From<FrameNumber> for u32 {
    fn from(number: FrameNumber) -> Self {
        number.0
    }
}

impl fmt::Display for FrameNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_frame_number_is_a_whole_number_from_1_to_999999() {
        let cases = [
            (json!(1), Ok(1)),
            (json!(999_999), Ok(999_999)),
            (json!(0), Err("must be at least 1")),
            (json!(-3), Err("must be at least 1")),
            (json!(1_000_000), Err("must be at most 999999")),
            (json!(u64::MAX), Err("must be at most 999999")),
            (json!(1.5), Err("must be a whole number")),
            (json!("1"), Err("must be a whole number")),
        ];
        for (value, expected) in cases {
            assert_eq!(FrameNumber::parse(&value).map(FrameNumber::get), expected.map_err(Invalid::new), "{value}");
        }
    }

    #[test]
    fn a_stored_number_is_checked_when_it_is_read() {
        assert_eq!(serde_json::from_value::<FrameNumber>(json!(7)).unwrap().get(), 7);
        assert!(serde_json::from_value::<FrameNumber>(json!(0)).is_err());
    }
}
