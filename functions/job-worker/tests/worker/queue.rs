//! A queue that takes what is sent and gives it to whoever asks: as much of SQS as the worker's jobs see of it.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// The bodies of the messages that wait.
#[derive(Debug, Clone, Default)]
pub struct Queue(Arc<Mutex<Vec<String>>>);

impl Queue {
    /// The queue, and where it listens.
    pub async fn start() -> (Self, String) {
        let queue = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = queue.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let queue = served.clone();
                tokio::spawn(async move { queue.serve(stream).await });
            }
        });
        (queue, url)
    }

    /// Takes all that waits.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn put(&self, body: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(body);
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let (target, body) = request(&mut stream).await?;
            let answer = self.answer(&target, &body).to_string();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length:";
            stream.write_all(format!("{head} {}\r\n\r\n{answer}", answer.len()).as_bytes()).await.ok()?;
            stream.flush().await.ok()?;
        }
    }

    fn answer(&self, target: &str, body: &Value) -> Value {
        let entries = body["Entries"].as_array().cloned().unwrap_or_default();
        let done = entries.iter().map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" }));
        if target.ends_with("SendMessageBatch") {
            entries.iter().for_each(|entry| self.put(entry["MessageBody"].as_str().unwrap().to_owned()));
        }
        json!({ "Successful": done.collect::<Vec<_>>(), "Failed": [] })
    }
}

/// The operation and the body of the connection's next request.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, Value)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?.to_lowercase();
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(|value| value.trim().to_owned())
    };
    let mut body = vec![0; header("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    let target = header("x-amz-target")?.replace("sendmessagebatch", "SendMessageBatch");
    Some((target, serde_json::from_slice(&body).ok()?))
}
