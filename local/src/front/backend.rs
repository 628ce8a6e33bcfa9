//! What stands behind the front: DynamoDB over HTTP, S3, SQS and Secrets Manager in this process.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use s3s::service::S3Service;

use super::changes::writes;
use super::replica::Replica;
use super::{Call, Refusal, Service};
use crate::dynamodb::Served;
use crate::http::Answer;
use crate::secrets::SecretsManager;
use crate::sqs::Sqs;

#[derive(Clone)]
pub enum Backend {
    DynamoDb(Arc<DynamoDb>),
    Sqs(Sqs),
    S3(S3Service),
    Secrets(SecretsManager),
}

pub struct DynamoDb {
    client: Client<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
    /// Where stale reads go.
    replica_address: SocketAddr,
    replica: Arc<Replica>,
}

type Broken = Box<dyn std::error::Error + Send + Sync>;

impl Backend {
    pub fn dynamodb(served: Served) -> Self {
        let Served { database, address, replica, replica_address } = served;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let replica = Arc::new(Replica::new(database, replica));
        Self::DynamoDb(Arc::new(DynamoDb { client, address, replica_address, replica }))
    }

    pub fn service(&self) -> Service {
        match self {
            Self::DynamoDb(_) => Service::DynamoDb,
            Self::Sqs(_) => Service::Sqs,
            Self::S3(_) => Service::S3,
            Self::Secrets(_) => Service::SecretsManager,
        }
    }

    /// Of DynamoDB.
    pub fn replica(&self) -> Option<&Arc<Replica>> {
        match self {
            Self::DynamoDb(database) => Some(&database.replica),
            Self::Sqs(_) | Self::S3(_) | Self::Secrets(_) => None,
        }
    }

    pub async fn call(&self, parts: Parts, body: Bytes, call: &Call) -> Answer {
        let answer = match self {
            Self::Secrets(secrets) => Ok(secrets.answer(&call.operation, &body)),
            Self::Sqs(sqs) => Ok(sqs.answer(&call.operation, &body).await),
            Self::DynamoDb(database) => DynamoDb::call(database, parts, body, call).await,
            Self::S3(service) => s3(service, parts, body).await,
        };
        answer.unwrap_or_else(|error| broken(self.service(), error.as_ref()))
    }
}

fn broken(service: Service, error: &dyn std::error::Error) -> Answer {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", error.to_string()).answer(service)
}

impl DynamoDb {
    /// A write that has begun is carried out, though the caller may give up: as on AWS, and so that the replica learns of
    /// it.
    async fn call(database: &Arc<Self>, parts: Parts, body: Bytes, call: &Call) -> Result<Answer, Broken> {
        if !writes(&call.operation) {
            let to = if call.stale { database.replica_address } else { database.address };
            return database.send(parts, body, to).await;
        }
        let (database, operation) = (Arc::clone(database), call.operation.clone());
        let carried_out = tokio::spawn(async move {
            let sent = async {
                let answer = database.send(parts, body.clone(), database.address).await;
                answer.unwrap_or_else(|error| broken(Service::DynamoDb, error.as_ref()))
            };
            database.replica.follow(&operation, &body, sent).await
        });
        Ok(carried_out.await?)
    }

    /// The Host header stays as it was signed.
    async fn send(&self, mut parts: Parts, body: Bytes, to: SocketAddr) -> Result<Answer, Broken> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = Uri::builder().scheme("http").authority(to.to_string()).path_and_query(path).build()?;
        let answer = self.client.request(Request::from_parts(parts, Full::new(body))).await?;
        let (parts, body) = answer.into_parts();
        Ok(Answer::from_parts(parts, Full::new(body.collect().await?.to_bytes())))
    }
}

async fn s3(service: &S3Service, parts: Parts, body: Bytes) -> Result<Answer, Broken> {
    let request = Request::from_parts(parts, s3s::Body::from(body));
    let answer = service.call(request).await.map_err(|error| format!("{error:?}"))?;
    let (parts, body) = answer.into_parts();
    Ok(Answer::from_parts(parts, Full::new(body.collect().await?.to_bytes())))
}
