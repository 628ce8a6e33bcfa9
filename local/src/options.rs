//! How a stack is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::camera::CameraOptions;
use crate::functions::Binaries;
use crate::grpc_model::ModelFn;
use crate::logs::Echo;
use crate::sources::Schedules;

#[derive(Debug, Clone)]
pub struct StackOptions {
    /// The workspace's `template.yaml` unless said otherwise. Functions are built in its directory.
    pub template: PathBuf,
    /// Of the HTTP API; 0 takes a free port.
    pub port: u16,
    /// Template parameters beside those that the stack sets itself. A name that the template lacks is an error.
    pub parameters: BTreeMap<String, String>,
    /// What the template's secret holds beside what the stack sets itself, by name: `terra_signing_secret`, ….
    pub secrets: BTreeMap<String, String>,
    /// Where tables, messages and objects are kept; without it they go with the stack.
    pub data_dir: Option<PathBuf>,
    /// Instances of a function at once; further calls wait. What the template reserves is refused beyond, not awaited.
    pub max_instances: usize,
    pub binaries: Binaries,
    /// Cargo says nothing unless the build fails.
    pub quiet_build: bool,
    pub camera: CameraOptions,
    /// Served over gRPC, as a planner's own model; the functions' parameter `MlServiceUrl` says where.
    pub grpc_model: Option<ModelFn>,
    /// Whether rates fire by themselves; a test fires what it needs.
    pub schedules: Schedules,
    pub echo: Echo,
}

impl Default for StackOptions {
    fn default() -> Self {
        Self {
            template: workspace().join("template.yaml"),
            port: 0,
            parameters: BTreeMap::new(),
            secrets: BTreeMap::new(),
            data_dir: None,
            max_instances: 4,
            binaries: Binaries::default(),
            quiet_build: true,
            camera: CameraOptions::default(),
            grpc_model: None,
            schedules: Schedules::default(),
            echo: Echo::Off,
        }
    }
}

impl StackOptions {
    pub fn parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    pub fn secret(mut self, name: &str, value: impl Into<String>) -> Self {
        self.secrets.insert(name.to_owned(), value.into());
        self
    }

    pub fn grpc_model(mut self, model: ModelFn) -> Self {
        self.grpc_model = Some(model);
        self
    }
}

/// The workspace that this crate was built in.
pub fn workspace() -> &'static Path {
    let local = Path::new(env!("CARGO_MANIFEST_DIR"));
    local.parent().unwrap_or(local)
}
