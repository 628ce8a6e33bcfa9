//! The HTTP client of all outbound calls but AWS's own.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{Client, IntoUrl, RequestBuilder, redirect::Policy};

use super::Failure;

const CONNECT: Duration = Duration::from_secs(1);

/// One connection pool, no redirects, no proxy of the environment. The client is made by the first call: reading the
/// trusted roots takes milliseconds, and many an instance never calls anybody.
#[derive(Debug, Clone, Default)]
pub struct Http(Arc<OnceLock<Client>>);

impl Http {
    /// Begins a GET request.
    pub fn get(&self, url: impl IntoUrl) -> Result<RequestBuilder, Failure> {
        self.client().map(|client| client.get(url))
    }

    /// Begins a POST request.
    pub fn post(&self, url: impl IntoUrl) -> Result<RequestBuilder, Failure> {
        self.client().map(|client| client.post(url))
    }

    fn client(&self) -> Result<&Client, Failure> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let client = Client::builder().redirect(Policy::none()).no_proxy().connect_timeout(CONNECT).build();
        let client = client.map_err(Failure::of_http)?;
        // Of two that are made at the same time, one stays.
        Ok(self.0.get_or_init(|| client))
    }
}
