//! S3: s3s (signatures, presigned URLs, the protocol) over s3s-fs (objects as files), in this process.

use std::io;
use std::path::Path;

use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;

use crate::functions::Credentials;
use crate::template::Bucket;

/// The service over `root`, with a directory for each bucket.
pub fn open<'a>(
    root: &Path,
    buckets: &[Bucket],
    credentials: impl Iterator<Item = &'a Credentials>,
) -> io::Result<S3Service> {
    for bucket in buckets {
        std::fs::create_dir_all(root.join(&bucket.name))?;
    }
    let files = FileSystem::new(root).map_err(|error| io::Error::other(format!("{error:?}")))?;
    let mut keys = SimpleAuth::new();
    for Credentials { access_key_id, secret_access_key } in credentials {
        keys.register(access_key_id.clone(), secret_access_key.as_str().into());
    }
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(keys);
    Ok(service.build())
}
