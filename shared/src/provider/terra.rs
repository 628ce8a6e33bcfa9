//! Terra's large deliveries: a webhook brings a link, the body lies behind it for about ten minutes.

use std::{net::IpAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::Url;

use super::{Call, Failure, retry_after};
use crate::{Context, breaker::Gate, error::Result};

pub const NAME: &str = "terra_payload";
const CALL: Call = Call { provider: NAME, deadline: Duration::from_secs(15) };
/// Largest body that is taken.
pub const MAX_PAYLOAD_BYTES: usize = 32 * 1024 * 1024;

/// What lay behind a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    Body(Bytes),
    /// It is there no more, or the link has expired: the status that said so.
    Gone(u16),
    TooLarge,
}

/// Why a link is not followed. The texts hold nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    #[error("the link is no URL")]
    NoUrl,
    #[error("the link is not HTTPS")]
    NotHttps,
    #[error("the link holds credentials")]
    Credentials,
    #[error("the link leads to a host that nothing is fetched from")]
    Host,
}

/// A link as a URL, if it may be followed: HTTPS (or HTTP within this machine), no credentials, and a host of `hosts`, each
/// of which is `host`, `host:port`, or `*.domain` for all below a domain.
pub fn permitted(link: &str, hosts: &[String]) -> Result<Url, NotPermitted> {
    let url = Url::parse(link).map_err(|_| NotPermitted::NoUrl)?;
    let host = url.host_str().ok_or(NotPermitted::NoUrl)?;
    if !(url.scheme() == "https" || (url.scheme() == "http" && is_loopback(host))) {
        return Err(NotPermitted::NotHttps);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NotPermitted::Credentials);
    }
    // None where it is the scheme's own.
    let with_port = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let known = hosts.iter().any(|known| match known.strip_prefix("*.") {
        Some(domain) => with_port.strip_suffix(domain).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
        None => with_port == *known,
    });
    if known { Ok(url) } else { Err(NotPermitted::Host) }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Fetches what lies behind a permitted link.
///
/// # Errors
/// `UpstreamTimeout` after 15 s, `Unavailable` while nobody answers, `UpstreamFailed` for an error or a redirection: none is
/// followed. None of them names the link.
pub async fn fetch(ctx: &Context, gate: &Gate, url: &Url) -> Result<Payload> {
    CALL.run(ctx, gate, || async {
        let response = ctx.http.get(url.clone())?.send().await.map_err(Failure::of_http)?;
        match response.status().as_u16() {
            200 => body(response).await,
            // What S3 says of a signed URL that has expired, and of an object that is gone.
            status @ (403 | 404 | 410) => Ok(Payload::Gone(status)),
            status @ (429 | 502..=504) => Err(Failure::Overloaded { status, retry_after: retry_after(&response) }),
            status @ 500.. => Err(Failure::Broken { status }),
            status => Err(Failure::Refused { status, message: String::new() }),
        }
    })
    .await
}

/// Not more than [`MAX_PAYLOAD_BYTES`] of it are ever read, whatever it says of its length.
async fn body(mut response: reqwest::Response) -> Result<Payload, Failure> {
    let too_large = |length: usize| length > MAX_PAYLOAD_BYTES;
    let announced = response.content_length().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced.is_some_and(too_large) {
        return Ok(Payload::TooLarge);
    }
    let mut bytes = BytesMut::with_capacity(announced.unwrap_or_default());
    while let Some(chunk) = response.chunk().await.map_err(Failure::of_http)? {
        if too_large(bytes.len() + chunk.len()) {
            return Ok(Payload::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Payload::Body(bytes.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_hosts_are_asked_and_only_over_https() {
        use NotPermitted::{Credentials, Host, NoUrl, NotHttps};
        let hosts =
            ["bucket.example.com", "*.s3.example.com", "127.0.0.1:9000", "[::1]:9000", "other.example.com:8443"];
        let hosts = hosts.map(str::to_owned);
        let cases = [
            ("https://bucket.example.com/a?sig=1", Ok(())),
            ("https://BUCKET.example.com:443/a", Ok(())),
            ("https://a.s3.example.com/b", Ok(())),
            ("https://a.b.s3.example.com/b", Ok(())),
            ("https://other.example.com:8443/", Ok(())),
            ("http://127.0.0.1:9000/a", Ok(())),
            ("https://127.0.0.1:9000/a", Ok(())),
            ("http://[::1]:9000/a", Ok(())),
            ("http://127.0.0.1:9001/a", Err(Host)),
            ("http://localhost:9000/a", Err(Host)),
            ("https://other.example.com/", Err(Host)),
            ("https://s3.example.com/b", Err(Host)),
            ("https://.s3.example.com/b", Err(Host)),
            ("https://evils3.example.com/b", Err(Host)),
            ("https://a.s3.example.com:8443/b", Err(Host)),
            ("https://bucket.example.com.evil.com/a", Err(Host)),
            ("https://evil.com/bucket.example.com", Err(Host)),
            ("https://evil.com#bucket.example.com", Err(Host)),
            ("https://169.254.169.254/latest/meta-data", Err(Host)),
            ("https://[fd00::1]/", Err(Host)),
            ("http://bucket.example.com/a", Err(NotHttps)),
            ("ftp://bucket.example.com/a", Err(NotHttps)),
            ("https://user@bucket.example.com/a", Err(Credentials)),
            ("https://bucket.example.com@evil.com/a", Err(Credentials)),
            ("https://user:word@bucket.example.com/a", Err(Credentials)),
            ("file:///etc/passwd", Err(NoUrl)),
            ("bucket.example.com/a", Err(NoUrl)),
            ("", Err(NoUrl)),
        ];
        for (link, expected) in cases {
            assert_eq!(permitted(link, &hosts).map(drop), expected, "{link}");
        }
        assert_eq!(permitted("https://bucket.example.com/a", &[]).map(drop), Err(Host));
    }
}
