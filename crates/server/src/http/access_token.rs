//! An access token that comes back, whichever form it has: what it says of itself, before the store is asked whether that still
//! holds.

mod recent;

use std::sync::Arc;

use countersign_jose::{AccessClaims, Basis, Confirmation, Error, Policy, Verified, Verifier, profile::AccessToken};
use recent::Known;
pub use recent::Recent;

use super::TENANT;
use crate::{
    app::App,
    domain::{
        opaque_token::{self, PURPOSE, Reference, Refused},
        rsn::Rsn,
        session::Sid,
        time::Timestamp,
    },
    store::{
        StoreError, Tx,
        standing::{self, TokenNames},
    },
};

/// What is asked of a token.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Meant for this audience; none: for whichever.
    pub audience: Option<&'a str>,
    /// Even if it has expired.
    pub expired_too: bool,
    /// Also one that is signed by the secret of one of these audiences and speaks to it alone.
    pub shared_with: &'a [&'a str],
}

/// An access token that this issuer made. Only [`Shown::read`] makes one.
#[derive(Debug)]
pub enum Shown {
    Signed(Arc<Verified<AccessClaims>>),
    Opaque(Reference),
}

/// What is wrong with a token. For the log only (TOK-26).
#[derive(Debug, thiserror::Error)]
pub enum NotOurs {
    #[error(transparent)]
    Signed(#[from] Error),
    #[error(transparent)]
    Opaque(#[from] Refused),
    #[error("it is meant for other audiences")]
    Audience,
    #[error("it rests on a token of key {0:?}, which is not in the key ring any more")]
    Basis(String),
}

impl Shown {
    /// Reads a token that is now as it is wanted.
    ///
    /// # Errors
    /// [`NotOurs`]
    pub fn read(app: &App, token: &str, wanted: Wanted<'_>) -> Result<Self, NotOurs> {
        let keys = app.ring.snapshot();
        if !opaque_token::is_opaque(token) {
            let claims = signed_by_us(app, token, wanted)?;
            // A key that was revoked has made nothing that counts (KEY-04).
            let mut below = claims.rests_on.iter().filter_map(|basis| basis.kid.as_deref());
            if let Some(kid) = below.find(|kid| !keys.counts(kid)) {
                return Err(NotOurs::Basis(kid.to_owned()));
            }
            let fits = wanted.audience.is_none_or(|name| claims.aud.contains(name));
            return if fits { Ok(Self::Signed(claims)) } else { Err(NotOurs::Audience) };
        }
        let reference = opaque_token::open(keys.mac_keys().derived(PURPOSE), token)?;
        let reference = if wanted.expired_too { reference } else { reference.live(app.clock.now())? };
        let fits = wanted.audience.is_none_or(|name| reference.audiences.iter().any(|audience| audience == name));
        if fits { Ok(Self::Opaque(reference)) } else { Err(NotOurs::Audience) }
    }

    /// Whom it names, and where the log stood when its authority was last checked; then the same of all that it rests on.
    pub fn names(&self, app: &App) -> Vec<(TokenNames, Rsn)> {
        let tenant = match self {
            Self::Signed(claims) => claims.tid.clone(),
            Self::Opaque(_) => None,
        };
        let own = TokenNames {
            issuer: app.config.issuer.as_str().to_owned(),
            tenant: tenant.unwrap_or_else(|| TENANT.to_owned()),
            jti: self.jti().to_owned(),
            // The session of an exchanged token is that of another client, and is asked about with the token of that one.
            sid: self.sid().filter(|_| self.rests_on().is_empty()).map(|sid| sid.to_string()),
            client_id: self.client_id().to_owned(),
        };
        let basis = |basis: &Basis| {
            let names = TokenNames {
                jti: basis.jti.clone(),
                sid: basis.sid.clone(),
                client_id: basis.client_id.clone(),
                ..own.clone()
            };
            (names, Rsn::new(basis.rsn))
        };
        let below: Vec<_> = self.rests_on().iter().map(basis).collect();
        std::iter::once((own, self.rsn())).chain(below).collect()
    }

    fn rests_on(&self) -> &[Basis] {
        match self {
            Self::Signed(claims) => &claims.rests_on,
            Self::Opaque(_) => &[],
        }
    }

    /// Whether somebody acts for its subject with it (RFC 8693).
    pub fn is_exchanged(&self) -> bool {
        match self {
            Self::Signed(claims) => claims.act.is_some() || !claims.rests_on.is_empty(),
            Self::Opaque(_) => false,
        }
    }

    pub fn jti(&self) -> &str {
        match self {
            Self::Signed(claims) => &claims.jti,
            Self::Opaque(reference) => &reference.jti,
        }
    }

    /// The session; none for a client's own token.
    pub fn sid(&self) -> Option<Sid> {
        match self {
            Self::Signed(claims) => claims.sid.as_deref().and_then(Sid::parse),
            Self::Opaque(reference) => reference.sid.clone(),
        }
    }

    pub fn client_id(&self) -> &str {
        match self {
            Self::Signed(claims) => &claims.client_id,
            Self::Opaque(reference) => &reference.client_id,
        }
    }

    pub fn audiences(&self) -> Vec<&str> {
        match self {
            Self::Signed(claims) => claims.aud.iter().collect(),
            Self::Opaque(reference) => reference.audiences.iter().map(String::as_str).collect(),
        }
    }

    /// Space-separated.
    pub fn scope(&self) -> &str {
        match self {
            Self::Signed(claims) => claims.scope.as_deref().unwrap_or_default(),
            Self::Opaque(reference) => &reference.scope,
        }
    }

    /// Unix seconds.
    pub fn exp(&self) -> i64 {
        match self {
            Self::Signed(claims) => claims.exp,
            Self::Opaque(reference) => reference.exp,
        }
    }

    /// For how long it was made, seconds.
    pub fn lifetime(&self) -> i64 {
        match self {
            Self::Signed(claims) => claims.exp.saturating_sub(claims.iat),
            Self::Opaque(reference) => reference.exp.saturating_sub(reference.iat),
        }
    }

    /// Where the log stood when its authority was last checked.
    pub fn rsn(&self) -> Rsn {
        Rsn::new(match self {
            Self::Signed(claims) => claims.rsn.unwrap_or_default(),
            Self::Opaque(reference) => reference.rsn,
        })
    }

    /// What it asks of whoever presents it.
    pub fn confirmation(&self) -> Confirmation<'_> {
        match self {
            Self::Signed(claims) => claims.confirmation(),
            Self::Opaque(Reference { jkt: Some(jkt), .. }) => Confirmation::Key(jkt),
            Self::Opaque(_) => Confirmation::Bearer,
        }
    }
}

/// Whether all of these stand, as far as the store knows.
///
/// # Errors
/// As any statement.
pub async fn stand(tx: &mut Tx, tokens: &[(TokenNames, Rsn)], now: Timestamp) -> Result<bool, StoreError> {
    for (names, rsn) in tokens {
        if !standing::of_token(tx, names, now).await?.is_some_and(|standing| standing.holds(*rsn)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The claims of an access token that a key of the ring signed, or the secret of an audience that may be spoken to. A token that was verified a moment ago is recognised: that
/// spares the signature and the parsing, and nothing else.
fn signed_by_us(app: &App, token: &str, wanted: Wanted<'_>) -> Result<Arc<Verified<AccessClaims>>, Error> {
    let (policy, now) = (policy(app, wanted), app.clock.now().secs());
    // A key that was taken out of the ring recognises nothing any more (KEY-04).
    let in_use = |known: &Known| app.ring.snapshot().verifying_key(&known.kid).is_some_and(|key| known.was_under(&key));
    if let Some(known) = app.recent.find(token).filter(in_use) {
        policy.check_times(&known.claims, now)?;
        return Ok(known.claims);
    }
    let unverified = policy.parse(token)?;
    let kid = unverified.kid().unwrap_or_default().to_owned();
    let ring = app.ring.snapshot();
    let Some(key) = ring.verifying_key(&kid) else {
        return ring.verify(&policy, wanted.shared_with, token, app.clock.now()).map(Arc::new);
    };
    let claims = Arc::new(policy.verify_with(&key, unverified, now)?);
    if claims.exp > now {
        app.recent.keep(token, Known { claims: Arc::clone(&claims), kid: kid.into(), key });
    }
    Ok(claims)
}

fn policy(app: &App, wanted: Wanted<'_>) -> Policy<AccessToken> {
    let builder = Verifier::<AccessToken>::builder().issuer(app.config.issuer.as_str());
    let builder = if wanted.expired_too { builder.accept_expired() } else { builder };
    builder.any_audience().policy()
}
