//! `breaker:<provider>` {state, epoch, opened_at, probe_until, successes}: what all instances know of a provider.
//! Every write raises `epoch` by one on condition that nobody raised it since it was read: of two instances that want
//! to move the same state, one does and the other learns what came of it. It has no `ttl`: there is one a provider.

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use chrono::DateTime;

use super::{Control, ControlUnavailable, Item, number, read_number, text, unavailable};
use crate::breaker::{Phase, Shared};

/// `:seen` is 0 where no item was seen.
const IF_UNMOVED: &str = "attribute_not_exists(#key) OR #epoch = :seen";

/// What came of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    Won,
    /// Another instance was first: the state that it made.
    Lost(Shared),
}

fn key(provider: &str) -> String {
    format!("breaker:{provider}")
}

fn to_item(provider: &str, shared: &Shared) -> Item {
    let mut item = Item::from([("key".to_owned(), text(key(provider))), ("epoch".to_owned(), number(shared.epoch))]);
    let mut put = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
    let state = match shared.phase {
        Phase::Closed => "closed",
        Phase::Open { since } => {
            put("opened_at", number(since.timestamp_millis()));
            "open"
        }
        Phase::HalfOpen { successes, probe_until } => {
            put("successes", number(successes));
            if let Some(until) = probe_until {
                put("probe_until", number(until.timestamp_millis()));
            }
            "half_open"
        }
    };
    put("state", text(state));
    item
}

/// An item that can't be read counts as closed at its epoch: a provider is not given up for a bad item.
fn from_item(item: &Item) -> Shared {
    let time = |name| read_number(item, name).and_then(DateTime::from_timestamp_millis);
    let state = item.get("state").and_then(|value| value.as_s().ok()).map(String::as_str);
    let phase = match (state, time("opened_at")) {
        (Some("open"), Some(since)) => Phase::Open { since },
        (Some("half_open"), _) => Phase::HalfOpen {
            successes: read_number(item, "successes").unwrap_or_default(),
            probe_until: time("probe_until"),
        },
        _ => Phase::Closed,
    };
    Shared { phase, epoch: read_number(item, "epoch").unwrap_or_default() }
}

impl Control {
    /// A provider's breaker as the instances share it; closed where nobody ever opened it.
    pub async fn breaker(&self, provider: &str) -> Result<Shared, ControlUnavailable> {
        let item = self.item(&key(provider), self.deadlines.breaker).await?;
        Ok(item.as_ref().map(from_item).unwrap_or_default())
    }

    /// Moves a breaker from the state of epoch `seen` to `next`, if it still is in that state.
    pub async fn move_breaker(&self, provider: &str, seen: u64, next: &Shared) -> Result<Claim, ControlUnavailable> {
        let put = self.aws.dynamodb().await.put_item().table_name(&self.table);
        let sent = put
            .set_item(Some(to_item(provider, next)))
            .condition_expression(IF_UNMOVED)
            .expression_attribute_names("#key", "key")
            .expression_attribute_names("#epoch", "epoch")
            .expression_attribute_values(":seen", number(seen))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(super::within(self.deadlines.breaker))
            .send()
            .await;
        let Err(err) = sent else { return Ok(Claim::Won) };
        match err.into_service_error() {
            PutItemError::ConditionalCheckFailedException(failed) => {
                Ok(Claim::Lost(failed.item().map(from_item).unwrap_or_default()))
            }
            err => Err(unavailable(err)),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    #[test]
    fn a_state_reads_back_as_it_was_written() {
        let at: DateTime<Utc> = "2026-03-04T05:06:07.089Z".parse().unwrap();
        for phase in [
            Phase::Closed,
            Phase::Open { since: at },
            Phase::HalfOpen { successes: 0, probe_until: None },
            Phase::HalfOpen { successes: 2, probe_until: Some(at) },
        ] {
            let shared = Shared { phase, epoch: 7 };
            assert_eq!(from_item(&to_item("camera", &shared)), shared);
        }
    }

    #[test]
    fn an_item_that_makes_no_sense_reads_as_closed_at_its_epoch() {
        let item = Item::from([("state".to_owned(), text("open")), ("epoch".to_owned(), number(3))]);
        assert_eq!(from_item(&item), Shared { phase: Phase::Closed, epoch: 3 });
    }
}
