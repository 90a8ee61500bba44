//! Clients: their names, what they may do, and their secrets.

use std::{collections::BTreeSet, fmt, str::FromStr, time::Duration};

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use countersign_jose::{Algorithm, b64};

use super::{
    assurance::Level,
    audience_id::AudienceId,
    audit::is_hostile,
    encryption::Encryption,
    logout_uri::LogoutUri,
    redirect::RedirectUri,
    roles::{ADMIN, Role},
    scope::Scope,
    subject::Sector,
    user::USER_ID_PREFIX,
};
use crate::secret::PlainSecret;

/// The public client that the first start makes: the person's own browser or app at this issuer.
pub const FIRST_PARTY: &str = "first-party";

/// A client's name: 1 to 64 of `a-z 0-9 . _ -`, beginning with a letter or digit, and not with `usr_`.
///
/// A client's own tokens carry it as `sub`, so it must never be a user's (TOK-20).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

/// A name that no client can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client id is 1 to 64 of a-z 0-9 . _ - , begins with a letter or digit, and not with usr_")]
pub struct BadClientId;

impl ClientId {
    /// # Errors
    /// [`BadClientId`].
    pub fn parse(text: &str) -> Result<Self, BadClientId> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let good = (1..=64).contains(&text.len())
            && text.bytes().next().is_some_and(plain)
            && text.bytes().all(|b| plain(b) || b"._-".contains(&b))
            && !text.starts_with(USER_ID_PREFIX);
        if good { Ok(Self(text.to_owned())) } else { Err(BadClientId) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One way for a client to get tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grant {
    /// The person types the password into a page or app of the issuer itself: `POST /login`. Not the password grant of
    /// OAuth 2.0, which does not exist here.
    FirstParty,
    /// The person signs in at `/authorize` and the client gets a code.
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    /// The person lets a device in from another one (RFC 8628).
    DeviceCode,
    /// A token that was shown to the client, for one that it calls the next service with (RFC 8693).
    TokenExchange,
}

impl Grant {
    pub const ALL: [Self; 6] = [
        Self::FirstParty,
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::TokenExchange,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstParty => "first_party",
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "device_code",
            Self::TokenExchange => "token_exchange",
        }
    }

    /// What a request to `/token` calls it, if it is asked for there.
    pub const fn grant_type(self) -> Option<&'static str> {
        match self {
            Self::FirstParty => None,
            Self::AuthorizationCode | Self::RefreshToken | Self::ClientCredentials => Some(self.as_str()),
            Self::DeviceCode => Some("urn:ietf:params:oauth:grant-type:device_code"),
            Self::TokenExchange => Some("urn:ietf:params:oauth:grant-type:token-exchange"),
        }
    }
}

/// No grant has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no grant {0:?}")]
pub struct UnknownGrant(String);

impl FromStr for Grant {
    type Err = UnknownGrant;

    fn from_str(text: &str) -> Result<Self, UnknownGrant> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text).ok_or_else(|| UnknownGrant(text.to_owned()))
    }
}

/// The grants of one client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(BTreeSet<Grant>);

impl Grants {
    pub fn contains(&self, grant: Grant) -> bool {
        self.0.contains(&grant)
    }

    pub fn iter(&self) -> impl Iterator<Item = Grant> {
        self.0.iter().copied()
    }
}

impl FromIterator<Grant> for Grants {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        Self(grants.into_iter().collect())
    }
}

impl FromStr for Grants {
    type Err = UnknownGrant;

    /// Reads names separated by spaces.
    fn from_str(text: &str) -> Result<Self, UnknownGrant> {
        text.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Grant::as_str).collect();
        f.write_str(&names.join(" "))
    }
}

/// What an administrator decides about a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// For people; 1 to 100 characters.
    pub name: String,
    /// What it may ask for.
    pub scopes: Scope,
    /// Whose tokens it may ask for; the first is its default.
    pub audiences: Vec<AudienceId>,
    pub grants: Grants,
    /// Its own roles, for `client_credentials`.
    pub roles: Vec<Role>,
    /// What signs its access tokens, unless an audience shares a secret with the issuer; `None`: what the audience says.
    pub alg: Option<Algorithm>,
    /// The audiences that it is: it may introspect their tokens.
    pub serves: Vec<AudienceId>,
    /// The audiences that it may exchange tokens for.
    pub exchanges: Vec<AudienceId>,
    /// Lifetimes of its own; the issuer's where there is none.
    pub access_token_ttl: Option<Duration>,
    pub refresh_idle: Option<Duration>,
    pub refresh_absolute: Option<Duration>,
    /// It must prove a key whenever it asks for tokens, so that none of its tokens is good without that key (RFC 9449, section 5.2).
    pub dpop_bound: bool,
    pub access_token_format: AccessTokenFormat,
    pub sign_in: SignInSettings,
}

/// How a client's access tokens are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AccessTokenFormat {
    /// A signed JWT (RFC 9068), which services check by themselves.
    #[default]
    Signed,
    /// A reference that the issuer alone can read: services ask `/introspect` about it.
    Opaque,
    /// A signed one, encrypted to the key of its one audience: nobody else reads it, and the audience checks it by itself.
    Encrypted,
}

impl AccessTokenFormat {
    pub const ALL: [Self; 3] = [Self::Signed, Self::Opaque, Self::Encrypted];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Opaque => "opaque",
            Self::Encrypted => "encrypted",
        }
    }

    /// The format that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

/// How people sign in to a client at `/authorize`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignInSettings {
    /// Where an authorization response may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a browser may go after signing out.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where it takes logout tokens, if it does.
    pub backchannel_logout_uri: Option<LogoutUri>,
    pub consent: Consent,
    /// What signs its ID tokens; `None`: the issuer's default.
    pub id_token_alg: Option<Algorithm>,
    /// To whom its ID tokens are encrypted, after they were signed.
    pub id_token_encryption: Option<Encryption>,
    /// What signs the answers of `/userinfo`; `None`: they are plain JSON.
    pub userinfo_alg: Option<Algorithm>,
    /// It knows people by pairwise ids of this sector; `None`: by their public ones.
    pub sector: Option<Sector>,
    /// Its requests must be pushed (RFC 9126): what stands in a browser's address counts for nothing.
    pub require_pushed: bool,
    /// Its requests must be signed by one of its keys (RFC 9101).
    pub require_signed: bool,
    /// How strong a sign-in to it must be, whatever it asks for.
    pub required_level: Level,
}

/// Whether people are asked what a client may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Consent {
    /// They are asked.
    #[default]
    Ask,
    /// The client belongs to the same house as the issuer: who signs in to it has agreed.
    Implied,
}

impl Consent {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Implied => "implied",
        }
    }

    /// The choice that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ask, Self::Implied].into_iter().find(|consent| consent.as_str() == word)
    }
}

/// How much ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Sessions and tokens.
    Hard,
    /// Tokens; sessions live on, and their next refresh says what holds now.
    Soft,
}

/// Why a client cannot be as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadClient {
    #[error("a client's name is 1 to 100 characters, not all blank, none of which controls how others are shown")]
    Name,
    #[error("a client needs at least one audience")]
    NoAudience,
    #[error("client_credentials needs a secret or keys; a public client has none")]
    PublicCredentials,
    #[error("a shared secret belongs to an audience, not to a client; choose an algorithm with a public key")]
    SecretAlgorithm,
    #[error("introspection needs a secret or keys; a public client has none")]
    PublicServer,
    #[error("token_exchange needs a secret or keys, and audiences to exchange for; these need token_exchange")]
    Exchange,
    #[error("a client that knows people by ids of its own cannot exchange tokens: it could read the others")]
    ExchangePairwise,
    #[error("no service acts for an administrator: tokens cannot be exchanged for the audience admin")]
    ExchangeAdmin,
    #[error("a lifetime is at least one second")]
    Lifetime,
    #[error("authorization_code needs a redirect URI, and a redirect URI needs authorization_code")]
    Redirect,
    #[error("a client has at most 32 redirect URIs, and as many for signing out")]
    Redirects,
    #[error(
        "a pairwise client would read a person's public id in a signed access token; make them opaque or encrypted"
    )]
    PairwiseFormat,
    #[error("a client that people give their passwords to knows them by their public ids")]
    PairwiseFirstParty,
}

/// The most redirect URIs of a client, of each kind.
const MAX_REDIRECTS: usize = 32;

impl ClientSettings {
    /// # Errors
    /// [`BadClient`], the first reason.
    pub fn check(&self, confidential: bool) -> Result<(), BadClient> {
        let length = self.name.chars().count();
        if !(1..=100).contains(&length) || self.name.trim().is_empty() || self.name.chars().any(is_hostile) {
            return Err(BadClient::Name);
        }
        if self.audiences.is_empty() {
            return Err(BadClient::NoAudience);
        }
        if self.grants.contains(Grant::ClientCredentials) && !confidential {
            return Err(BadClient::PublicCredentials);
        }
        if self.alg.is_some_and(Algorithm::is_symmetric) {
            return Err(BadClient::SecretAlgorithm);
        }
        if !self.serves.is_empty() && !confidential {
            return Err(BadClient::PublicServer);
        }
        let exchanges = self.grants.contains(Grant::TokenExchange);
        if exchanges == self.exchanges.is_empty() || (exchanges && !confidential) {
            return Err(BadClient::Exchange);
        }
        if exchanges && self.sign_in.sector.is_some() {
            return Err(BadClient::ExchangePairwise);
        }
        if self.exchanges.iter().any(|audience| audience.as_str() == ADMIN) {
            return Err(BadClient::ExchangeAdmin);
        }
        let lifetimes = [self.access_token_ttl, self.refresh_idle, self.refresh_absolute];
        if lifetimes.into_iter().flatten().any(|lifetime| lifetime < Duration::from_secs(1)) {
            return Err(BadClient::Lifetime);
        }
        self.check_pairwise()?;
        self.sign_in.check(self.grants.contains(Grant::AuthorizationCode))
    }

    /// Services know people by their public ids, whoever calls them; so a pairwise client must not be able to read what it
    /// carries to them.
    fn check_pairwise(&self) -> Result<(), BadClient> {
        if self.sign_in.sector.is_none() {
            return Ok(());
        }
        if self.grants.contains(Grant::FirstParty) {
            return Err(BadClient::PairwiseFirstParty);
        }
        if self.access_token_format == AccessTokenFormat::Signed { Err(BadClient::PairwiseFormat) } else { Ok(()) }
    }

    /// What a change of settings ends. Tokens must not say what is not true any more; a session for an audience that the
    /// client may not ask for any more would go on getting its tokens.
    pub fn ended_by(&self, new: &Self) -> Option<End> {
        if self.audiences.iter().any(|audience| !new.audiences.contains(audience)) {
            return Some(End::Hard);
        }
        self.outdated_by(new).then_some(End::Soft)
    }

    /// Whether tokens made under these settings may say more than `new` allows: they must end when the settings change.
    pub fn outdated_by(&self, new: &Self) -> bool {
        self.scopes != new.scopes
            || self.audiences != new.audiences
            || self.roles != new.roles
            || self.grants != new.grants
            || self.exchanges.iter().any(|audience| !new.exchanges.contains(audience))
            || (!self.dpop_bound && new.dpop_bound)
            || self.access_token_format != new.access_token_format
    }
}

impl SignInSettings {
    fn check(&self, by_code: bool) -> Result<(), BadClient> {
        if self.id_token_alg.is_some_and(Algorithm::is_symmetric)
            || self.userinfo_alg.is_some_and(Algorithm::is_symmetric)
        {
            return Err(BadClient::SecretAlgorithm);
        }
        if by_code == self.redirect_uris.is_empty() {
            return Err(BadClient::Redirect);
        }
        let longest = self.redirect_uris.len().max(self.post_logout_redirect_uris.len());
        if longest > MAX_REDIRECTS { Err(BadClient::Redirects) } else { Ok(()) }
    }
}

/// A client's secret as it is stored: SHA-256. Fast is enough, because the secret is 256 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// What begins every client secret, so that scanners for leaked secrets recognise one.
    const PREFIX: &str = "csk_";

    /// A new secret, shown once to its owner, and what is stored of it.
    pub fn generate(random: [u8; 32]) -> (PlainSecret, Self) {
        Self::generate_as(Self::PREFIX, random)
    }

    /// A new secret of another kind, which begins with its own `prefix`.
    pub fn generate_as(prefix: &str, random: [u8; 32]) -> (PlainSecret, Self) {
        let plain = PlainSecret::new(format!("{prefix}{}", b64::encode(random)));
        let hash = Self::of(&plain);
        (plain, hash)
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Of a secret that somebody presents, to look it up.
    pub fn of_shown(presented: &PlainSecret) -> Self {
        Self::of(presented)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether this is the secret; compared in constant time (TOK-26).
    pub fn matches(&self, presented: &PlainSecret) -> bool {
        verify_slices_are_equal(&self.0, &Self::of(presented).0).is_ok()
    }

    fn of(plain: &PlainSecret) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, plain.expose().as_bytes()).as_ref());
        Self(hash)
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::user::UserId;

    #[test]
    fn client_ids_follow_the_pattern() {
        for good in ["a", "order", "order-service.v2", "0_1", FIRST_PARTY, &"x".repeat(64)] {
            assert!(ClientId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "Order", "-a", ".a", "_a", "a b", "a\n", "ä", "a/b", "usr_x", "usr_", &"x".repeat(65)] {
            assert_eq!(ClientId::parse(bad), Err(BadClientId), "{bad:?}");
        }
    }

    #[test]
    fn grants_are_a_set_of_known_names() {
        let grants: Grants = "refresh_token first_party refresh_token".parse().unwrap();
        assert_eq!(grants.to_string(), "first_party refresh_token");
        assert!(grants.contains(Grant::RefreshToken) && !grants.contains(Grant::ClientCredentials));
        // OAU-03
        assert!("password".parse::<Grants>().is_err());
        assert!("implicit".parse::<Grants>().is_err());
        for grant in Grant::ALL {
            assert_eq!(grant.as_str().parse(), Ok(grant));
        }
    }

    // TOK-26, OAU-08: only the hash is stored, neither half prints itself.
    #[test]
    fn a_secret_is_shown_once_and_stored_as_its_hash() {
        let (plain, hash) = SecretHash::generate([7; 32]);
        assert_eq!(plain.expose().len(), 4 + 43);
        assert!(hash.matches(&plain));
        assert!(SecretHash::from_bytes(*hash.as_bytes()).matches(&plain));
        assert!(!hash.matches(&PlainSecret::new(format!("{}x", plain.expose()))));
        assert!(!hash.matches(&PlainSecret::new(String::new())));
        assert_ne!(plain.expose().as_bytes(), hash.as_bytes());
        assert_eq!(format!("{plain:?} {hash:?}"), "PlainSecret(…) SecretHash(…)");
    }

    fn settings() -> ClientSettings {
        ClientSettings {
            name: "Orders".to_owned(),
            scopes: "read".parse().unwrap(),
            audiences: vec![AudienceId::parse("api").unwrap()],
            grants: [Grant::ClientCredentials].into_iter().collect(),
            roles: Vec::new(),
            alg: None,
            serves: Vec::new(),
            exchanges: Vec::new(),
            access_token_ttl: None,
            refresh_idle: None,
            refresh_absolute: None,
            dpop_bound: false,
            access_token_format: AccessTokenFormat::Signed,
            sign_in: SignInSettings::default(),
        }
    }

    // ADM-04: who may exchange, and for whom, is said by name.
    #[test]
    fn exchanging_needs_a_proof_and_somewhere_to_go() {
        let bills = AudienceId::parse_list("bills stock").unwrap();
        let grants: Grants = "client_credentials token_exchange".parse().unwrap();
        let good = ClientSettings { grants: grants.clone(), exchanges: bills.clone(), ..settings() };
        assert_eq!(good.check(true), Ok(()));
        let public = ClientSettings { grants: "token_exchange".parse().unwrap(), ..good.clone() };
        assert_eq!(public.check(false), Err(BadClient::Exchange));
        assert_eq!(ClientSettings { grants, ..settings() }.check(true), Err(BadClient::Exchange));
        assert_eq!(ClientSettings { exchanges: bills, ..settings() }.check(true), Err(BadClient::Exchange));
        let admin = ClientSettings { exchanges: AudienceId::parse_list("bills admin").unwrap(), ..good.clone() };
        assert_eq!(admin.check(true), Err(BadClient::ExchangeAdmin));
        let more = ClientSettings { exchanges: AudienceId::parse_list("mail bills stock").unwrap(), ..good.clone() };
        let less = ClientSettings { exchanges: AudienceId::parse_list("bills").unwrap(), ..good.clone() };
        assert_eq!((good.ended_by(&more), good.ended_by(&less)), (None, Some(End::Soft)));
    }

    // OAU-01
    #[test]
    fn codes_need_somewhere_to_go() {
        let uri = RedirectUri::parse("https://app.example/cb").unwrap();
        let code: Grants = [Grant::AuthorizationCode].into_iter().collect();
        let to = |uris: Vec<RedirectUri>| SignInSettings { redirect_uris: uris, ..SignInSettings::default() };
        let good = ClientSettings { grants: code.clone(), sign_in: to(vec![uri.clone()]), ..settings() };
        assert_eq!(good.check(false), Ok(()));
        let nowhere = ClientSettings { grants: code, ..settings() };
        assert_eq!(nowhere.check(false), Err(BadClient::Redirect));
        assert_eq!(
            ClientSettings { sign_in: to(vec![uri.clone()]), ..settings() }.check(true),
            Err(BadClient::Redirect)
        );
        let many = ClientSettings { sign_in: to(vec![uri; 33]), ..good.clone() };
        assert_eq!(many.check(false), Err(BadClient::Redirects));
        let secret = SignInSettings { id_token_alg: Some(Algorithm::HS256), ..good.sign_in.clone() };
        assert_eq!(ClientSettings { sign_in: secret, ..good }.check(false), Err(BadClient::SecretAlgorithm));
    }

    #[test]
    fn settings_are_checked() {
        assert_eq!(settings().check(true), Ok(()));
        assert_eq!(settings().check(false), Err(BadClient::PublicCredentials));
        for name in ["", " ", "a\nb", "bank\u{202e}elpmaxe", "bank\u{200b}", &"x".repeat(101)] {
            assert_eq!(ClientSettings { name: name.to_owned(), ..settings() }.check(true), Err(BadClient::Name));
        }
        assert_eq!(ClientSettings { audiences: vec![], ..settings() }.check(true), Err(BadClient::NoAudience));
        let secret = ClientSettings { alg: Some(Algorithm::HS256), ..settings() };
        assert_eq!(secret.check(true), Err(BadClient::SecretAlgorithm));
        let never = ClientSettings { refresh_idle: Some(Duration::ZERO), ..settings() };
        assert_eq!(never.check(true), Err(BadClient::Lifetime));
    }

    // OpenID Connect Core §8.1: what a pairwise client holds must not say who somebody is to others.
    #[test]
    fn a_pairwise_client_holds_nothing_that_it_can_read() {
        let sign_in = SignInSettings { sector: Some(Sector::parse("a.example").unwrap()), ..SignInSettings::default() };
        let pairwise =
            |access_token_format| ClientSettings { access_token_format, sign_in: sign_in.clone(), ..settings() };
        assert_eq!(pairwise(AccessTokenFormat::Signed).check(true), Err(BadClient::PairwiseFormat));
        assert_eq!(pairwise(AccessTokenFormat::Opaque).check(true), Ok(()));
        assert_eq!(pairwise(AccessTokenFormat::Encrypted).check(true), Ok(()));
        let grants = [Grant::FirstParty].into_iter().collect();
        let first = ClientSettings { grants, ..pairwise(AccessTokenFormat::Opaque) };
        assert_eq!(first.check(true), Err(BadClient::PairwiseFirstParty));
    }

    #[test]
    fn tokens_end_when_what_they_say_changes() {
        let old = settings();
        assert!(!old.outdated_by(&ClientSettings { name: "New".to_owned(), ..settings() }));
        assert!(!old.outdated_by(&ClientSettings { refresh_idle: Some(Duration::from_secs(9)), ..settings() }));
        assert!(old.outdated_by(&ClientSettings { scopes: Scope::default(), ..settings() }));
        // Tokens that are good without a key must not outlive the wish that there are none; bound ones may stay.
        let bound = ClientSettings { dpop_bound: true, ..settings() };
        assert!(old.outdated_by(&bound) && !bound.outdated_by(&old));
        // What holders could read or services could check for themselves must not be out there any more.
        assert!(old.outdated_by(&ClientSettings { access_token_format: AccessTokenFormat::Opaque, ..settings() }));
        assert!(old.outdated_by(&ClientSettings { roles: vec![Role::parse("x").unwrap()], ..settings() }));
    }

    proptest! {
        // TOK-20: the names of users and clients never meet.
        #[test]
        fn no_user_id_is_a_client_id(random: [u8; 16], text in "[a-z0-9._-]{1,30}") {
            prop_assert!(ClientId::parse(UserId::new(random).as_str()).is_err());
            if ClientId::parse(&text).is_ok() {
                prop_assert!(UserId::parse(&text).is_none());
            }
        }
    }
}
