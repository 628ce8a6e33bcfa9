//! Whether the model is there, by gRPC's own health protocol (grpc/health/v1/health.proto).

use http::uri::PathAndQuery;
use shared::provider::Failure;
use tonic::{Request, client::Grpc};
use tonic_prost::ProstCodec;

use crate::{connection::RemoteModel, failure};

const CHECK: &str = "/grpc.health.v1.Health/Check";
const SERVING: i32 = 1;

/// Which service is asked about; none is the server as a whole.
#[derive(Clone, PartialEq, prost::Message)]
struct Check {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Health {
    #[prost(int32, tag = "1")]
    status: i32,
}

impl RemoteModel {
    /// Whether the model's server answers, on a connection of its own: what is asked is whether a new instance could
    /// reach it, and a kept connection may have died while this instance was frozen. A server that does not know the
    /// health protocol says so, which is an answer.
    ///
    /// The caller sees to the deadline.
    ///
    /// # Errors
    /// Nobody answers, or somebody says that the server does not serve.
    pub async fn reachable(&self) -> Result<(), Failure> {
        let mut client = Grpc::new(self.fresh_channel()?);
        client.ready().await.map_err(|err| failure::before(&err))?;
        let codec = ProstCodec::<Check, Health>::default();
        let answer = client.unary(Request::new(Check::default()), PathAndQuery::from_static(CHECK), codec).await;
        match answer {
            Ok(health) if health.get_ref().status == SERVING => Ok(()),
            Ok(_) => Err(Failure::Broken { status: 503 }),
            Err(status) => match failure::of(&status) {
                Failure::Refused { .. } => Ok(()),
                failure => Err(failure),
            },
        }
    }
}
