//! What a verifier asks of a token whose signature held.

use std::{marker::PhantomData, ops::Deref, time::Duration};

use crate::{
    Authentic, Error, KeySet, Recognised, Unverified, VerifyingKey,
    claims::{Claims, Registered},
    error::clip,
    limits::{DEFAULT_LEEWAY, MAX_LEEWAY},
    profile::Profile,
    unverified::{Body, check_length, text_error},
};

/// A body of up to this many bytes, which is nearly every one, is decoded without an allocation. The room is cleared first, so that
/// there are two sizes.
const SMALL_BODY: usize = 1024;

/// The checks of one kind of token by one verifier: type, issuer, audience, times. Built by
/// [`Verifier::builder`](crate::Verifier::builder); a caller that keeps its keys elsewhere takes it without them.
#[derive(Debug, Clone)]
pub struct Policy<P> {
    pub(crate) issuer: Option<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) leeway: i64,
    pub(crate) max_lifetime: Option<i64>,
    pub(crate) max_age: Option<i64>,
    pub(crate) expired_too: bool,
    pub(crate) untyped_too: bool,
    profile: PhantomData<P>,
}

/// Claims that were checked. Only a verification makes one.
///
/// ```compile_fail,E0451
/// let claims = countersign_jose::GenericClaims::default();
/// let forged = countersign_jose::Verified { claims };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<C> {
    claims: C,
}

impl<C> Verified<C> {
    /// The claims, without the proof that they were checked.
    pub fn into_inner(self) -> C {
        self.claims
    }
}

impl<C> Deref for Verified<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.claims
    }
}

impl<P: Profile> Policy<P> {
    pub(crate) fn new() -> Self {
        Self {
            issuer: None,
            audiences: Vec::new(),
            leeway: seconds(DEFAULT_LEEWAY),
            max_lifetime: None,
            max_age: None,
            expired_too: false,
            untyped_too: false,
            profile: PhantomData,
        }
    }

    pub(crate) fn set_leeway(&mut self, leeway: Duration) {
        self.leeway = seconds(leeway.min(MAX_LEEWAY));
    }

    /// Reads a token of this kind and refuses every other kind, before any key is looked for.
    ///
    /// # Errors
    /// As [`Unverified::parse`], and [`Error::Type`].
    pub fn parse<'a>(&self, token: &'a str) -> Result<Unverified<'a>, Error> {
        let token = Unverified::parse_up_to(token, P::MAX_BYTES)?;
        self.check_type(token.typ())?;
        Ok(token)
    }

    /// Checks the signature with the key that the caller chose, then the claims. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// As [`Unverified::verify_signature`] and [`check`](Self::check).
    pub fn verify_with(
        &self,
        key: &VerifyingKey,
        token: Unverified<'_>,
        now: i64,
    ) -> Result<Verified<P::Claims>, Error> {
        self.check_type(token.typ())?;
        self.check(&token.verify_signature(key)?, now)
    }

    /// Checks the signature with the key of the set that the header means, which is the other answer, then the claims. If the
    /// signature held, the set will [recognise](KeySet::recognise) the header. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// As [`KeySet::pick`] and [`verify_with`](Self::verify_with).
    pub fn verify_among<'k>(
        &self,
        keys: &'k KeySet,
        token: Unverified<'_>,
        now: i64,
    ) -> Result<(Verified<P::Claims>, &'k VerifyingKey), Error> {
        self.check_type(token.typ())?;
        let key = keys.pick(token.kid(), token.alg())?;
        let header = token.header_text();
        let token = token.verify_signature(key)?;
        keys.remember(header, token.header());
        self.check(&token, now).map(|claims| (claims, key))
    }

    /// Checks a token whose header is known and therefore not read again: only its type is compared once more, since another policy
    /// may have seen it. Everything else is as for any token, and so is the outcome. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// As [`parse`](Self::parse) and [`verify_with`](Self::verify_with).
    pub fn verify_recognised(&self, token: Recognised<'_, '_>, now: i64) -> Result<Verified<P::Claims>, Error> {
        let Recognised { token, header_len, header, key } = token;
        check_length(token, P::MAX_BYTES)?;
        let body = Body::split(token, header_len, key.signature_len()).ok_or_else(|| text_error(token))?;
        with_room(body.room(), |room| {
            let (payload, signature) = body.decode(room).map_err(|_| text_error(token))?;
            self.check_type(header.typ())?;
            key.verify_raw(body.signing_input.as_bytes(), &room[payload..payload + signature])?;
            self.check_claims(&room[..payload], now)
        })
    }

    /// Reads and checks the claims of a token whose signature held. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`Error::Type`]; for the text of the claims [`Error::Utf8`], [`Error::Json`], [`Error::Duplicate`],
    /// [`Error::Depth`], [`Error::Number`], [`Error::ClaimMissing`], [`Error::ClaimMalformed`],
    /// [`Error::ClaimForbidden`]; then [`Error::Issuer`], [`Error::Audience`], and those of
    /// [`check_times`](Self::check_times), in this order.
    pub fn check(&self, token: &Authentic, now: i64) -> Result<Verified<P::Claims>, Error> {
        self.check_type(token.typ())?;
        self.check_claims(token.payload(), now)
    }

    fn check_claims(&self, payload: &[u8], now: i64) -> Result<Verified<P::Claims>, Error> {
        // Claims are some hundred bytes: they are judged where they lie, and not moved.
        let outcome = P::Claims::from_json(payload).map(|claims| Verified { claims });
        if let Ok(Verified { claims }) = &outcome {
            claims.rules()?;
            let registered = claims.registered();
            self.check_issuer(&registered)?;
            self.check_audience(&registered)?;
            self.check_registered_times(&registered, now)?;
        }
        outcome
    }

    /// Checks the times of claims that were verified before, for a cache. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`Error::ClaimMissing`], [`Error::Expired`], [`Error::NotYet`], [`Error::IssuedInFuture`], [`Error::TooOld`],
    /// [`Error::Lifetime`].
    pub fn check_times(&self, claims: &Verified<P::Claims>, now: i64) -> Result<(), Error> {
        self.check_registered_times(&claims.registered(), now)
    }

    fn check_type(&self, typ: Option<&str>) -> Result<(), Error> {
        let untyped = P::UNTYPED || self.untyped_too;
        let accepted = match typ {
            None => untyped,
            Some(typ) if typ.strip_prefix("application/").unwrap_or(typ) == P::TYP => true,
            Some(typ) => untyped && typ.eq_ignore_ascii_case("JWT"),
        };
        if accepted { Ok(()) } else { Err(Error::Type { expected: P::TYP.into(), got: typ.map(clip) }) }
    }

    fn check_issuer(&self, claims: &Registered<'_>) -> Result<(), Error> {
        let Some(expected) = &self.issuer else { return Ok(()) };
        let Some(got) = claims.iss else { return Err(Error::ClaimMissing { claim: "iss" }) };
        if got == expected { Ok(()) } else { Err(Error::Issuer { expected: expected.clone(), got: clip(got) }) }
    }

    fn check_audience(&self, claims: &Registered<'_>) -> Result<(), Error> {
        if self.audiences.is_empty() {
            return Ok(());
        }
        let Some(got) = claims.aud else { return Err(Error::ClaimMissing { claim: "aud" }) };
        if self.audiences.iter().any(|mine| got.contains(mine)) {
            return Ok(());
        }
        Err(Error::Audience {
            expected: self.audiences.join(" "),
            got: clip(&got.iter().collect::<Vec<_>>().join(" ")),
        })
    }

    fn check_registered_times(&self, claims: &Registered<'_>, now: i64) -> Result<(), Error> {
        match claims.exp {
            Some(exp) if !self.expired_too && now.saturating_sub(self.leeway) >= exp => {
                return Err(Error::Expired { exp, now });
            }
            None if P::EXPIRES => return Err(Error::ClaimMissing { claim: "exp" }),
            _ => {}
        }
        let latest = now.saturating_add(self.leeway);
        if let Some(nbf) = claims.nbf.filter(|nbf| *nbf > latest) {
            return Err(Error::NotYet { nbf, now });
        }
        if let Some(iat) = claims.iat.filter(|iat| *iat > latest) {
            return Err(Error::IssuedInFuture { iat, now });
        }
        self.check_age(claims, now)?;
        self.check_lifetime(claims)
    }

    fn check_age(&self, claims: &Registered<'_>, now: i64) -> Result<(), Error> {
        let Some(limit) = self.max_age else { return Ok(()) };
        let Some(iat) = claims.iat else { return Err(Error::ClaimMissing { claim: "iat" }) };
        let got = now.saturating_sub(iat);
        if got.saturating_sub(self.leeway) > limit { Err(Error::TooOld { limit, got }) } else { Ok(()) }
    }

    fn check_lifetime(&self, claims: &Registered<'_>) -> Result<(), Error> {
        let limit = self.max_lifetime.unwrap_or(i64::MAX);
        match (claims.iat, claims.exp) {
            (Some(iat), Some(exp)) if !(0..=limit).contains(&(exp - iat)) => {
                Err(Error::Lifetime { limit, got: exp - iat })
            }
            (None, _) if self.max_lifetime.is_some() => Err(Error::ClaimMissing { claim: "iat" }),
            (_, None) if self.max_lifetime.is_some() => Err(Error::ClaimMissing { claim: "exp" }),
            _ => Ok(()),
        }
    }
}

/// Runs something with room for that many bytes.
#[inline]
fn with_room<T>(len: usize, run: impl FnOnce(&mut [u8]) -> T) -> T {
    const HALF: usize = SMALL_BODY / 2;
    if len <= HALF {
        run(&mut [0; HALF][..len])
    } else if len <= SMALL_BODY {
        run(&mut [0; SMALL_BODY][..len])
    } else {
        run(&mut vec![0; len])
    }
}

pub(crate) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
