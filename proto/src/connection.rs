//! The one connection to the model, kept over all invocations of an instance.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use shared::provider::Failure;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::failure;

/// A planner's own model. Connects with its first call, and again whenever the connection is gone. Clones share the
/// connection.
#[derive(Debug, Clone)]
pub struct RemoteModel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: String,
    timing: Timing,
    /// Trusted beside the machine's roots.
    authority: Option<String>,
    endpoint: OnceLock<Endpoint>,
    channel: OnceLock<Channel>,
}

/// How long the model is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Of a call, all attempts together.
    pub deadline: Duration,
    /// Of a new connection, with TLS.
    pub connect: Duration,
    /// After this much silence a connection is asked whether it still lives, together with the next call: an instance
    /// that was frozen does not hear that its connection is gone. Longer than any call, so that a slow model is never
    /// asked: gRPC servers hang up on those who ask often.
    pub doubt_after: Duration,
    /// A connection in doubt that does not reply in this time is given up. The rest of the deadline is enough for
    /// another attempt on a new one.
    pub reply: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            connect: Duration::from_secs(1),
            doubt_after: Duration::from_secs(10),
            reply: Duration::from_millis(500),
        }
    }
}

impl RemoteModel {
    /// The model at this address, `https://host:port`; plain `http` is for loopback, which the configuration sees to.
    pub fn new(url: impl Into<String>) -> Self {
        Self::with(url.into(), Timing::default(), None)
    }

    /// The same with another patience.
    pub fn with_timing(self, timing: Timing) -> Self {
        Self::with(self.0.url.clone(), timing, self.0.authority.clone())
    }

    /// The same, trusting this authority (PEM) too.
    pub fn trusting(self, authority: impl Into<String>) -> Self {
        Self::with(self.0.url.clone(), self.0.timing, Some(authority.into()))
    }

    fn with(url: String, timing: Timing, authority: Option<String>) -> Self {
        Self(Arc::new(Inner { url, timing, authority, endpoint: OnceLock::new(), channel: OnceLock::new() }))
    }

    pub(crate) fn timing(&self) -> Timing {
        self.0.timing
    }

    /// The kept connection.
    pub(crate) fn channel(&self) -> Result<Channel, Failure> {
        if let Some(channel) = self.0.channel.get() {
            return Ok(channel.clone());
        }
        let channel = self.fresh_channel()?;
        // Of two that are made at the same time, one stays.
        Ok(self.0.channel.get_or_init(|| channel).clone())
    }

    /// A connection of its own.
    pub(crate) fn fresh_channel(&self) -> Result<Channel, Failure> {
        let endpoint = match self.0.endpoint.get() {
            Some(endpoint) => endpoint,
            None => {
                let endpoint = self.endpoint().map_err(|err| failure::before(&err))?;
                self.0.endpoint.get_or_init(|| endpoint)
            }
        };
        Ok(endpoint.connect_lazy())
    }

    /// Reads the trusted roots, which takes milliseconds: the first call does it, and not every instance has one.
    fn endpoint(&self) -> Result<Endpoint, tonic::transport::Error> {
        let Inner { url, timing, authority, .. } = &*self.0;
        let endpoint = Endpoint::from_shared(url.clone())?
            .connect_timeout(timing.connect)
            .http2_keep_alive_interval(timing.doubt_after)
            .keep_alive_timeout(timing.reply)
            .keep_alive_while_idle(false);
        if endpoint.uri().scheme_str() != Some("https") {
            return Ok(endpoint);
        }
        let mut tls = ClientTlsConfig::new().with_native_roots();
        if let Some(authority) = authority {
            tls = tls.ca_certificate(Certificate::from_pem(authority));
        }
        endpoint.tls_config(tls)
    }
}
