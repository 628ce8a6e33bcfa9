//! The bucket: `frames/` and `reports/`.

use std::time::Duration;

use aws_sdk_s3::{presigning::PresigningConfig, primitives::ByteStream};

use sha2::{Digest, Sha256};

use crate::{
    aws::Aws,
    domain::frame::FrameFormat,
    error::{Error, Result},
    ids::SessionId,
};

/// How long a signed URL is good for.
pub const SIGNED_FOR: Duration = Duration::from_secs(15 * 60);

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

/// The SHA-256 of a frame's bytes in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
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
        put.content_type(content_type)
            .body(body.into())
            .send()
            .await
            .map_err(|err| Error::unavailable("storage is not available, try again", err))?;
        Ok(())
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
