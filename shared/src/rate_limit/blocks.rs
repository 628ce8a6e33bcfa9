//! Failed authentications: past ten a minute an address is blocked for 15 minutes. The block holds for requests
//! without a valid token only.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::warn;

use super::{Preset, RateLimiter, Subject, lock, subject::network};

const BLOCKED_FOR: TimeDelta = TimeDelta::minutes(15);
/// How long an instance takes an address for not blocked before it asks again: so late does it learn what the others
/// know, unless its own count tells it first.
const ASKED_EVERY: TimeDelta = TimeDelta::seconds(5);
/// Most addresses that are remembered at once.
const CAPACITY: usize = 10_000;
const ROUTE: &str = "failed_auth";

/// What an instance knows of blocks, by network.
#[derive(Debug, Default)]
pub(super) struct Blocks(HashMap<IpAddr, Known>);

#[derive(Debug, Clone, Copy)]
enum Known {
    BlockedUntil(DateTime<Utc>),
    FreeWhenAsked(DateTime<Utc>),
}

impl Known {
    fn holds(self, now: DateTime<Utc>) -> bool {
        match self {
            Self::BlockedUntil(until) => now < until,
            Self::FreeWhenAsked(at) => now - at < ASKED_EVERY,
        }
    }
}

impl Blocks {
    fn get(&self, address: IpAddr, now: DateTime<Utc>) -> Option<Known> {
        self.0.get(&address).copied().filter(|known| known.holds(now))
    }

    fn learn(&mut self, address: IpAddr, known: Known, now: DateTime<Utc>) {
        if self.0.len() >= CAPACITY {
            // An address that is free costs no more than to be asked for again.
            self.0.retain(|_, known| matches!(known, Known::BlockedUntil(until) if now < *until));
        }
        if self.0.len() >= CAPACITY {
            // The table still knows them all.
            self.0.clear();
        }
        self.0.insert(address, known);
    }
}

impl RateLimiter {
    /// How long an address is blocked yet. To be asked for a request without a valid token, and for no other.
    pub async fn blocked(&self, addr: IpAddr) -> Option<Duration> {
        self.block_of(network(addr)).await.and_then(|until| self.rest(until))
    }

    /// Counts a failed authentication. Returns how long the address is blocked, by this failure or by those before.
    /// While it is blocked nothing more is counted, and the block does not grow.
    pub async fn failed_authentication(&self, addr: IpAddr) -> Option<Duration> {
        let address = network(addr);
        let known = lock(&self.0.blocks).get(address, self.0.clock.now());
        if let Some(Known::BlockedUntil(until)) = known {
            return self.rest(until);
        }
        let subject = Subject::Address(address);
        let (block, verdict) = tokio::join!(self.block_of(address), self.take(&subject, ROUTE, Preset::Strict));
        match block {
            Some(until) => self.rest(until),
            None if verdict.allowed() => None,
            None => self.block(address).await,
        }
    }

    async fn block_of(&self, address: IpAddr) -> Option<DateTime<Utc>> {
        let now = self.0.clock.now();
        match lock(&self.0.blocks).get(address, now) {
            Some(Known::BlockedUntil(until)) => return Some(until),
            Some(Known::FreeWhenAsked(_)) => return None,
            None => {}
        }
        let until = self.0.control.blocked_until(&address.to_string(), now).await.unwrap_or_else(|err| {
            warn!(error = %err, "blocks not available");
            None
        });
        let known = until.map_or(Known::FreeWhenAsked(now), Known::BlockedUntil);
        lock(&self.0.blocks).learn(address, known, now);
        until
    }

    async fn block(&self, address: IpAddr) -> Option<Duration> {
        let now = self.0.clock.now();
        let until = now + BLOCKED_FOR;
        // Held here before it is written: those who come meanwhile are blocked too.
        lock(&self.0.blocks).learn(address, Known::BlockedUntil(until), now);
        let until = match self.0.control.block(&address.to_string(), until, now).await {
            Ok(until) => until,
            Err(err) => {
                warn!(error = %err, "block not written, held by this instance alone");
                until
            }
        };
        lock(&self.0.blocks).learn(address, Known::BlockedUntil(until), now);
        self.0.metrics.count("address_blocked");
        warn!(%address, until = %until.to_rfc3339(), "address blocked after failed authentications");
        self.rest(until)
    }

    fn rest(&self, until: DateTime<Utc>) -> Option<Duration> {
        (until - self.0.clock.now()).to_std().ok().filter(|rest| !rest.is_zero())
    }
}
