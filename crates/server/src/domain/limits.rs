//! How often somebody may try: per account, per network address, and all together (LOG-06, NET-06).
//!
//! **Accounts** are counted in the database, so a restart forgets nothing: see [`AccountLimit`]. **Addresses** are counted in
//! memory of a fixed size, see [`AddressLimits`].

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::IpAddr,
    time::Duration,
};

use aws_lc_rs::digest;
use countersign_jose::b64;

use super::time::{Timestamp, micros};

/// The rule for consecutive failed sign-ins of one account, whether it exists or not.
///
/// Every attempt is counted before its password is looked at, and a success sets the count back to zero. After `free`
/// counted attempts the next must wait [`AccountLimit::FIRST_DELAY`], and twice as long after each further one, up to
/// [`AccountLimit::MAX_DELAY`]. An attempt that comes too early is refused without being looked at or counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountLimit {
    /// Attempts without a delay.
    pub free: u32,
}

impl AccountLimit {
    pub const FIRST_DELAY: Duration = Duration::from_secs(1);
    pub const MAX_DELAY: Duration = Duration::from_mins(15);
    /// A count is forgotten when nothing was tried for this long.
    pub const FORGOTTEN_AFTER: Duration = Duration::from_hours(30 * 24);

    /// How long to wait after this many consecutive failures. The statement in `store/login_limits.rs` computes the same
    /// from the delay before; a test compares them.
    pub fn delay_after(self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(self.free.max(1)) else { return Duration::ZERO };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        Self::FIRST_DELAY.saturating_mul(factor).min(Self::MAX_DELAY)
    }
}

/// The name under which attempts at an account are counted: a hash, because what is typed into an e-mail field is not
/// always an e-mail address.
pub fn account_key(tenant: &str, email_key: &str) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in [tenant, email_key] {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    b64::encode(hash.finish().as_ref())
}

/// So many at once, and then one each `every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub burst: u32,
    pub every: Duration,
}

impl Rate {
    /// As many at once as in one minute.
    pub fn per_minute(count: u32) -> Self {
        Self { burst: count.max(1), every: Duration::from_mins(1) / count.max(1) }
    }

    /// As many at once as in one second.
    pub fn per_second(count: u32) -> Self {
        Self { burst: count.max(1), every: Duration::from_secs(1) / count.max(1) }
    }

    fn step(self) -> i64 {
        micros(self.every).max(1)
    }

    fn window(self) -> i64 {
        self.step().saturating_mul(i64::from(self.burst))
    }

    /// A token bucket as one number: the time at which it is full again (the generic cell rate algorithm of ATM). Takes one
    /// token at `now`.
    fn take(self, full_at: i64, now: i64) -> Result<i64, Duration> {
        // Further ahead than an empty bucket was written by a clock that has been set back, which must not lock anybody out. One
        // token is granted, so that what is kept is of this time again; from an empty bucket it would go on being refused.
        let empty = now.saturating_add(self.window());
        let full_at = if full_at > empty { empty.saturating_sub(self.step()) } else { full_at.max(now) };
        let next = full_at.saturating_add(self.step());
        let early = next.saturating_sub(now).saturating_sub(self.window());
        if early > 0 { Err(Duration::from_micros(early.cast_unsigned())) } else { Ok(next) }
    }
}

/// Token buckets per network address and one for everybody, in memory of a fixed size.
///
/// An address is an IPv4 address or an IPv6 /64, what one customer has. Each has a few places it can lie in; if all are
/// taken, the fullest bucket is forgotten, which is the one that matters least. So many addresses at once can win
/// themselves full buckets but no memory, and the common bucket still holds them.
#[derive(Debug)]
pub struct AddressLimits {
    address: Rate,
    global: Rate,
    global_full_at: i64,
    /// `SETS` × `WAYS` pairs of address and the time when its bucket is full.
    places: Vec<(u64, i64)>,
    seed: [u8; 16],
}

/// How many try again when: the answer's `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    pub retry_after: Duration,
}

impl AddressLimits {
    const SETS: usize = 4096;
    const WAYS: usize = 4;

    /// `seed` is random, so that nobody can choose addresses that share a place.
    pub fn new(address: Rate, global: Rate, seed: [u8; 16]) -> Self {
        Self { address, global, global_full_at: 0, places: vec![(0, 0); Self::SETS * Self::WAYS], seed }
    }

    /// Counts one attempt of `address`.
    ///
    /// # Errors
    /// [`TooMany`]; nothing was counted.
    pub fn take(&mut self, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        let refuse = |retry_after| TooMany { retry_after };
        let now = now.micros();
        let global = self.global.take(self.global_full_at, now).map_err(refuse)?;
        let (rate, name) = (self.address, self.name(address));
        let place = self.place(name, now);
        let known = if place.0 == name { place.1 } else { now };
        *place = (name, rate.take(known, now).map_err(refuse)?);
        self.global_full_at = global;
        Ok(())
    }

    /// Takes one attempt back: it was a good one. Offices of many people share one address.
    pub fn give_back(&mut self, address: IpAddr, now: Timestamp) {
        let (step, name) = (self.address.step(), self.name(address));
        let place = self.place(name, now.micros());
        if place.0 == name {
            place.1 -= step;
        }
        self.global_full_at -= self.global.step();
    }

    /// The place where `name` is, else the one it may take: the fullest bucket of its set.
    fn place(&mut self, name: u64, now: i64) -> &mut (u64, i64) {
        let set = usize::try_from(name % Self::SETS as u64).unwrap_or(0) * Self::WAYS;
        let places = &mut self.places[set..set + Self::WAYS];
        let mut best = 0;
        for (at, place) in places.iter().enumerate() {
            if place.0 == name {
                best = at;
                break;
            }
            if place.1.max(now) < places[best].1.max(now) {
                best = at;
            }
        }
        &mut places[best]
    }

    /// A keyed hash of the part of an address that one customer has.
    fn name(&self, address: IpAddr) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.seed.hash(&mut hasher);
        match address.to_canonical() {
            IpAddr::V4(v4) => v4.octets().hash(&mut hasher),
            IpAddr::V6(v6) => v6.segments()[..4].hash(&mut hasher),
        }
        hasher.finish().max(1)
    }
}

#[cfg(test)]
mod tests;
