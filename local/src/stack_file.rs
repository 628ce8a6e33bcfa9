//! `target/local/stack.json`: what scripts need to know of a running stack. There while the stack runs.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::stack::Stack;

/// The file; dropped, it is removed.
#[derive(Debug)]
pub struct StackFile {
    path: PathBuf,
}

impl StackFile {
    /// Writes the file at once: a script that sees it sees all of it.
    pub fn write(path: &Path, stack: &Stack) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let unfinished = path.with_extension("json.part");
        std::fs::write(&unfinished, format!("{:#}\n", content(stack)))?;
        std::fs::rename(&unfinished, path)?;
        Ok(Self { path: path.to_owned() })
    }
}

impl Drop for StackFile {
    fn drop(&mut self) {
        // Somebody else may have removed it; there is nobody left to be told.
        std::fs::remove_file(&self.path).ok();
    }
}

/// What the file says.
pub(crate) fn content(stack: &Stack) -> Value {
    let aws = stack.aws();
    let model = stack.model();
    let by_id = |pairs: Vec<(&String, &String)>| -> Map<String, Value> {
        pairs.into_iter().map(|(id, name)| (id.clone(), json!(name))).collect()
    };
    json!({
        "pid": std::process::id(),
        "base_url": stack.base_url(),
        "aws": {
            "dynamodb": aws.dynamodb, "sqs": aws.sqs, "s3": aws.s3,
            "secrets_manager": aws.secrets_manager, "region": aws.region,
            "access_key_id": aws.access_key_id, "secret_access_key": aws.secret_access_key,
        },
        "camera_url": stack.camera().map(|camera| camera.url()),
        "camera_key": stack.camera().map(|camera| camera.key()),
        "grpc_model_url": stack.grpc_model().map(|model| model.url()),
        "issuer": stack.identity().issuer(),
        "tokens": stack.tokens(),
        "users": stack.users(),
        "terra_signing_secret": stack.terra_signing_secret(),
        "tables": by_id(model.tables.iter().map(|table| (&table.id, &table.name)).collect()),
        "queues": by_id(model.queues.iter().map(|queue| (&queue.id, &queue.url)).collect()),
        "secrets": by_id(model.secrets.iter().map(|secret| (&secret.id, &secret.arn)).collect()),
        "buckets": by_id(model.buckets.iter().map(|bucket| (&bucket.id, &bucket.name)).collect()),
    })
}
