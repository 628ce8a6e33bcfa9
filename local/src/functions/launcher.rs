//! Starts instances: a Runtime API server on a port of its own, then the binary in the stack's process group.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::Command;
use tokio::sync::{mpsc, watch};

use super::environment::{self, Credentials, Endpoints, Surroundings};
use super::instance::{Instance, no_request, supervise};
use super::pipes::Pipe;
use super::runtime_api::RuntimeApi;
use super::{InvokeError, ProcessGroup};
use crate::http;
use crate::logs::Logs;
use crate::system;
use crate::template::Function;

/// What every instance of the stack is started with.
#[derive(Debug)]
pub struct Launcher {
    pub binaries: PathBuf,
    /// An empty directory: on Lambda nothing but the binary lies beside it.
    pub task_root: PathBuf,
    pub region: String,
    pub account: String,
    pub endpoints: Endpoints,
    /// By [`Function::name`].
    pub credentials: BTreeMap<String, Credentials>,
    pub logs: Logs,
    pub group: ProcessGroup,
}

impl Launcher {
    pub fn arn(&self, function: &Function) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", self.region, self.account, function.function_name)
    }

    pub async fn start(&self, function: &Function) -> Result<Instance, InvokeError> {
        let binary = self.binaries.join(&function.name);
        let failed = |source| InvokeError::Start { binary: binary.clone(), source };
        let listener = http::bind(0).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?.to_string();
        let credentials = self.credentials.get(&function.name).ok_or(InvokeError::Ending)?;
        let surroundings =
            Surroundings { region: &self.region, endpoints: &self.endpoints, credentials, task_root: &self.task_root };
        let stream = format!("{}/[$LATEST]{}", system::now().format("%Y/%m/%d"), system::new_id().simple());
        let mut child = Command::new(&binary)
            .env_clear()
            .envs(environment::variables(function, &surroundings, &stream, &address))
            .current_dir(&self.task_root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(self.group.id())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (events, queue) = mpsc::channel(1);
        let api = Arc::new(RuntimeApi::new(queue));
        let (stopper, stop) = http::stop_signal();
        let handler = api.clone();
        tokio::spawn(http::serve(listener, stop, move |request, _| handler.clone().handle(request)));
        let current = no_request();
        let name: Arc<str> = function.name.as_str().into();
        let missing = || failed(std::io::Error::other("no pipe"));
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let pipes = [
            Pipe::read(stdout, name.clone(), current.clone(), self.logs.clone()),
            Pipe::read(stderr, name, current.clone(), self.logs.clone()),
        ];
        let (orders, order_queue) = mpsc::channel(4);
        let (exited, exit) = watch::channel(None);
        tokio::spawn(supervise(child, order_queue, exited));
        Ok(Instance { events, api, orders, exit, pipes, current, _server: stopper })
    }
}
