//! The address limits of the running server: the rule of `domain/limits.rs` behind a lock.

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    config,
    domain::{
        limits::{AccountLimit, AddressLimits, Rate, TooMany},
        time::Timestamp,
    },
    random::{Random, RandomError},
};

/// Who may try to sign in or register, and how often.
#[derive(Debug)]
pub struct Limiter {
    /// The rule for one account; its counts are in the store.
    pub account: AccountLimit,
    addresses: Mutex<AddressLimits>,
}

impl Limiter {
    /// # Errors
    /// The random source failed.
    pub fn new(config: &config::Limits, random: Random) -> Result<Self, RandomError> {
        let address = Rate::per_minute(config.address_per_minute);
        let global = Rate::per_second(config.global_per_second);
        Ok(Self {
            account: AccountLimit { free: config.account_free },
            addresses: Mutex::new(AddressLimits::new(address, global, random.bytes()?)),
        })
    }

    /// Counts one attempt from this address.
    ///
    /// # Errors
    /// [`TooMany`]: 429 with `Retry-After`; nothing was counted.
    pub fn take(&self, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        self.lock().take(address, now)
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
