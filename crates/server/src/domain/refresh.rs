//! The refresh rule: what becomes of a session when an authentic refresh token is shown.
//!
//! This is the table. `store/sessions/refresh.rs` does the same in one guarded statement, because it must be atomic;
//! the tests prove that the two agree on every state.

use std::time::Duration;

use super::{
    refresh_token::Presented,
    rsn::{self, MinRsn, Rsn},
    session::Nonce,
    time::{Timestamp, micros},
};

/// What the rule knows of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub client_id: String,
    /// Thumbprint of the DPoP key that the session started with.
    pub dpop_jkt: Option<String>,
    pub revoked: bool,
    /// The user or the client is disabled, or does not exist any more.
    pub disabled: bool,
    pub auth_rsn: Rsn,
    pub min_rsn: MinRsn,
    pub expires_at: Timestamp,
    pub idle_expires_at: Timestamp,
    pub family: Family,
}

/// The refresh tokens of a session: the current one, its parent, and what has happened between the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// How often the token has been rotated.
    pub generation: i64,
    pub nonce: Nonce,
    pub prev_nonce: Nonce,
    /// The current token came back within the grace: somebody holds it, so its parent is over.
    pub used: bool,
    /// How often the current generation was shared.
    pub shares: i64,
    /// Generations in which anything was shared.
    pub shared_gens: i64,
    pub rotated_at: Timestamp,
    /// Rule B: the client has said which successor it will hold.
    pub committed: bool,
}

/// One use of a refresh token.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    pub presented: &'a Presented,
    /// The client that was authenticated or, if public, named.
    pub client_id: &'a str,
    /// Thumbprint of the key of the DPoP proof that came along.
    pub dpop_jkt: Option<&'a str>,
    /// The successor that the client committed to (rule B).
    pub next: Option<&'a Nonce>,
    pub now: Timestamp,
}

/// The refresh is allowed, and what the client gets beside a fresh access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grant {
    /// A successor: the next generation.
    Rotate,
    /// The same token again: the last rotation is younger than the grace.
    Again,
    /// The successor that the parent already has, however often.
    Share,
    /// A new successor in the same generation: the one before was never used, and is void from now on.
    Replace,
    /// Rule B: the successor that the client had committed to, again.
    Retry,
}

impl Grant {
    /// How the store writes it (`sessions.outcome`; 0: never refreshed).
    pub const fn code(self) -> i64 {
        match self {
            Self::Rotate => 1,
            Self::Again => 2,
            Self::Share => 3,
            Self::Replace => 4,
            Self::Retry => 5,
        }
    }

    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Rotate, Self::Again, Self::Share, Self::Replace, Self::Retry]
            .into_iter()
            .find(|grant| grant.code() == code)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Again => "again",
            Self::Share => "share",
            Self::Replace => "replace",
            Self::Retry => "retry",
        }
    }
}

/// What proves that two parties hold tokens of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Theft {
    /// An ancestor older than the parent.
    Older,
    /// The parent, after its successor was used or, with a grace of 0, at all.
    ParentIsOver,
    /// A token that was replaced before it was ever used.
    Void,
    /// Rule B: a refresh that names no successor.
    Uncommitted,
    /// Rule B: the parent, naming another successor than the first time.
    OtherSuccessor,
}

impl Theft {
    pub const ALL: [Self; 5] = [Self::Older, Self::ParentIsOver, Self::Void, Self::Uncommitted, Self::OtherSuccessor];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Older => "older",
            Self::ParentIsOver => "parent_is_over",
            Self::Void => "void",
            Self::Uncommitted => "uncommitted",
            Self::OtherSuccessor => "other_successor",
        }
    }
}

/// Why a refresh is refused. For the log, the audit trail and support: the client always hears `invalid_grant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No such session (any more).
    Unknown,
    /// Another client's token; it stays good for that client (REF-03).
    OtherClient,
    /// The session is bound to another DPoP key, or no proof came.
    OtherKey,
    /// The session was ended before.
    Ended,
    /// User, client or tenant were signed out everywhere since the sign-in (R2).
    SignedOut,
    /// User or client are disabled or deleted.
    Disabled,
    /// The absolute lifetime is over.
    Expired,
    /// The idle lifetime is over.
    Idle,
    /// A generation that this database never issued: it lost commits, or K leaked. Never adopted.
    Future,
    Reused(Theft),
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_session",
            Self::OtherClient => "other_client",
            Self::OtherKey => "other_key",
            Self::Ended => "ended",
            Self::SignedOut => "signed_out",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Idle => "idle",
            Self::Future => "future_generation",
            Self::Reused(theft) => theft.as_str(),
        }
    }
}

/// A refused refresh: a value, not an error, because what it revokes must be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    /// The session must die, with this kept for whoever asks why.
    pub revoke: Option<Reuse>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, revoke: None }
    }
}

/// Which token was reused, and how far it was from the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    pub theft: Theft,
    /// Generation of the token that was shown.
    pub generation: i64,
    /// Generation of the session's token.
    pub current: i64,
    /// Between the last rotation and this use.
    pub since_rotation: Duration,
}

/// What is to be done with an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Grant(Grant),
    Refuse(Refusal),
}

/// Decides an attempt on an existing session. `grace` is how long a parent may share its successor; 0 makes every token
/// good for one use (rule A).
pub fn decide(session: &Session, attempt: &Attempt<'_>, grace: Duration) -> Outcome {
    if let Some(reason) = session.closed_to(attempt) {
        return Outcome::Refuse(reason.into());
    }
    match session.family.answer(attempt, grace) {
        Ok(grant) => Outcome::Grant(grant),
        Err(reason) => Outcome::Refuse(session.family.refusal(reason, attempt)),
    }
}

impl Session {
    /// Why this attempt is refused whatever token it shows. None of these ends a session.
    fn closed_to(&self, attempt: &Attempt<'_>) -> Option<Reason> {
        let other_key = self.dpop_jkt.is_some() && self.dpop_jkt.as_deref() != attempt.dpop_jkt;
        [
            (self.client_id != attempt.client_id, Reason::OtherClient),
            (other_key, Reason::OtherKey),
            (self.revoked, Reason::Ended),
            (self.disabled, Reason::Disabled),
            (!rsn::stands(self.auth_rsn, self.min_rsn), Reason::SignedOut),
            (self.expires_at <= attempt.now, Reason::Expired),
            (self.idle_expires_at <= attempt.now, Reason::Idle),
        ]
        .into_iter()
        .find_map(|(applies, reason)| applies.then_some(reason))
    }
}

/// Where a token stands in its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Current,
    Parent,
    Future,
    Stolen(Theft),
}

impl Family {
    /// The tokens of a new session: the first use rotates.
    pub fn new(nonce: Nonce) -> Self {
        Self {
            generation: 0,
            prev_nonce: Nonce::new([0; Nonce::BYTES]),
            nonce,
            used: false,
            shares: 0,
            shared_gens: 0,
            rotated_at: Timestamp::default(),
            committed: false,
        }
    }

    /// The family after a grant; `new` is the nonce of a successor, should one be needed.
    pub fn after(mut self, grant: Grant, attempt: &Attempt<'_>, new: &Nonce) -> Self {
        match grant {
            Grant::Rotate => {
                self.generation += 1;
                self.prev_nonce = std::mem::replace(&mut self.nonce, new.clone());
                self.shares = 0;
            }
            Grant::Replace => self.nonce = new.clone(),
            Grant::Share => {
                self.shared_gens += i64::from(self.shares == 0);
                self.shares += 1;
            }
            Grant::Again => self.used = true,
            Grant::Retry => {}
        }
        if matches!(grant, Grant::Rotate | Grant::Replace) {
            self.used = false;
            self.rotated_at = attempt.now;
            self.committed |= attempt.next.is_some();
        }
        self
    }

    fn answer(&self, attempt: &Attempt<'_>, grace: Duration) -> Result<Grant, Reason> {
        let place = match self.place(attempt.presented) {
            Place::Future => return Err(Reason::Future),
            Place::Stolen(theft) => Err(theft),
            Place::Current => Ok(true),
            Place::Parent => Ok(false),
        };
        if self.committed && attempt.next.is_none() {
            return Err(Reason::Reused(Theft::Uncommitted));
        }
        let is_current = place.map_err(Reason::Reused)?;
        let fresh = self.is_fresh(attempt.now, grace);
        match (is_current, attempt.next) {
            (true, Some(_)) => Ok(Grant::Rotate),
            (true, None) if fresh => Ok(Grant::Again),
            (true, None) => Ok(Grant::Rotate),
            (false, Some(next)) if self.committed && self.nonce == *next => Ok(Grant::Retry),
            (false, _) if self.committed => Err(Reason::Reused(Theft::OtherSuccessor)),
            (false, _) if fresh => Ok(Grant::Share),
            (false, _) if !self.used && !grace.is_zero() => Ok(Grant::Replace),
            (false, _) => Err(Reason::Reused(Theft::ParentIsOver)),
        }
    }

    fn place(&self, shown: &Presented) -> Place {
        match self.generation - shown.generation() {
            ..0 => Place::Future,
            0 if self.nonce == *shown.nonce() => Place::Current,
            1 if self.prev_nonce == *shown.nonce() => Place::Parent,
            0 | 1 => Place::Stolen(Theft::Void),
            _ => Place::Stolen(Theft::Older),
        }
    }

    /// Is the last rotation younger than the grace? A rotation that seems to lie further ahead than the grace was written
    /// by a clock that has been set back since; it is not young.
    fn is_fresh(&self, now: Timestamp, grace: Duration) -> bool {
        let apart = now.micros().abs_diff(self.rotated_at.micros());
        apart < micros(grace).unsigned_abs()
    }

    fn refusal(&self, reason: Reason, attempt: &Attempt<'_>) -> Refusal {
        let revoke = match reason {
            Reason::Reused(theft) => Some(Reuse {
                theft,
                generation: attempt.presented.generation(),
                current: self.generation,
                since_rotation: attempt.now.since(self.rotated_at),
            }),
            _ => None,
        };
        Refusal { reason, revoke }
    }
}

/// Shares of one generation from which on somebody may be riding the grace (REF-08).
pub const MANY_SHARES: i64 = 10;
/// Shared generations from which on it matters that they are most of a session's (REF-08).
pub const MANY_SHARED_GENERATIONS: i64 = 8;

/// What many shares point to: an application that shares badly, or a second holder who rides the grace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Riding {
    /// Many shares of one generation.
    Generation { shares: i64 },
    /// Shares in most generations of the session.
    Session { shared_gens: i64, generations: i64 },
}

/// Does this share call for a security event? Asked with the counters after a share; says yes once per generation that
/// reaches [`MANY_SHARES`], and each time the shared generations of a session have doubled.
pub fn riding(shares: i64, shared_gens: i64, generation: i64) -> Option<Riding> {
    let doubled = shared_gens >= MANY_SHARED_GENERATIONS && (shared_gens.unsigned_abs()).is_power_of_two();
    if shares == 1 && doubled && shared_gens > generation / 2 {
        return Some(Riding::Session { shared_gens, generations: generation });
    }
    (shares == MANY_SHARES).then_some(Riding::Generation { shares })
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
