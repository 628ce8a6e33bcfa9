//! [`Stack`]: a running stack and everything that a test may want of it.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinError;
use tokio::time::timeout;
use uuid::Uuid;

use crate::camera::RangeCamera;
use crate::front::Front;
use crate::functions::{BuildError, Invocation, InvokeError};
use crate::grpc_model::GrpcModel;
use crate::identity::Identity;
use crate::logs::Logs;
use crate::options::StackOptions;
use crate::parts::{Aws, Parts, Running, StackError};
use crate::secrets::SecretsManager;
use crate::sources::{self, FireError};
use crate::sqs::{Counts, SqsError};
use crate::start;
use crate::template::Model;

/// How long requests under way may take when the stack ends; as long as API Gateway waits for a function.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// A running stack. Dropped, it ends at once; [`Stack::shutdown`] lets requests under way end first.
///
/// It has threads of its own, so it outlives the runtime that started it: several tests may share one.
#[derive(Debug)]
pub struct Stack {
    threads: Threads,
    /// None once it ends.
    running: Option<Running>,
    parts: Parts,
}

/// The stack's own runtime. A plain one may not be dropped where a test awaits.
#[derive(Debug)]
struct Threads {
    handle: Handle,
    /// Taken when they end.
    runtime: Option<Runtime>,
}

impl Threads {
    fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(3).thread_name("local-stack").enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Runs the future on these threads, whatever becomes of the caller.
    async fn run<F>(&self, future: F) -> Result<F::Output, JoinError>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.handle.spawn(future).await
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Stack {
    /// Builds the functions where needed and starts everything. Instances of functions start with their first call.
    pub async fn start(options: StackOptions) -> Result<Self, StackError> {
        let failed = |source| StackError::Io { what: "no threads".to_owned(), source };
        let threads = Threads::start().map_err(failed)?;
        let (parts, running) = threads.run(start::start(options)).await??;
        Ok(Self { threads, running: Some(running), parts })
    }

    /// `http://127.0.0.1:<port>/functions/v1`
    pub fn base_url(&self) -> String {
        format!("{}{}", self.parts.api_url, crate::BASE_PATH)
    }

    /// Where the API's description can be read: `http://127.0.0.1:<port>/docs`
    pub fn docs_url(&self) -> String {
        format!("{}{}", self.parts.api_url, crate::gateway::docs::PATH)
    }

    /// `http://127.0.0.1:<port>`
    pub fn api_url(&self) -> &str {
        &self.parts.api_url
    }

    pub fn aws(&self) -> &Aws {
        &self.parts.aws
    }

    /// The same APIs with a function's key, which may do what its policies allow.
    pub fn aws_as(&self, function: &str) -> Option<Aws> {
        let key = self.parts.credentials.get(function)?;
        Some(Aws {
            access_key_id: key.access_key_id.clone(),
            secret_access_key: key.secret_access_key.clone(),
            ..self.parts.aws.clone()
        })
    }

    /// Calls of AWS APIs, permissions, and faults.
    pub fn front(&self) -> &Front {
        &self.parts.front
    }

    pub fn identity(&self) -> &Identity {
        &self.parts.identity
    }

    pub fn logs(&self) -> &Logs {
        &self.parts.logs
    }

    /// None once the stack ends.
    pub fn camera(&self) -> Option<&RangeCamera> {
        self.running.as_ref().map(|running| &running.camera)
    }

    /// None where [`StackOptions::grpc_model`] was not set, and once the stack ends.
    pub fn grpc_model(&self) -> Option<&GrpcModel> {
        self.running.as_ref().and_then(|running| running.grpc_model.as_ref())
    }

    /// What the template says, resolved.
    pub fn model(&self) -> &Model {
        &self.parts.model
    }

    pub fn options(&self) -> &StackOptions {
        &self.parts.options
    }

    /// Tokens by name: `user`, `other_user`, `trainer`, `admin`.
    pub fn tokens(&self) -> &BTreeMap<&'static str, String> {
        &self.parts.tokens
    }

    /// The token of that name; empty where there is none, which no function takes.
    pub fn token(&self, name: &str) -> &str {
        self.parts.tokens.get(name).map_or("", String::as_str)
    }

    /// User ids by the same names.
    pub fn users(&self) -> BTreeMap<&'static str, Uuid> {
        Identity::users()
    }

    /// What webhooks are signed with at the moment.
    pub fn terra_signing_secret(&self) -> String {
        self.parts.secrets.value("terra_signing_secret").unwrap_or_default()
    }

    /// What the template's secret holds, to be looked at and rotated.
    pub fn secrets(&self) -> &SecretsManager {
        &self.parts.secrets
    }

    /// The physical name of a table by its logical id.
    pub fn table(&self, id: &str) -> Option<&str> {
        self.parts.model.tables.iter().find(|table| table.id == id).map(|table| table.name.as_str())
    }

    pub fn queue_url(&self, id: &str) -> Option<&str> {
        self.parts.model.queues.iter().find(|queue| queue.id == id).map(|queue| queue.url.as_str())
    }

    pub fn bucket(&self, id: &str) -> Option<&str> {
        self.parts.model.buckets.iter().find(|bucket| bucket.id == id).map(|bucket| bucket.name.as_str())
    }

    /// Invokes a function with an event, as `aws lambda invoke` would: `function` is the crate's name.
    pub async fn invoke(&self, function: &str, event: impl Into<Bytes>) -> Result<Invocation, InvokeError> {
        let (functions, function, event) = (self.parts.functions.clone(), function.to_owned(), event.into());
        let invocation = async move { functions.invoke(&function, event, None).await };
        self.threads.run(invocation).await.unwrap_or(Err(InvokeError::Ending))
    }

    /// The function's queues are not received from any more when this returns; batches under way end by themselves.
    pub async fn pause_sources(&self, function: &str) {
        self.parts.sources.pause(function).await;
    }

    pub fn resume_sources(&self, function: &str) {
        self.parts.sources.resume(function);
    }

    /// How many messages the queue of this logical id has.
    pub async fn queue_counts(&self, id: &str) -> Result<Counts, SqsError> {
        self.parts.sqs.counts(self.queue_url(id).ok_or(SqsError::QueueDoesNotExist)?).await
    }

    /// Waits until the queue of this logical id is empty: nothing visible, in flight or delayed. False when the time is
    /// over before.
    pub async fn queue_drained(&self, id: &str, limit: Duration) -> Result<bool, SqsError> {
        self.parts.sqs.drained(self.queue_url(id).ok_or(SqsError::QueueDoesNotExist)?, limit).await
    }

    /// The schedules' ids in the template.
    pub fn schedules(&self) -> Vec<&str> {
        self.parts.model.schedules.iter().map(|schedule| schedule.id.as_str()).collect()
    }

    /// Fires a schedule by its id in the template, enabled or not, and gives the outcome.
    pub async fn fire(&self, id: &str) -> Result<Invocation, FireError> {
        let Some(schedule) = self.parts.model.schedules.iter().find(|schedule| schedule.id == id) else {
            let known = self.schedules().into_iter().map(str::to_owned).collect();
            return Err(FireError::Unknown { id: id.to_owned(), known });
        };
        Ok(self.invoke(&schedule.function, sources::event_of(schedule)).await?)
    }

    /// Kills a function's instances, busy or not, as a crash would.
    pub async fn kill_instances(&self, function: &str) {
        self.parts.functions.kill(function).await;
    }

    /// Builds again and replaces the instances.
    pub async fn rebuild(&self) -> Result<(), BuildError> {
        start::build_functions(&self.parts.options, &self.parts.model, true).await?;
        self.parts.functions.replace().await;
        Ok(())
    }

    /// No new requests, messages or schedules; what is under way has 30 s; then instances get SIGTERM; then everything
    /// else ends.
    pub async fn shutdown(mut self) {
        let Some(running) = self.running.take() else { return };
        let functions = self.parts.functions.clone();
        let batches = self.parts.sources.stop();
        let end = async move {
            let (stopper, gateway) = running.gateway;
            stopper.stop();
            // Over the limit, what is still under way ends with its instance.
            timeout(DRAIN_LIMIT, async { tokio::join!(gateway, batches) }).await.ok();
            functions.end().await;
            running.services.stop();
            running.camera.stop().await;
        };
        // An error means that a thread panicked, which has been reported; there is nothing left to end.
        self.threads.run(end).await.ok();
    }
}
