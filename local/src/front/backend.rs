//! What stands behind the front: DynamoDB over HTTP, S3 and SQS in this process.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use s3s::service::S3Service;

use super::{Refusal, Service};
use crate::http::Answer;
use crate::sqs::Sqs;

#[derive(Clone)]
pub enum Backend {
    DynamoDb(Arc<DynamoDb>),
    Sqs(Sqs),
    S3(S3Service),
}

pub struct DynamoDb {
    client: Client<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

impl Backend {
    pub fn dynamodb(address: SocketAddr) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self::DynamoDb(Arc::new(DynamoDb { client, address }))
    }

    pub fn service(&self) -> Service {
        match self {
            Self::DynamoDb(_) => Service::DynamoDb,
            Self::Sqs(_) => Service::Sqs,
            Self::S3(_) => Service::S3,
        }
    }

    pub async fn call(&self, parts: Parts, body: Bytes, operation: &str) -> Answer {
        let answer = match self {
            Self::Sqs(sqs) => Ok(sqs.answer(operation, &body).await),
            Self::DynamoDb(database) => database.call(parts, body).await,
            Self::S3(service) => s3(service, parts, body).await,
        };
        answer.unwrap_or_else(|error| {
            let refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", error.to_string());
            refusal.answer(self.service())
        })
    }
}

type Broken = Box<dyn std::error::Error + Send + Sync>;

impl DynamoDb {
    /// The Host header stays as it was signed.
    async fn call(&self, mut parts: Parts, body: Bytes) -> Result<Answer, Broken> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = Uri::builder().scheme("http").authority(self.address.to_string()).path_and_query(path).build()?;
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
