//! The whole backend as its users meet it: the real binaries behind the local stack, over HTTP.

mod sessions;
mod support;
