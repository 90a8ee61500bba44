//! The life of a key: staged → published → active → retiring → removed. It moves forward only, and only as far as `now`
//! allows; the store carries each step out as one guarded statement, so that two replicas never both do it.

use std::time::Duration;

use countersign_jose::Algorithm;

use super::time::Timestamp;

/// How long a JWKS answer may be cached (its `max-age`).
pub const JWKS_MAX_AGE: Duration = Duration::from_secs(300);
/// What clocks may differ and what a replica may lag behind the database.
pub const SKEW: Duration = Duration::from_secs(60);
/// The shortest time that a retired signing key stays in the JWKS. It also covers a token lifetime cap that was
/// lowered while tokens of the old length were still out.
const MIN_RETAIN: Duration = Duration::from_secs(3600);

/// What a key is for. No key serves two purposes (KEY-09).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Signs access tokens.
    Token,
    /// Authenticates refresh tokens (HMAC).
    Refresh,
    /// Signs the revocation feed and its time anchors: a stolen token key must not hide the entry that kills it.
    Feed,
}

impl Purpose {
    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Refresh => "refresh",
            Self::Feed => "feed",
        }
    }

    /// The purpose that a stored word names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Token, Self::Refresh, Self::Feed].into_iter().find(|purpose| purpose.as_str() == word)
    }
}

/// One line of succession: in each slot exactly one key is active at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    pub purpose: Purpose,
    pub alg: Algorithm,
}

impl Slot {
    /// The slot of the keys that authenticate refresh tokens.
    pub const REFRESH: Self = Self { purpose: Purpose::Refresh, alg: Algorithm::HS256 };

    /// The slot of the keys that sign the revocation feed.
    pub const FEED: Self = Self { purpose: Purpose::Feed, alg: Algorithm::ES256 };

    /// The slot of the keys that sign access tokens with `alg`.
    pub const fn token(alg: Algorithm) -> Self {
        Self { purpose: Purpose::Token, alg }
    }
}

/// Where a key is in its life, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Made and saved; nobody outside has seen its public half.
    Staged,
    /// In the JWKS, not signing yet.
    Published { since: Timestamp },
    /// In the JWKS and signing.
    Active { since: Timestamp },
    /// In the JWKS for the tokens that are still out; signs nothing.
    Retiring { since: Timestamp },
    /// Gone, its private half with it.
    Removed,
}

impl KeyState {
    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Published { .. } => "published",
            Self::Active { .. } => "active",
            Self::Retiring { .. } => "retiring",
            Self::Removed => "removed",
        }
    }

    /// Whether verifiers are told of the key.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Published { .. } | Self::Active { .. } | Self::Retiring { .. })
    }

    const fn is_successor(self) -> bool {
        matches!(self, Self::Staged | Self::Published { .. })
    }
}

/// A key as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingKey {
    pub kid: String,
    pub slot: Slot,
    pub state: KeyState,
}

/// The spans that one purpose's keys obey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spans {
    /// From the publication to the first signature.
    pub publish_for: Duration,
    /// From the last signature to the removal.
    pub retain_for: Duration,
    /// From one activation to the next.
    pub rotate_every: Duration,
    /// How much longer than `publish_for` connected verifiers that do not have the key yet are waited for.
    pub wait_for_verifiers: Duration,
}

/// What an issuer's key policy is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicySettings {
    /// `keys.rotate_every`.
    pub rotate_every: Duration,
    /// `keys.publish_for`.
    pub publish_for: Duration,
    /// `keys.wait_for_verifiers`.
    pub wait_for_verifiers: Duration,
    /// The longest life of an access token.
    pub access_token_ttl_cap: Duration,
    /// The longest life of a session of any client.
    pub refresh_lifetime_cap: Duration,
}

/// The key policy of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    token: Spans,
    refresh: Spans,
    feed: Spans,
}

impl Policy {
    /// A policy that keeps its promises whatever the settings: what is too short is raised.
    pub fn new(settings: PolicySettings) -> Self {
        let publish_for = settings.publish_for.max(JWKS_MAX_AGE + SKEW);
        let rotate_every = settings.rotate_every.max(publish_for);
        let token = Spans {
            publish_for,
            retain_for: settings.access_token_ttl_cap.saturating_add(SKEW).max(MIN_RETAIN),
            rotate_every,
            wait_for_verifiers: settings.wait_for_verifiers,
        };
        // Only replicas of this issuer read these keys, and they reload well within the skew.
        let retain_for = settings.refresh_lifetime_cap.saturating_add(SKEW);
        // What a feed key has signed is signed anew by its successor within seconds; relays fetch it anew within minutes.
        // Verifiers say which keys of tokens they have; whoever meets an unknown key of the feed fetches it.
        let none = Duration::ZERO;
        let feed = Spans { publish_for, retain_for: MIN_RETAIN, rotate_every, wait_for_verifiers: none };
        let refresh = Spans { publish_for: SKEW, retain_for, rotate_every, wait_for_verifiers: none };
        Self { token, refresh, feed }
    }

    /// The spans for `purpose`.
    pub const fn spans(&self, purpose: Purpose) -> Spans {
        match purpose {
            Purpose::Token => self.token,
            Purpose::Refresh => self.refresh,
            Purpose::Feed => self.feed,
        }
    }
}

/// One step that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// Make a successor in this slot.
    Stage { slot: Slot },
    /// Show `kid` to verifiers.
    Publish { kid: String },
    /// `retire` stops signing and `kid` starts, in one transaction.
    Activate { kid: String, retire: String },
    /// Take `kid` out of the JWKS and forget its private half.
    Remove { kid: String },
}

/// A slot that has keys but not exactly one active key. No transition leads there, so somebody else was at the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key ring is damaged: {active} active {} keys for {}, expected one",
    slot.purpose.as_str(),
    slot.alg
)]
pub struct Damaged {
    pub slot: Slot,
    pub active: usize,
}

/// Whether every slot that ever had a key has exactly one active key.
///
/// # Errors
/// [`Damaged`] names the first slot that has none or several.
pub fn check(keys: &[RingKey]) -> Result<(), Damaged> {
    for slot in slots(keys) {
        let active = keys.iter().filter(|key| key.slot == slot && is_active(key)).count();
        if active != 1 {
            return Err(Damaged { slot, active });
        }
    }
    Ok(())
}

/// The steps that are due at `now`, at most one succession step per slot. Doing none, some or all of them is safe,
/// in any order and more than once; a clock that steps back only delays them. `lagging`: the keys that some connected
/// verifier has not fetched yet.
pub fn plan(keys: &[RingKey], now: Timestamp, policy: &Policy, lagging: &[String]) -> Vec<Transition> {
    let removals = keys.iter().filter(|key| is_spent(key, now, policy));
    let removals = removals.map(|key| Transition::Remove { kid: key.kid.clone() });
    slots(keys).into_iter().filter_map(|slot| succession(keys, slot, (now, lagging), policy)).chain(removals).collect()
}

/// The key that signs in `slot`.
pub fn active(keys: &[RingKey], slot: Slot) -> Option<&RingKey> {
    keys.iter().find(|key| key.slot == slot && is_active(key))
}

/// The key that follows the active one in `slot`, if there is one already.
pub fn successor(keys: &[RingKey], slot: Slot) -> Option<&RingKey> {
    keys.iter().find(|key| key.slot == slot && key.state.is_successor())
}

fn succession(
    keys: &[RingKey],
    slot: Slot,
    (now, lagging): (Timestamp, &[String]),
    policy: &Policy,
) -> Option<Transition> {
    let spans = policy.spans(slot.purpose);
    let current = active(keys, slot)?;
    let KeyState::Active { since } = current.state else { return None };
    let Some(next) = successor(keys, slot) else {
        let due = now.since(since) >= spans.rotate_every.saturating_sub(spans.publish_for);
        return due.then_some(Transition::Stage { slot });
    };
    match next.state {
        KeyState::Staged => Some(Transition::Publish { kid: next.kid.clone() }),
        KeyState::Published { since } => {
            let waited_for = if lagging.contains(&next.kid) { spans.wait_for_verifiers } else { Duration::ZERO };
            let due = now.since(since) >= spans.publish_for.saturating_add(waited_for);
            due.then(|| Transition::Activate { kid: next.kid.clone(), retire: current.kid.clone() })
        }
        _ => None,
    }
}

fn is_spent(key: &RingKey, now: Timestamp, policy: &Policy) -> bool {
    let retain_for = policy.spans(key.slot.purpose).retain_for;
    matches!(key.state, KeyState::Retiring { since } if now.since(since) >= retain_for)
}

fn is_active(key: &RingKey) -> bool {
    matches!(key.state, KeyState::Active { .. })
}

fn slots(keys: &[RingKey]) -> Vec<Slot> {
    let mut slots = Vec::new();
    for key in keys {
        if !slots.contains(&key.slot) {
            slots.push(key.slot);
        }
    }
    slots
}

#[cfg(test)]
mod tests;
