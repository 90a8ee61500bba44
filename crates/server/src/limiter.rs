//! The address limits of the running server: the rule of `domain/limits.rs` behind a lock.

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    config::Config,
    domain::{
        limits::{AccountLimit, AddressLimits, Rate, TooMany},
        time::Timestamp,
    },
    random::{Random, RandomError},
};

/// Time anchors for everybody together: a signature and a read each.
const ANCHORS: Rate = Rate { burst: 2000, every: Duration::from_millis(1) };

/// Authorization requests that wait for their person: a row in the store each.
const REQUESTS: Rate = Rate { burst: 2000, every: Duration::from_millis(2) };
/// How many of them one address may begin: an office behind one address signs in within a minute.
const REQUESTS_PER_MINUTE: u32 = 300;

/// Who may try to sign in or register, and how often.
#[derive(Debug)]
pub struct Limiter {
    /// The rule for one account; its counts are in the store.
    pub account: AccountLimit,
    addresses: Mutex<AddressLimits>,
    anchors: Mutex<AddressLimits>,
    requests: Mutex<AddressLimits>,
}

impl Limiter {
    /// # Errors
    /// The random source failed.
    pub fn new(config: &Config, random: Random) -> Result<Self, RandomError> {
        let limits = &config.limits;
        let address = Rate::per_minute(limits.address_per_minute);
        let global = Rate::per_second(limits.global_per_second);
        let anchor = Rate::per_minute(config.feed.anchors_per_minute);
        Ok(Self {
            account: AccountLimit { free: limits.account_free },
            addresses: Mutex::new(AddressLimits::new(address, global, random.bytes()?)),
            anchors: Mutex::new(AddressLimits::new(anchor, ANCHORS, random.bytes()?)),
            requests: Mutex::new(AddressLimits::new(Rate::per_minute(REQUESTS_PER_MINUTE), REQUESTS, random.bytes()?)),
        })
    }

    /// Counts one attempt from this address.
    ///
    /// # Errors
    /// [`TooMany`]: 429 with `Retry-After`; nothing was counted.
    pub fn take(&self, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        self.lock().take(address, now)
    }

    /// Counts one time anchor of the feed for this address.
    ///
    /// # Errors
    /// As [`Limiter::take`].
    pub fn take_anchor(&self, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        self.anchors.lock().unwrap_or_else(PoisonError::into_inner).take(address, now)
    }

    /// Counts one authorization request of this address that has to wait for its person.
    ///
    /// # Errors
    /// As [`Limiter::take`].
    pub fn take_request(&self, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).take(address, now)
    }

    /// Takes back an attempt that turned out to be a good one.
    pub fn give_back(&self, address: IpAddr, now: Timestamp) {
        self.lock().give_back(address, now);
    }

    // Every state of the buckets is a valid one.
    fn lock(&self) -> MutexGuard<'_, AddressLimits> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
