//! The bodies of a folder: which files are webhooks, and what they say of themselves.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use shared::domain::terra::Handling;
use shared::ids::{DeliveryId, JobId};
use shared::jobs::Job;
use shared::store::objects::sha256_hex;
use uuid::Uuid;

use super::Failure;
use crate::terra::Webhook;

/// A file that is a webhook's body.
#[derive(Debug)]
pub struct Body {
    /// Within the folder.
    pub name: String,
    /// `type`
    pub kind: String,
    pub terra_user_id: Option<String>,
    pub webhook: Webhook,
    pub delivery_id: DeliveryId,
}

/// What there is in a folder, sorted by name.
#[derive(Debug, Default)]
pub struct Folder {
    pub bodies: Vec<Body>,
    /// Files that are no webhook's body.
    pub skipped: Vec<String>,
}

impl Folder {
    /// Reads every `*.json` below `root`. `reference` takes the place of each `reference_id` in them.
    pub fn read(root: &Path, reference: Option<Uuid>) -> Result<Self, Failure> {
        let mut files = Vec::new();
        collect(root, &mut files)?;
        files.sort();
        let mut folder = Self::default();
        for path in files {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            let bytes = fs::read(&path).map_err(|err| format!("{}: {err}", path.display()))?;
            match Body::of(name, bytes, reference) {
                Ok(body) => folder.bodies.push(body),
                Err(name) => folder.skipped.push(name),
            }
        }
        Ok(folder)
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).map_err(|err| format!("{}: {err}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

impl Body {
    /// The file's name comes back where it is no webhook's body.
    fn of(name: String, mut bytes: Vec<u8>, reference: Option<Uuid>) -> Result<Self, String> {
        let Ok(mut json) = serde_json::from_slice::<Value>(&bytes) else { return Err(name) };
        let Some(kind) = json["type"].as_str().map(str::to_owned) else { return Err(name) };
        if reference.is_some_and(|reference| replace_references(&mut json, reference)) {
            bytes = json.to_string().into_bytes();
        }
        let user = if json["user"].is_object() { &json["user"] } else { &json["new_user"] };
        // The same file is the same delivery, however often it is sent.
        let digest = sha256_hex(&[name.as_bytes(), &bytes].concat());
        let id = format!("send-terra-{}", digest.get(..16).unwrap_or(&digest));
        Ok(Self {
            kind,
            terra_user_id: user["user_id"].as_str().map(str::to_owned),
            webhook: Webhook::new(bytes).trace_id(id.as_str()),
            delivery_id: DeliveryId(id),
            name,
        })
    }

    /// The job that its delivery becomes; none for what is only kept.
    pub fn job_id(&self) -> Option<JobId> {
        let delivery_id = self.delivery_id.clone();
        let job = match Handling::of(&self.kind) {
            Handling::Ingest(_) => Job::TerraIngest { delivery_id, terra_user_id: String::new() },
            Handling::Connect(_) => Job::TerraConnection { delivery_id },
            Handling::Fetch => Job::FetchLargeDelivery { delivery_id },
            Handling::Record | Handling::Unknown => return None,
        };
        Some(job.id_of_delivery(&self.delivery_id))
    }

    pub fn is_data(&self) -> bool {
        matches!(Handling::of(&self.kind), Handling::Ingest(_))
    }
}

/// Whether there was one to replace.
fn replace_references(json: &mut Value, reference: Uuid) -> bool {
    let mut replaced = false;
    match json {
        Value::Object(members) => {
            for (name, value) in members {
                if name == "reference_id" && value.is_string() {
                    *value = reference.to_string().into();
                    replaced = true;
                } else {
                    replaced |= replace_references(value, reference);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                replaced |= replace_references(item, reference);
            }
        }
        _ => {}
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(name: &str, json: &str, reference: Option<Uuid>) -> Result<Body, String> {
        Body::of(name.into(), json.as_bytes().to_vec(), reference)
    }

    #[test]
    fn a_file_without_a_type_is_no_webhook() {
        for json in ["[]", "{}", "{\"type\":7}", "7", "{", ""] {
            assert_eq!(body("a.json", json, None).unwrap_err(), "a.json", "{json}");
        }
    }

    #[test]
    fn every_reference_is_replaced_and_a_body_without_one_stays_as_it_is() {
        let reference = Uuid::from_u128(7);
        let json = r#"{"type":"auth","reference_id":"x","user":{"user_id":"u1","reference_id":"x","n":null}}"#;
        let replaced = body("a.json", json, Some(reference)).unwrap();
        assert_eq!(String::from_utf8_lossy(&replaced.webhook.body).matches(&reference.to_string()).count(), 2);
        assert_eq!(replaced.terra_user_id.as_deref(), Some("u1"));
        assert_eq!(body("a.json", json, None).unwrap().webhook.body, json);
        let plain = " {\"type\": \"daily\", \"reference_id\": null}";
        assert_eq!(body("a.json", plain, Some(reference)).unwrap().webhook.body, plain);
    }

    #[test]
    fn a_delivery_is_known_by_its_name_and_its_content() {
        let id = |name, json| body(name, json, None).unwrap().delivery_id;
        let first = id("a.json", r#"{"type":"daily"}"#);
        assert_eq!(first, id("a.json", r#"{"type":"daily"}"#));
        assert_ne!(first, id("b.json", r#"{"type":"daily"}"#));
        assert_ne!(first, id("a.json", r#"{"type":"sleep"}"#));
    }
}
