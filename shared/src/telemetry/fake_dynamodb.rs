//! Something on loopback that answers like DynamoDB, for tests of what happens around a call.

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// A server that answers each operation (e.g. `GetItem`) with what `answer` says: a status and a body. `None` leaves
/// the caller waiting.
pub(crate) async fn start(answer: impl Fn(&str) -> Option<(u16, String)> + Send + Sync + 'static) -> SdkConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move { serve(stream, answer.as_ref()).await });
        }
    });
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .endpoint_url(endpoint)
        .build()
}

/// One request, one answer.
async fn serve(stream: TcpStream, answer: &impl Fn(&str) -> Option<(u16, String)>) {
    let mut stream = BufReader::new(stream);
    let (mut operation, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("x-amz-target", _)) => operation = line.trim_end().rsplit('.').next().unwrap().to_owned(),
            Some(("content-length", value)) => length = value.parse().unwrap(),
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    stream.read_exact(&mut vec![0; length]).await.unwrap();
    let Some((status, body)) = answer(&operation) else { return std::future::pending().await };
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await.unwrap();
}
