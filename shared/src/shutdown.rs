//! The end of an instance.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tracing::warn;

/// Has the instance end in order on SIGTERM, which Lambda sends to those alone who register an extension. A platform that
/// knows no extensions, as some emulators don't, sends none: no reason not to start.
pub(crate) async fn in_order() {
    // The runtime panics where it can't register.
    let registered = lambda_runtime::spawn_graceful_shutdown_handler(|| async {});
    if AssertUnwindSafe(registered).catch_unwind().await.is_err() {
        warn!("the platform takes no extension: the instance will end without notice");
    }
}
