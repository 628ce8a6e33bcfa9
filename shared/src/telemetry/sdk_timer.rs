//! Times the operations of an AWS SDK client.

use std::time::Instant;

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef},
    },
    error::BoxError,
};
use aws_smithy_types::config_bag::{Storable, StoreReplace};

use super::Metrics;

/// An interceptor that tells [`Metrics`] how long each operation took, all attempts and waits included, and whether
/// DynamoDB did its part.
#[derive(Debug)]
pub struct SdkTimer(Metrics);

impl SdkTimer {
    pub fn new(metrics: Metrics) -> Self {
        Self(metrics)
    }
}

impl Intercept for SdkTimer {
    fn name(&self) -> &'static str {
        "SdkTimer"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let metrics = self.0.clone();
        config.interceptor_state().store_put(Operation { metrics, started: Instant::now(), ok: false });
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(operation) = config.get_mut_from_interceptor_state::<Operation>() {
            operation.ok = did_its_part(context);
        }
        Ok(())
    }
}

/// An operation under way. It is recorded when the SDK lets go of it, so that one that its caller gave up counts too.
#[derive(Debug)]
struct Operation {
    metrics: Metrics,
    started: Instant,
    ok: bool,
}

impl Storable for Operation {
    type Storer = StoreReplace<Self>;
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.metrics.dynamodb_call(self.started.elapsed(), self.ok);
    }
}

/// A condition that does not hold is an answer, not a failure of DynamoDB.
fn did_its_part(context: &FinalizerInterceptorContextRef<'_>) -> bool {
    match context.output_or_error() {
        Some(Ok(_)) => true,
        Some(Err(_)) => context
            .response()
            .and_then(|response| response.body().bytes())
            .is_some_and(|body| body.windows(CONDITION_FAILED.len()).any(|part| part == CONDITION_FAILED)),
        None => false,
    }
}

/// Stands in the body of a refused conditional write, and among the reasons of a cancelled transaction.
const CONDITION_FAILED: &[u8] = b"ConditionalCheckFailed";

#[cfg(test)]
mod tests;
