//! Whom a limit is for.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use crate::ids::UserId;

/// Whom a request counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    User(UserId),
    /// Counts with all addresses of its [`network`].
    Address(IpAddr),
}

/// What one subscriber has: an IPv4 address whole, an IPv6 address by its /64.
pub(super) fn network(addr: IpAddr) -> IpAddr {
    // An IPv4 address in IPv6 clothes is that IPv4 address: all of them share one /64.
    match addr.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

/// The beginning of the caller's keys in the Control table.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Address(addr) => write!(f, "addr:{}", network(*addr)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_by_what_one_subscriber_has() {
        for (addr, name) in [
            ("192.0.2.7", "addr:192.0.2.7"),
            ("::ffff:192.0.2.7", "addr:192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "addr:2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::", "addr:2001:db8:1:2::"),
            ("2001:db8:1:3::1", "addr:2001:db8:1:3::"),
        ] {
            assert_eq!(Subject::Address(addr.parse().unwrap()).to_string(), name, "{addr}");
        }
    }
}
