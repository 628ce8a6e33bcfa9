//! A stand-in of the bucket that Terra leaves large deliveries in, for answers that no honest server gives.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What stands behind a head.
#[derive(Debug, Clone, Copy)]
pub enum Tail {
    /// Nothing; the connection stays open.
    Nothing,
    /// Chunks of a mebibyte, until nobody takes them any more.
    Endless,
}

/// Answers every request with the same head and tail. Dropped, it ends.
pub struct Bucket {
    pub host: String,
    asked: Arc<AtomicUsize>,
    taken: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Bucket {
    pub async fn start(head: &str, tail: Tail) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (asked, taken) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (asking, taking) = (Arc::clone(&asked), Arc::clone(&taken));
        let head: Arc<str> = head.into();
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                asking.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(socket, Arc::clone(&head), tail, Arc::clone(&taking)));
            }
        });
        Self { host, asked, taken, server }
    }

    /// Connections so far.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Mebibytes of the tail that were taken so far.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(mut socket: TcpStream, head: Arc<str>, tail: Tail, taken: Arc<AtomicUsize>) {
    let mut request = [0; 4_096];
    // A GET fits.
    let _ = socket.read(&mut request).await;
    let _ = socket.write_all(head.as_bytes()).await;
    if let Tail::Endless = tail {
        let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
        while socket.write_all(&chunk).await.is_ok() {
            taken.fetch_add(1, Ordering::SeqCst);
        }
    }
    // Until the other side goes.
    while socket.read(&mut request).await.is_ok_and(|read| read > 0) {}
}
