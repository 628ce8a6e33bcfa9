//! Writes of many rows at once, of which one that does not hold takes no other along.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError as Refusal,
    types::{AttributeValue, CancellationReason, TransactWriteItem},
};

use super::{Jobs, database};
use crate::{error::Result, ids::Ids};

/// Most writes of one DynamoDB transaction.
pub(super) const LIMIT: usize = 100;
/// How often writers that met may meet again before the rows that they meet in are left to the other.
const MEETINGS: u32 = 5;
/// After the first meeting, full jitter; doubled for each further one, up to the limit.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(160);

/// What came of one write.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    Written,
    /// Its condition does not hold: the row as it stands, if there is one.
    Refused(Option<HashMap<String, AttributeValue>>),
    /// Others write to the row without a pause.
    Busy,
}

impl Jobs {
    /// Writes all of `items` (at most [`LIMIT`], with what goes along) whose conditions hold, in one transaction, and says of
    /// each what came of it.
    ///
    /// A transaction that is cancelled is made again without the writes that were at fault. `along` makes a further write
    /// for exactly those writes that are in it, by their positions, at each attempt anew.
    pub(super) async fn transact(
        &self,
        items: Vec<TransactWriteItem>,
        along: impl Fn(&[usize]) -> Option<TransactWriteItem>,
    ) -> Result<Vec<Verdict>> {
        let mut verdicts = vec![Verdict::Written; items.len()];
        let mut open: Vec<usize> = (0..items.len()).collect();
        let mut meetings = 0;
        while !open.is_empty() {
            let mut writes: Vec<_> = open.iter().filter_map(|at| items.get(*at).cloned()).collect();
            writes.extend(along(&open));
            let Some(reasons) = self.attempt(writes).await? else { break };
            let met = reasons.iter().any(is_meeting);
            meetings += u32::from(met);
            let mut still = Vec::with_capacity(open.len());
            for (at, reason) in open.into_iter().zip(reasons) {
                let verdict = match reason.code() {
                    None | Some("None") => None,
                    Some(_) if is_meeting(&reason) => (meetings > MEETINGS).then_some(Verdict::Busy),
                    Some(_) => Some(Verdict::Refused(reason.item)),
                };
                match (verdict, verdicts.get_mut(at)) {
                    (Some(verdict), Some(slot)) => *slot = verdict,
                    _ => still.push(at),
                }
            }
            open = still;
            if meetings > 2 * MEETINGS {
                // They meet in what goes along, which is for nobody to give up.
                return Err(database("transaction conflicts"));
            }
            if met {
                pause(meetings).await;
            }
        }
        Ok(verdicts)
    }

    /// Makes one transaction: nothing if it is written, else why each of its writes is not.
    async fn attempt(&self, writes: Vec<TransactWriteItem>) -> Result<Option<Vec<CancellationReason>>> {
        // A repetition under the same token is answered as the first was, if that arrived after all.
        let token = Ids.uuid().to_string();
        let write = self.aws.dynamodb().await.transact_write_items().client_request_token(token);
        let write = write.set_transact_items(Some(writes));
        let mut meetings = 0;
        loop {
            let Err(err) = write.clone().send().await else { return Ok(None) };
            match err.as_service_error() {
                Some(Refusal::TransactionCanceledException(canceled)) => {
                    return Ok(Some(canceled.cancellation_reasons().to_vec()));
                }
                // Its own first attempt is still under way.
                Some(Refusal::TransactionInProgressException(_)) if meetings < MEETINGS => {
                    meetings += 1;
                    pause(meetings).await;
                }
                _ => return Err(database(err)),
            }
        }
    }
}

/// Whether a write failed only because of what else went on at that moment.
fn is_meeting(reason: &CancellationReason) -> bool {
    let meetings = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    reason.code().is_some_and(|code| meetings.contains(&code))
}

async fn pause(meetings: u32) {
    let longest = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(meetings.saturating_sub(1))).min(LONGEST_PAUSE);
    tokio::time::sleep(longest.mul_f64(rand::random_range(0.0..=1.0))).await;
}
