//! How a stack comes up: ports first, since the template's values need them; then building, tables and servers at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::camera::RangeCamera;
use crate::dynamodb;
use crate::front::{self, Backend, Front};
use crate::functions::{BuildError, Credentials, Endpoints, Functions, Launcher, ProcessGroup, build};
use crate::gateway::Gateway;
use crate::grpc_model::GrpcModel;
use crate::http::{self, Stop, Stopper};
use crate::identity::Identity;
use crate::logs::Logs;
use crate::options::StackOptions;
use crate::parts::{Aws, Parts, Running, StackError};
use crate::s3;
use crate::secrets::SecretsManager;
use crate::sources::Sources;
use crate::sqs::Sqs;
use crate::system;
use crate::template::{Model, Site, Template};
use crate::terra::SIGNING_SECRET;
use crate::{ACCOUNT, API_ID, REGION, STACK_NAME};

/// A port that is bound.
struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    async fn bind(port: u16) -> Result<Self, StackError> {
        let failed = |source| StackError::Io { what: format!("127.0.0.1:{port}"), source };
        let listener = http::bind(port).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

struct Ports {
    gateway: Port,
    identity: Port,
    dynamodb: Port,
    sqs: Port,
    s3: Port,
    secrets_manager: Port,
}

impl Ports {
    async fn bind(gateway: u16) -> Result<Self, StackError> {
        Ok(Self {
            gateway: Port::bind(gateway).await?,
            identity: Port::bind(0).await?,
            dynamodb: Port::bind(0).await?,
            sqs: Port::bind(0).await?,
            s3: Port::bind(0).await?,
            secrets_manager: Port::bind(0).await?,
        })
    }

    fn endpoints(&self) -> Endpoints {
        Endpoints {
            dynamodb: self.dynamodb.url(),
            sqs: self.sqs.url(),
            s3: self.s3.url(),
            secrets_manager: self.secrets_manager.url(),
        }
    }
}

pub async fn start(options: StackOptions) -> Result<(Parts, Running), StackError> {
    let template = Template::read(&options.template)?;
    let files = tempfile::tempdir().map_err(io("temporary directory"))?;
    let ports = Ports::bind(options.port).await?;
    let key = system::new_id().simple().to_string();
    let camera = RangeCamera::start(key, options.camera.clone()).await.map_err(io("range camera"))?;
    let grpc_model = grpc_model(&options).await?;
    let identity = Identity::new(ports.identity.address)?;
    let parameters = parameters(&template, &options, &identity, &camera, grpc_model.as_ref());
    let site = site(&ports.sqs);
    let model = template.resolve(&site, &parameters)?;
    let credentials = credentials(&model);
    let (services, stop) = http::stop_signal();
    let storage = Storage { root: options.data_dir.clone(), files: files.path().to_owned() };
    let (binaries, (backends, sqs)) = tokio::try_join!(
        async { build_functions(&options, &model, false).await.map_err(StackError::from) },
        storage.open(&model, &credentials, &stop),
    )?;
    let logs = Logs::new(options.echo);
    let (api_url, endpoints) = (ports.gateway.url(), ports.endpoints());
    let aws = aws(&endpoints, &credentials);
    let secrets = SecretsManager::new(&model.secrets, &secrets(&options, &camera));
    let [dynamodb, s3] = backends;
    let backends = [dynamodb, Backend::Sqs(sqs.clone()), s3, Backend::Secrets(secrets.clone())];
    let front = Front::new(callers(&credentials), &model, site, &backends, logs.clone());
    let launcher = launcher(binaries, files.path(), endpoints, credentials.clone(), &logs)?;
    let functions = Functions::new(&model.functions, &launcher, options.max_instances);
    let gateway = Gateway::new(&model.routes, model.cors.clone(), functions.clone(), logs.clone());
    let sources = Sources::start(&model, &sqs, &functions, &logs, &options);
    let gateway = serve(ports, gateway, &front, &identity, backends, &stop);
    let tokens = identity.tokens()?;
    let parts = Parts {
        api_url,
        aws,
        credentials,
        front,
        identity,
        tokens,
        functions,
        sqs,
        sources,
        logs,
        model,
        secrets,
        options,
    };
    Ok((parts, Running { gateway, services, camera, grpc_model, _files: files }))
}

/// Everything is there: requests may come. `stop` ends what stands behind the functions, the gateway has an end of its own.
fn serve(
    ports: Ports,
    gateway: Gateway,
    front: &Front,
    identity: &Identity,
    [dynamodb, sqs, s3, secrets]: [Backend; 4],
    stop: &Stop,
) -> (Stopper, JoinHandle<()>) {
    let secrets = (ports.secrets_manager, secrets);
    for (port, backend) in [(ports.dynamodb, dynamodb), (ports.sqs, sqs), (ports.s3, s3), secrets] {
        tokio::spawn(front::serve(port.listener, stop.clone(), front.clone(), backend));
    }
    tokio::spawn(identity.clone().serve(ports.identity.listener, stop.clone()));
    let (stopper, stop) = http::stop_signal();
    (stopper, tokio::spawn(gateway.serve(ports.gateway.listener, stop)))
}

async fn grpc_model(options: &StackOptions) -> Result<Option<GrpcModel>, StackError> {
    let Some(model) = options.grpc_model.clone() else { return Ok(None) };
    GrpcModel::start(model, 0).await.map(Some).map_err(io("gRPC model"))
}

fn io(what: &str) -> impl FnOnce(std::io::Error) -> StackError {
    move |source| StackError::Io { what: what.to_owned(), source }
}

/// Builds the model's functions; the directory of their binaries.
pub async fn build_functions(options: &StackOptions, model: &Model, again: bool) -> Result<PathBuf, BuildError> {
    let packages: Vec<&str> = model.functions.iter().map(|function| function.name.as_str()).collect();
    let workspace = options.template.parent().unwrap_or(Path::new("."));
    build(&options.binaries, &packages, workspace, again, options.quiet_build).await
}

fn site(sqs: &Port) -> Site {
    Site {
        region: REGION.to_owned(),
        account: ACCOUNT.to_owned(),
        stack: STACK_NAME.to_owned(),
        api_id: API_ID.to_owned(),
        sqs_url: sqs.url(),
    }
}

/// What the stack sets itself, as far as the template has it, and what the caller sets, which wins.
fn parameters(
    template: &Template,
    options: &StackOptions,
    identity: &Identity,
    camera: &RangeCamera,
    grpc_model: Option<&GrpcModel>,
) -> BTreeMap<String, String> {
    let issuers = json!([{"issuer": identity.issuer(), "kind": "supabase", "audience": "authenticated"}]);
    let own = [
        ("AuthIssuers", issuers.to_string()),
        ("CameraApiUrl", camera.url().to_owned()),
        ("MlServiceUrl", grpc_model.map(GrpcModel::url).unwrap_or_default()),
    ];
    let own = own.into_iter().filter(|(name, _)| template.declares(name));
    let own = own.map(|(name, value)| (name.to_owned(), value));
    own.chain(options.parameters.clone()).collect()
}

/// What the secret holds: what the stack puts there itself, and what the caller does, which wins.
fn secrets(options: &StackOptions, camera: &RangeCamera) -> BTreeMap<String, String> {
    let own = [("camera_api_key", camera.key()), ("terra_signing_secret", SIGNING_SECRET)];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.into_iter().chain(options.secrets.clone()).collect()
}

/// A key for each function, and one for everybody else.
fn credentials(model: &Model) -> BTreeMap<String, Credentials> {
    let names = model.functions.iter().map(|function| function.name.as_str()).chain([front::EVERYBODY_ELSE]);
    let key = |name: &str| Credentials {
        // Readable, and of the characters that AWS has in its keys.
        access_key_id: format!("LOCAL{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "").to_uppercase()),
        secret_access_key: system::new_id().simple().to_string(),
    };
    names.map(|name| (name.to_owned(), key(name))).collect()
}

/// Who has which access key.
fn callers(credentials: &BTreeMap<String, Credentials>) -> BTreeMap<String, String> {
    credentials.iter().map(|(name, key)| (key.access_key_id.clone(), name.clone())).collect()
}

fn aws(endpoints: &Endpoints, credentials: &BTreeMap<String, Credentials>) -> Aws {
    let key = credentials.get(front::EVERYBODY_ELSE).cloned().unwrap_or_default();
    Aws {
        dynamodb: endpoints.dynamodb.clone(),
        sqs: endpoints.sqs.clone(),
        s3: endpoints.s3.clone(),
        secrets_manager: endpoints.secrets_manager.clone(),
        access_key_id: key.access_key_id,
        secret_access_key: key.secret_access_key,
        region: REGION.to_owned(),
    }
}

fn launcher(
    binaries: PathBuf,
    files: &Path,
    endpoints: Endpoints,
    credentials: BTreeMap<String, Credentials>,
    logs: &Logs,
) -> Result<Arc<Launcher>, StackError> {
    let task_root = files.join("task");
    std::fs::create_dir_all(&task_root).map_err(io("working directory of the functions"))?;
    Ok(Arc::new(Launcher {
        binaries,
        task_root,
        region: REGION.to_owned(),
        account: ACCOUNT.to_owned(),
        endpoints,
        credentials,
        logs: logs.clone(),
        group: ProcessGroup::start(files).map_err(io("/bin/sh"))?,
    }))
}

/// Where tables, messages and objects are kept.
struct Storage {
    /// The data directory, where one was given: tables and messages are in memory otherwise.
    root: Option<PathBuf>,
    /// For objects without a data directory.
    files: PathBuf,
}

impl Storage {
    async fn open(
        &self,
        model: &Model,
        credentials: &BTreeMap<String, Credentials>,
        stop: &Stop,
    ) -> Result<([Backend; 2], Sqs), StackError> {
        let objects = self.root.as_ref().unwrap_or(&self.files).join("s3");
        std::fs::create_dir_all(&objects).map_err(io("data directory"))?;
        let file = |name: &str| self.root.as_ref().map(|root| root.join(name));
        let s3 = s3::open(&objects, &model.buckets, credentials.values()).map_err(io("buckets"))?;
        let sqs = Sqs::open(file("sqs.sqlite").as_deref(), &model.queues)?;
        let database = dynamodb::open(file("dynamodb.sqlite").as_deref())?;
        dynamodb::create_tables(&database, &model.tables)?;
        let dynamodb = dynamodb::start(database, stop.clone()).await?;
        Ok(([Backend::dynamodb(dynamodb), Backend::S3(s3)], sqs))
    }
}
