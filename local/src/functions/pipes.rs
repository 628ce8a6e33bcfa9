//! An instance's standard output and error, line by line into the logs.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::{mpsc, oneshot};

use crate::lock::lock;
use crate::logs::{LogLine, Logs};

/// The invocation that an instance is at; its lines are marked with it.
pub type CurrentRequest = Arc<Mutex<Option<String>>>;

/// A pipe that is being read.
#[derive(Debug)]
pub struct Pipe {
    flush: mpsc::Sender<oneshot::Sender<()>>,
}

impl Pipe {
    pub fn read<R>(source: R, function: Arc<str>, current: CurrentRequest, logs: Logs) -> Self
    where
        R: AsyncRead + Unpin + Send + 'static,
    {
        let (flush, requests) = mpsc::channel(1);
        tokio::spawn(read_lines(BufReader::new(source), function, current, logs, requests));
        Self { flush }
    }

    /// Waits until all that the process has written so far is in the logs.
    ///
    /// The bytes were in the pipe before the process sent its answer, so the event loop, which hears of both in that
    /// order, knows of them by now; the reader takes bytes first and this request only when none are left.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        // An error means that the pipe has ended and been read to its end. A request that is sent at that very moment may stay
        // in the channel, which then has closed.
        if self.flush.send(done).await.is_ok() {
            tokio::select! {
                _ = flushed => {}
                () = self.flush.closed() => {}
            }
        }
    }
}

async fn read_lines<R: AsyncRead + Unpin>(
    mut source: BufReader<R>,
    function: Arc<str>,
    current: CurrentRequest,
    logs: Logs,
    mut flushes: mpsc::Receiver<oneshot::Sender<()>>,
) {
    let mut line = Vec::new();
    loop {
        tokio::select! {
            biased;
            // What was read of a line stays in `line` when a flush comes between.
            read = source.read_until(b'\n', &mut line) => {
                let ended = !matches!(read, Ok(1..));
                if !line.is_empty() {
                    let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                    let request_id = lock(&current).clone();
                    logs.push(LogLine { function: function.clone(), request_id, text });
                    line.clear();
                }
                if ended {
                    return;
                }
            }
            Some(done) = flushes.recv() => {
                done.send(()).ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::functions::instance::no_request;
    use crate::logs::Echo;

    /// Often, as it takes a certain moment.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn who_asks_for_a_flush_as_the_pipe_ends_is_not_kept_waiting() {
        for _ in 0..50_000 {
            let (source, process) = tokio::io::duplex(16);
            let pipe = Pipe::read(source, "function".into(), no_request(), Logs::new(Echo::default()));
            let ends = tokio::spawn(async move { drop(process) });
            tokio::time::timeout(Duration::from_secs(5), pipe.flush()).await.expect("the pipe has ended");
            ends.await.unwrap();
        }
    }
}
