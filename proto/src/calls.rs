//! Asking the model: one engine, or a batch of them.

use std::time::Instant;

use futures::future::try_join_all;
use prost::Message;
use shared::{
    Context, Result,
    breaker::Gate,
    domain::engine::Reading,
    provider::{Call, Failure},
};
use tonic::{Request, transport::Channel};

use crate::{
    answer::{self, Answer},
    connection::RemoteModel,
    failure,
    generated::{BatchRulRequest, RulRequest, prediction_service_client::PredictionServiceClient},
};

/// The provider's name, of its breaker and in metrics and errors.
pub const NAME: &str = "model";

/// What a message to the model may have: below the 4 MiB that gRPC servers take unless they are told otherwise. A
/// thousand readings are 100 KB.
pub const MAX_MESSAGE_BYTES: usize = 4_000_000;
/// A hundred answers are 9 KB.
const MAX_ANSWER_BYTES: usize = 64 << 10;
/// Of a request within a batch: its tag and its length.
const FRAMING_BYTES: usize = 6;

/// An engine's history, as the model is asked about it.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    pub engine_id: &'a str,
    /// In the order of their cycles.
    pub readings: &'a [Reading],
}

impl RemoteModel {
    /// What the model says of one engine.
    ///
    /// # Errors
    /// `UpstreamTimeout` after 2 s, `Unavailable` while the model can't be reached or its breaker is open,
    /// `UpstreamFailed` for an error of the model's or an answer that can't be true.
    pub async fn predict(&self, ctx: &Context, gate: &Gate, history: History<'_>) -> Result<Answer> {
        let message = RulRequest::from(history);
        self.run(ctx, gate, |mut client, started| {
            let request = self.request(message.clone(), started);
            async move {
                let response = client.predict_rul(request).await.map_err(|status| failure::of(&status))?;
                Answer::try_from(response.into_inner())
            }
        })
        .await
    }

    /// What the model says of each of these, in their order: all of them, or an error. One call, unless that would be
    /// larger than [`MAX_MESSAGE_BYTES`].
    ///
    /// # Errors
    /// As [`RemoteModel::predict`].
    pub async fn predict_all(&self, ctx: &Context, gate: &Gate, histories: &[History<'_>]) -> Result<Vec<Answer>> {
        if histories.is_empty() {
            return Ok(Vec::new());
        }
        let messages = in_batches(histories.iter().copied().map(RulRequest::from));
        self.run(ctx, gate, |client, started| {
            let calls = messages.iter().map(|message| self.batch(client.clone(), message.clone(), started));
            let calls = try_join_all(calls.collect::<Vec<_>>());
            async move { Ok(calls.await?.concat()) }
        })
        .await
    }

    async fn batch(
        &self,
        mut client: PredictionServiceClient<Channel>,
        message: BatchRulRequest,
        started: Instant,
    ) -> Result<Vec<Answer>, Failure> {
        let asked = message.requests.len();
        let response = client.batch_predict_rul(self.request(message, started)).await;
        answer::all(response.map_err(|status| failure::of(&status))?.into_inner().responses, asked)
    }

    async fn run<T, F>(
        &self,
        ctx: &Context,
        gate: &Gate,
        attempt: impl Fn(PredictionServiceClient<Channel>, Instant) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let started = Instant::now();
        let call = Call { provider: NAME, deadline: self.timing().deadline };
        call.run(ctx, gate, || async {
            let client = PredictionServiceClient::new(self.channel()?).max_decoding_message_size(MAX_ANSWER_BYTES);
            attempt(client, started).await
        })
        .await
    }

    /// With what is left of the time, so that the model does not work for nobody.
    fn request<T>(&self, message: T, started: Instant) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timing().deadline.saturating_sub(started.elapsed()));
        request
    }
}

impl From<History<'_>> for RulRequest {
    fn from(history: History<'_>) -> Self {
        Self { engine_id: history.engine_id.to_owned(), sensor_data: history.readings.iter().map(Into::into).collect() }
    }
}

/// As few messages as the limit allows, in the requests' order.
fn in_batches(requests: impl Iterator<Item = RulRequest>) -> Vec<BatchRulRequest> {
    let mut batches: Vec<BatchRulRequest> = Vec::new();
    let mut room = 0;
    for request in requests {
        let bytes = request.encoded_len() + FRAMING_BYTES;
        match batches.last_mut() {
            Some(batch) if bytes <= room => batch.requests.push(request),
            _ => {
                batches.push(BatchRulRequest { requests: vec![request] });
                room = MAX_MESSAGE_BYTES;
            }
        }
        room = room.saturating_sub(bytes);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(readings: usize) -> impl Iterator<Item = RulRequest> {
        let reading = Reading { cycle: 999_999, settings: [0.1; 3], sensors: [-1e300; 14] };
        let readings = vec![reading; readings];
        (0..100)
            .map(move |number: u32| RulRequest::from(History { engine_id: &number.to_string(), readings: &readings }))
    }

    #[test]
    fn a_batch_is_one_message_unless_that_is_too_large() {
        for (readings, batches) in [(1, 1), (300, 1), (1_000, 3)] {
            let split = in_batches(requests(readings));
            assert_eq!(split.len(), batches, "{readings}");
            assert!(split.iter().all(|batch| batch.encoded_len() <= MAX_MESSAGE_BYTES));
            let ids = split.iter().flat_map(|batch| &batch.requests).map(|request| request.engine_id.clone());
            assert!(ids.eq((0..100).map(|number: u32| number.to_string())));
        }
    }
}
