//! Sign-ins: one authentication of one person in one browser or app, which owns the sessions it opened.

use std::{fmt, time::Duration};

use aws_lc_rs::digest;
use countersign_jose::b64;
use zeroize::Zeroizing;

use super::{
    assurance::Level,
    rsn::{self, MinRsn, Rsn},
    time::Timestamp,
};

/// What the browser holds: the value of the cookie `__Host-signin`, 256 random bits. Never stored, never printed.
#[derive(Clone)]
pub struct SigninSecret(Zeroizing<String>);

impl SigninSecret {
    pub fn new(random: &[u8; 32]) -> Self {
        Self(Zeroizing::new(b64::encode(random)))
    }

    /// Reads a cookie's value; `None` if it cannot be one of ours, so that no garbage reaches the database.
    pub fn parse(cookie: &str) -> Option<Self> {
        let bytes = Zeroizing::new(b64::decode_array::<32>(cookie).ok()?);
        Some(Self::new(&bytes))
    }

    /// The value for `Set-Cookie`.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the database keeps of it.
    pub fn id(&self) -> SigninId {
        let mut id = [0; 32];
        id.copy_from_slice(digest::digest(&digest::SHA256, self.0.as_bytes()).as_ref());
        SigninId(id)
    }
}

impl fmt::Debug for SigninSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigninSecret(…)")
    }
}

/// What the database knows a sign-in by: SHA-256 of the cookie's value. Of no use to whoever steals it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SigninId([u8; 32]);

impl SigninId {
    /// An id as the database returned it; `None` if it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A stored sign-in, with what decides whether it still counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signin {
    pub id: SigninId,
    pub user_id: String,
    pub tenant: String,
    pub auth_time: Timestamp,
    /// Space-separated, RFC 8176.
    pub amr: String,
    pub acr: String,
    pub auth_rsn: Rsn,
    pub device: String,
    pub ip: String,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked: bool,
    /// The user is disabled.
    pub disabled: bool,
    /// Of user and tenant; a sign-in belongs to no client.
    pub min_rsn: MinRsn,
    /// The user has a second factor by now.
    pub second_factor: bool,
}

/// Why a sign-in does not count any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Over {
    Ended,
    Disabled,
    SignedOut,
    Expired,
    Idle,
}

/// A sign-in that was found good at the time it was asked about. Only [`Signin::live`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSignin(Signin);

impl Signin {
    /// How strong it was.
    pub fn level(&self) -> Level {
        Level::of(&self.acr)
    }

    /// Checks the sign-in at `now`; `idle` is how long it may be left alone (CSR-04).
    ///
    /// # Errors
    /// [`Over`]: why it does not count any more.
    pub fn live(self, now: Timestamp, idle: Duration) -> Result<LiveSignin, Over> {
        let over = [
            (self.revoked, Over::Ended),
            (self.disabled, Over::Disabled),
            (!rsn::stands(self.auth_rsn, self.min_rsn), Over::SignedOut),
            (self.expires_at <= now, Over::Expired),
            (self.last_seen_at.plus(idle) <= now, Over::Idle),
        ];
        match over.into_iter().find(|(applies, _)| *applies) {
            Some((_, over)) => Err(over),
            None => Ok(LiveSignin(self)),
        }
    }
}

impl std::ops::Deref for LiveSignin {
    type Target = Signin;

    fn deref(&self) -> &Signin {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn signin() -> Signin {
        Signin {
            id: SigninSecret::new(&[1; 32]).id(),
            user_id: "u".into(),
            tenant: "default".into(),
            auth_time: START,
            amr: "pwd".into(),
            acr: "1".into(),
            auth_rsn: Rsn::new(10),
            device: String::new(),
            ip: String::new(),
            created_at: START,
            last_seen_at: START,
            expires_at: START.plus(24 * HOUR),
            revoked: false,
            disabled: false,
            min_rsn: MinRsn { user: Rsn::new(10), ..MinRsn::default() },
            second_factor: false,
        }
    }

    #[test]
    fn the_cookie_is_not_what_is_stored() {
        let secret = SigninSecret::new(&[5; 32]);
        assert_eq!(secret.expose().len(), 43);
        assert_eq!(SigninSecret::parse(secret.expose()).unwrap().id(), secret.id());
        assert_ne!(secret.id().as_bytes(), &[5; 32]);
        assert_eq!(format!("{secret:?}"), "SigninSecret(…)");
    }

    #[test]
    fn only_the_text_that_was_given_out_is_a_cookie() {
        // CSR-02: no trimming, no other spelling.
        let good = SigninSecret::new(&[5; 32]).expose().to_owned();
        for bad in [format!(" {good}"), format!("{good}="), good[1..].to_owned(), good.replace('B', "+"), String::new()]
        {
            assert!(SigninSecret::parse(&bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_sign_in_ends_by_time_and_by_revocation() {
        // CSR-04, with a clock that stands where the test puts it.
        let live = |signin: Signin, after: Duration| signin.live(START.plus(after), HOUR).map(|_| ());
        assert_eq!(live(signin(), Duration::ZERO), Ok(()));
        assert_eq!(live(signin(), HOUR), Err(Over::Idle));
        assert_eq!(live(Signin { last_seen_at: START.plus(24 * HOUR), ..signin() }, 24 * HOUR), Err(Over::Expired));
        assert_eq!(live(Signin { revoked: true, ..signin() }, Duration::ZERO), Err(Over::Ended));
        assert_eq!(live(Signin { disabled: true, ..signin() }, Duration::ZERO), Err(Over::Disabled));
        let min_rsn = MinRsn { user: Rsn::new(11), ..MinRsn::default() };
        assert_eq!(live(Signin { min_rsn, ..signin() }, Duration::ZERO), Err(Over::SignedOut));
    }
}
