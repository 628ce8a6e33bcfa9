//! The bucket: `frames/`, `reports/` and `webhooks/`.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_s3::{
    config::Builder, operation::get_object::GetObjectError, presigning::PresigningConfig, primitives::ByteStream,
};
use bytes::Bytes;

use crate::{
    aws::{Aws, within},
    domain::frame::FrameFormat,
    error::{Error, Result},
    ids::{DeliveryId, SessionId},
};

/// How long a signed URL is good for.
pub const SIGNED_FOR: Duration = Duration::from_secs(15 * 60);
/// How long an object may take to be read to its end.
const READ: Duration = Duration::from_secs(8);

/// Objects of the one private bucket.
#[derive(Clone)]
pub struct Objects {
    aws: Aws,
    bucket: String,
}

/// Key of a frame: named by its content, so that storing it twice changes nothing.
pub fn frame_key(session: SessionId, sha256: &str, format: FrameFormat) -> String {
    format!("frames/{session}/{sha256}.{}", format.name())
}

/// Key of a delivery's body: beside the other deliveries of its Terra user, so that they can be found and deleted.
pub fn webhook_key(terra_user_id: Option<&str>, delivery: &DeliveryId) -> String {
    let user = terra_user_id.map_or_else(|| "-".to_owned(), plain);
    format!("webhooks/{user}/{}.json", plain(&delivery.0))
}

/// A part of a key that others chose: as it is where it can do no harm in a path or a URL, else its SHA-256.
fn plain(part: &str) -> String {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    let begins_well = part.starts_with(|first: char| first.is_ascii_alphanumeric());
    if begins_well && part.len() <= 256 && part.bytes().all(harmless) {
        part.to_owned()
    } else {
        sha256_hex(part.as_bytes())
    }
}

/// The SHA-256 of these bytes in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        hex.push_str(&format!("{byte:02x}"));
        hex
    })
}

/// Key of a session's report as of a version of the session.
pub fn report_key(session: SessionId, version: u64) -> String {
    format!("reports/{session}/{version}.html")
}

impl Objects {
    pub fn new(aws: Aws, bucket: String) -> Self {
        Self { aws, bucket }
    }

    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Stores an object, whole or not at all.
    pub async fn put(&self, key: &str, body: impl Into<ByteStream>, content_type: &str) -> Result<()> {
        let put = self.aws.s3().await.put_object().bucket(&self.bucket).key(key);
        put.content_type(content_type).body(body.into()).send().await.map_err(unavailable)?;
        Ok(())
    }

    /// Stores an object as [`Objects::put`] does, within `deadline` and in two attempts at most.
    pub async fn put_within(&self, key: &str, body: Bytes, content_type: &str, deadline: Duration) -> Result<()> {
        let (timeouts, attempts) = within(deadline);
        let put = self.aws.s3().await.put_object().bucket(&self.bucket).key(key);
        put.content_type(content_type)
            .body(body.into())
            .customize()
            .config_override(Builder::new().timeout_config(timeouts).retry_config(attempts))
            // Its checksum goes along: hashing megabytes once more to sign them would only take of the time that there is.
            .disable_payload_signing()
            .send()
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// An object's bytes, or nothing where there is none.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let read = async {
            let get = self.aws.s3().await.get_object().bucket(&self.bucket).key(key);
            let object = match get.send().await {
                Ok(object) => object,
                Err(err) if err.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(None),
                Err(err) => return Err(unavailable(err)),
            };
            Ok(Some(object.body.collect().await.map_err(unavailable)?.into_bytes()))
        };
        tokio::time::timeout(READ, read).await.unwrap_or_else(|_| Err(unavailable("the object was not read in time")))
    }

    /// Whether the bucket answers.
    pub async fn ping(&self) -> Result<()> {
        self.aws
            .s3()
            .await
            .head_bucket()
            .bucket(&self.bucket)
            .send()
            .await
            .map_err(|err| Error::unavailable("storage is not available", err))?;
        Ok(())
    }

    /// A URL that anyone may read the object by, for [`SIGNED_FOR`]. Makes no call.
    pub async fn signed_url(&self, key: &str) -> Result<String> {
        let expiry = PresigningConfig::expires_in(SIGNED_FOR).map_err(Error::internal)?;
        let get = self.aws.s3().await.get_object().bucket(&self.bucket).key(key);
        let request = get.presigned(expiry).await.map_err(Error::internal)?;
        Ok(request.uri().to_owned())
    }
}

/// What the caller hears when the bucket does not answer.
fn unavailable(err: impl Into<crate::error::Cause>) -> Error {
    Error::unavailable("storage is not available, try again", err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_of_others_names_only_what_does_no_harm_in_it() {
        let key = |user: Option<&str>, delivery: &str| webhook_key(user, &DeliveryId(delivery.into()));
        assert_eq!(key(Some("40f7b0e1-89e2"), "a:b.c_d"), "webhooks/40f7b0e1-89e2/a:b.c_d.json");
        assert_eq!(key(None, "a"), "webhooks/-/a.json");
        for nasty in ["", "-", "..", ".", "../x", "a/b", "a b", "ü", "a?b", &"x".repeat(257)] {
            let hash = sha256_hex(nasty.as_bytes());
            assert_eq!(key(Some(nasty), "a"), format!("webhooks/{hash}/a.json"), "{nasty}");
            assert_eq!(key(None, nasty), format!("webhooks/-/{hash}.json"), "{nasty}");
        }
    }
}
