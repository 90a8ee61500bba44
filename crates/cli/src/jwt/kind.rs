//! Kinds of tokens by the names that `--typ` takes, and a judge of each.

use std::time::Duration;

use clap::{Args, ValueEnum};
use countersign_jose::{
    Authentic, Claims, Error, Missing, Policy, Unverified, Verifier,
    profile::{AccessToken, ClientAssertion, DpopProof, FeedBatch, FeedTime, Generic, IdToken, LogoutToken, Profile},
    verifier::Builder,
};

use super::input;
use crate::{duration, output::Failure};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A token of no special kind: `typ` is JWT or absent
    Jwt,
    /// Access token (RFC 9068): at+jwt
    Access,
    /// ID token (OpenID Connect)
    Id,
    /// Logout token (OpenID Connect Back-Channel Logout)
    Logout,
    /// DPoP proof (RFC 9449)
    Dpop,
    /// Client assertion (RFC 7523)
    Client,
    /// Any JSON between two parties: generic+jwt
    Generic,
    /// A batch of the revocation feed
    Feed,
    /// A time anchor of the revocation feed
    FeedTime,
}

/// What is asked of a token beside its signature.
#[derive(Debug, Args)]
pub struct Checks {
    /// Kind of the token
    #[arg(long = "typ", value_enum, default_value_t = Kind::Jwt, value_name = "KIND")]
    kind: Kind,
    /// Who must have issued it (`iss`)
    #[arg(long)]
    issuer: Option<String>,
    /// Whom it must be meant for (`aud`); one of several is enough
    #[arg(long)]
    audience: Vec<String>,
    /// Accept it whomever it is meant for
    #[arg(long, conflicts_with = "audience")]
    any_audience: bool,
    /// Difference of clocks that is forgiven, at most 60s [default: 10s]
    #[arg(long, value_parser = duration::seconds, value_name = "DURATION")]
    leeway: Option<u64>,
    /// How long ago it may have been issued
    #[arg(long, value_parser = duration::seconds, value_name = "DURATION")]
    max_age: Option<u64>,
    /// The longest lifetime that is accepted
    #[arg(long, value_parser = duration::seconds, value_name = "DURATION")]
    max_lifetime: Option<u64>,
    /// Accept it although it has expired
    #[arg(long)]
    accept_expired: bool,
    /// Judge as of this time (RFC 3339, or seconds since 1970) instead of now
    #[arg(long, value_parser = moment, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<i64>,
}

/// A policy of some kind of token.
pub trait Judge {
    /// Text, header, kind.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    fn parse<'a>(&self, token: &'a str) -> Result<Unverified<'a>, Error>;

    /// The claims of a token whose signature held.
    ///
    /// # Errors
    /// As [`Policy::check`].
    fn check(&self, token: &Authentic, now: i64) -> Result<(), Error>;
}

impl<P: Profile> Judge for Policy<P> {
    fn parse<'a>(&self, token: &'a str) -> Result<Unverified<'a>, Error> {
        self.parse(token)
    }

    fn check(&self, token: &Authentic, now: i64) -> Result<(), Error> {
        self.check(token, now).map(drop)
    }
}

impl Checks {
    /// # Errors
    /// The issuer or the audience was not named and tokens of this kind have one.
    pub fn judge(&self) -> Result<Box<dyn Judge>, Failure> {
        match self.kind {
            Kind::Jwt => self.both(self.start::<Generic>().accept_untyped()),
            Kind::Generic => self.both(self.start::<Generic>()),
            Kind::Access => self.both(self.start::<AccessToken>()),
            Kind::Id => self.both(self.start::<IdToken>()),
            Kind::Logout => self.both(self.start::<LogoutToken>()),
            Kind::Client => self.both(self.start::<ClientAssertion>()),
            Kind::Dpop => Ok(Box::new(self.start::<DpopProof>().policy())),
            Kind::Feed => Ok(Box::new(self.start::<FeedBatch>().issuer(self.issuer()?).policy())),
            Kind::FeedTime => Ok(Box::new(self.start::<FeedTime>().issuer(self.issuer()?).policy())),
        }
    }

    /// The time to judge by, in seconds since 1970.
    pub fn now(&self) -> i64 {
        self.at.unwrap_or_else(input::now)
    }

    fn start<P: Profile>(&self) -> Builder<P, P::Issuer, P::Audience, Missing> {
        let mut builder = Verifier::<P>::builder();
        if let Some(leeway) = self.leeway {
            builder = builder.leeway(Duration::from_secs(leeway));
        }
        if let Some(age) = self.max_age {
            builder = builder.max_age(Duration::from_secs(age));
        }
        if let Some(lifetime) = self.max_lifetime {
            builder = builder.max_lifetime(Duration::from_secs(lifetime));
        }
        if self.accept_expired { builder.accept_expired() } else { builder }
    }

    fn both<P: Profile>(&self, builder: Builder<P, Missing, Missing, Missing>) -> Result<Box<dyn Judge>, Failure> {
        let builder = builder.issuer(self.issuer()?);
        match self.audience.split_first() {
            Some((first, others)) => {
                let builder = builder.audience(first);
                Ok(Box::new(others.iter().fold(builder, Builder::or_audience).policy()))
            }
            None if self.any_audience => Ok(Box::new(builder.any_audience().policy())),
            None => Err(Failure::usage(
                "name whom the token must be meant for with --audience, or say --any-audience (or --raw for the signature alone)",
            )),
        }
    }

    fn issuer(&self) -> Result<&str, Failure> {
        self.issuer.as_deref().ok_or_else(|| {
            Failure::usage("name who must have issued the token with --issuer (or say --raw for the signature alone)")
        })
    }
}

impl Kind {
    /// The `typ` that a token of this kind is signed with.
    pub fn typ(self) -> &'static str {
        match self {
            Self::Jwt => "JWT",
            Self::Generic => Generic::TYP,
            Self::Access => AccessToken::TYP,
            Self::Id => IdToken::TYP,
            Self::Logout => LogoutToken::TYP,
            Self::Dpop => DpopProof::TYP,
            Self::Client => ClientAssertion::TYP,
            Self::Feed => FeedBatch::TYP,
            Self::FeedTime => FeedTime::TYP,
        }
    }

    /// Whether tokens of this kind must expire.
    pub fn expires(self) -> bool {
        !matches!(self, Self::Dpop | Self::Feed | Self::FeedTime)
    }

    /// Whether tokens of this kind must have an id of their own.
    pub fn has_id(self) -> bool {
        matches!(self, Self::Access | Self::Logout | Self::Dpop | Self::Client)
    }

    /// What a verifier of this kind would refuse in claims, whoever issued them.
    ///
    /// # Errors
    /// Those of the claims' text, types and rules.
    pub fn check_claims(self, json: &[u8]) -> Result<(), Error> {
        match self {
            Self::Jwt | Self::Generic => check::<Generic>(json),
            Self::Access => check::<AccessToken>(json),
            Self::Id => check::<IdToken>(json),
            Self::Logout => check::<LogoutToken>(json),
            Self::Dpop => check::<DpopProof>(json),
            Self::Client => check::<ClientAssertion>(json),
            Self::Feed => check::<FeedBatch>(json),
            Self::FeedTime => check::<FeedTime>(json),
        }
    }
}

fn check<P: Profile>(json: &[u8]) -> Result<(), Error> {
    let claims = P::Claims::from_json(json)?;
    claims.check_members()?;
    claims.rules()
}

fn moment(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let at = humantime::parse_rfc3339_weak(text).map_err(|_| "write 2026-01-31T12:00:00Z or seconds since 1970")?;
    let since = at.duration_since(std::time::UNIX_EPOCH).map_err(|_| "write a time after 1970")?;
    i64::try_from(since.as_secs()).map_err(|_| "out of range".into())
}
