//! Fleets whose totals are not what their engines come to are put right.

use shared::{Context, Result, store::engines::Written};
use tracing::{info, warn};

/// Finds and settles what differs. A fleet that changes meanwhile is left to the next time.
pub async fn reconcile(ctx: &Context) -> Result<()> {
    let since = ctx.clock.now();
    for found in ctx.engines.discrepancies().await? {
        let fleet_id = &found.fleet;
        match ctx.engines.settle(&found, since, ctx.clock.now()).await? {
            Written::Done => {
                ctx.metrics.count("fleet_totals_corrected");
                warn!(%fleet_id, lacked = ?found.lacks, "a fleet's totals were put right");
            }
            Written::Conflict => info!(%fleet_id, "a fleet changes, its totals are looked at again the next time"),
        }
    }
    Ok(())
}
