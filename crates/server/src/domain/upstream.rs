//! Other OpenID providers that people sign in with: where one is, and what its answers must be for somebody to be known by
//! them (OpenID Connect Core §3.1.2, §3.1.3; RFC 9207; RFC 9700 §4.4).

use std::{fmt, time::Duration};

use countersign_jose::{Error, IdClaims, JwkSet, Verified, Verifier, VerifyingKey, b64, profile::IdToken};
use serde::{Deserialize, Serialize};

use super::{
    browser::RequestName,
    code::Challenge,
    email::Email,
    logout_uri::{BadLogoutUri, LogoutUri},
    time::Timestamp,
    user::UserId,
};

/// How long a person may be away.
pub const PATIENCE: Duration = Duration::from_mins(15);
/// How far the clocks of two providers may differ when the other one says when its person signed in.
const CLOCKS: Duration = Duration::from_mins(1);
/// The longest subject, bytes (OpenID Connect Core §2).
const MAX_SUBJECT: usize = 255;
/// How much of what an upstream says goes into the log, characters.
const MAX_QUOTE: usize = 64;

/// The name of an upstream, as addresses carry it: 1 to 40 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamName(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 40 of a-z, 0-9 and -")]
pub struct BadUpstreamName;

impl UpstreamName {
    /// # Errors
    /// [`BadUpstreamName`]
    pub fn parse(text: &str) -> Result<Self, BadUpstreamName> {
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=40).contains(&text.len()) && text.bytes().all(good);
        if fits { Ok(Self(text.to_owned())) } else { Err(BadUpstreamName) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UpstreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An upstream as an administrator registered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    pub name: UpstreamName,
    /// For people: "Continue with …".
    pub label: String,
    /// Its issuer identifier, byte for byte.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// Our secret there, sealed by the key provider; `None`: we are a public client.
    pub sealed_secret: Option<Vec<u8>>,
    /// Whether a person who is not known yet gets an account.
    pub signup: bool,
    pub created_at: Timestamp,
}

/// What our secret at an upstream is sealed for: moved to another row, it does not open.
pub fn secret_context(name: &UpstreamName) -> String {
    format!("upstream-secret:{name}")
}

/// What an upstream says of itself (OpenID Connect Discovery §3). Only [`read`](Self::read) makes one, and
/// [`stored`](Self::stored) of one that was read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Metadata {
    issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Why somebody whom an upstream knows has no account here that it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAccount {
    /// It is disabled.
    Unusable,
    /// The upstream names no address that it has verified.
    NoAddress,
    None,
}

/// Why nobody is known by what an upstream answered. For the log; the person hears that it did not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("its metadata cannot be read: {0}")]
    Metadata(String),
    #[error("its metadata are those of another issuer, {0:?}")]
    OtherIssuer(String),
    #[error("{0:?} {BadLogoutUri}")]
    Address(String),
    /// RFC 6749 §4.1.2.1
    #[error("it answered {0:?}")]
    Declined(String),
    #[error("the answer came from another issuer than the one that was asked (RFC 9207)")]
    MixUp,
    #[error("it sent no code")]
    NoCode,
    #[error("its answer cannot be read: {0}")]
    Answer(String),
    #[error("its ID token is refused: {}", quoted(&.0.to_string(), 4 * MAX_QUOTE))]
    IdToken(Error),
    #[error("its ID token is not for this sign-in: {0}")]
    Claims(&'static str),
}

/// The beginning of what an upstream says: whoever answers at its address could write a log full otherwise.
pub fn short(text: &str) -> String {
    quoted(text, MAX_QUOTE)
}

fn quoted(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

/// Where the metadata of an issuer are.
pub fn metadata_uri(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// Whether an issuer can be one: it is called, and people are sent there.
pub fn is_callable(uri: &str) -> bool {
    LogoutUri::parse(uri).is_ok()
}

/// How the token endpoint is told who asks (OpenID Connect Core §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretGoes {
    InHeader,
    InForm,
}

impl Metadata {
    /// # Errors
    /// [`Refused`]
    pub fn read(json: &[u8], issuer: &str) -> Result<Self, Refused> {
        let unread = |error: serde_json::Error| Refused::Metadata(short(&error.to_string()));
        let metadata: Self = serde_json::from_slice(json).map_err(unread)?;
        if metadata.issuer != issuer {
            return Err(Refused::OtherIssuer(short(&metadata.issuer)));
        }
        let addresses = [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        let bad = addresses.into_iter().chain(&metadata.userinfo_endpoint).find(|address| !is_callable(address));
        bad.map_or(Ok(()), |address| Err(Refused::Address(short(address))))?;
        Ok(metadata)
    }

    /// What was read when somebody left, and kept until they come back. `None` for what is not that.
    pub fn stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text that the store keeps.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Where our secret goes; the header, unless the upstream knows only the form.
    pub fn secret_goes(&self) -> SecretGoes {
        let known = self.token_endpoint_auth_methods_supported.as_deref();
        let has = |method: &str| known.is_some_and(|known| known.iter().any(|name| name == method));
        if has("client_secret_post") && !has("client_secret_basic") { SecretGoes::InForm } else { SecretGoes::InHeader }
    }

    /// The address that the person goes to.
    pub fn authorize(&self, trip: &Trip, client_id: &str, redirect_uri: &str, login_hint: Option<&str>) -> String {
        let challenge = Challenge::of_verifier(&trip.verifier).map(|challenge| b64::encode(challenge.as_bytes()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", redirect_uri),
            ("scope", "openid email"),
            ("state", trip.name.as_str()),
            ("nonce", &trip.nonce),
            ("code_challenge", &challenge.unwrap_or_default()),
            ("code_challenge_method", "S256"),
        ]);
        // Asked in both ways: with `max_age` the provider must say when it was (OpenID Connect Core §2).
        let anew = [("prompt", "login"), ("max_age", "0")];
        query.extend_pairs(anew.into_iter().filter(|_| trip.fresh));
        query.extend_pairs(login_hint.map(|hint| ("login_hint", hint)));
        let separator = if self.authorization_endpoint.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.authorization_endpoint, query.finish())
    }

    /// The code of an answer.
    ///
    /// # Errors
    /// [`Refused::MixUp`], [`Refused::Declined`], [`Refused::NoCode`].
    pub fn code<'a>(&self, get: impl Fn(&str) -> Option<&'a str>) -> Result<&'a str, Refused> {
        match get("iss") {
            Some(iss) if iss != self.issuer => return Err(Refused::MixUp),
            None if self.authorization_response_iss_parameter_supported => return Err(Refused::MixUp),
            _ => {}
        }
        if let Some(error) = get("error") {
            return Err(Refused::Declined(short(error)));
        }
        get("code").ok_or(Refused::NoCode)
    }
}

/// A person who is away, at an upstream. It is of use in the browser that left alone, and once.
#[derive(Clone, PartialEq, Eq)]
pub struct Trip {
    /// Its `state`.
    pub name: RequestName,
    /// Hash of the browser's pre-session.
    pub browser: [u8; 32],
    /// What they sign in for, as pages name it.
    pub request: String,
    pub upstream: UpstreamName,
    /// What the upstream said of itself when they left: whoever answers there is the one that was asked.
    pub metadata: Metadata,
    pub nonce: String,
    /// PKCE (RFC 7636).
    pub verifier: String,
    /// Whether the person must sign in there now, whatever they did before.
    pub fresh: bool,
    pub created_at: Timestamp,
}

impl fmt::Debug for Trip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trip").field("upstream", &self.upstream).field("fresh", &self.fresh).finish_non_exhaustive()
    }
}

/// Who somebody is at an upstream: never anything but these two (OpenID Connect Core §5.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
}

/// Somebody whose address an account has: it may be theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub identity: Identity,
    pub user: UserId,
}

/// What an upstream says of the person who came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    pub identity: Identity,
    /// One that the upstream has verified. Any other is left out: nothing may follow from an address that somebody only
    /// typed in there, neither an account of that name nor whether there is one here.
    pub email: Option<Email>,
    /// When they signed in there; not later than now.
    pub auth_time: Timestamp,
}

/// The upstream's claims about an address, in the ID token or at its UserInfo.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct EmailClaims {
    sub: Option<String>,
    email: Option<String>,
    /// Some providers send a text.
    email_verified: Option<serde_json::Value>,
}

impl EmailClaims {
    /// The address, if it is said to be verified.
    fn verified(&self) -> Option<Email> {
        let value = self.email_verified.as_ref()?;
        let verified = value.as_bool() == Some(true) || value.as_str() == Some("true");
        Email::parse(self.email.as_deref().filter(|_| verified)?).ok()
    }
}

impl Arrival {
    /// Adds what UserInfo says, if the ID token named no verified address. Claims about somebody else are ignored (OpenID Connect
    /// Core §5.3.2).
    #[must_use]
    pub fn with(mut self, claims: &EmailClaims) -> Self {
        if self.email.is_none() && claims.sub.as_deref() == Some(&self.identity.subject) {
            self.email = claims.verified();
        }
        self
    }
}

/// Checks an upstream's ID token (OpenID Connect Core §3.1.3.7).
///
/// # Errors
/// [`Refused`]
pub fn arrival(
    id_token: &str,
    keys: &JwkSet,
    upstream: &Upstream,
    trip: &Trip,
    now: Timestamp,
) -> Result<Arrival, Refused> {
    let claims = verified(id_token, keys, upstream, now).map_err(Refused::IdToken)?;
    if claims.nonce.as_deref() != Some(&trip.nonce) {
        return Err(Refused::Claims("another nonce"));
    }
    let several = claims.aud.iter().nth(1).is_some();
    if claims.azp.as_ref().map_or(several, |azp| *azp != upstream.client_id) {
        return Err(Refused::Claims("issued to another client (azp)"));
    }
    if claims.sub.len() > MAX_SUBJECT {
        return Err(Refused::Claims("a subject of more than 255 bytes"));
    }
    let signed_in = claims.auth_time.map(Timestamp::from_secs);
    if trip.fresh && signed_in.is_none_or(|at| at < trip.created_at.minus(CLOCKS)) {
        return Err(Refused::Claims("the person did not sign in there anew (auth_time)"));
    }
    let extra = serde_json::Value::Object(claims.extra.clone().into_iter().collect());
    let email: EmailClaims = serde_json::from_value(extra).unwrap_or_default();
    let identity = Identity { issuer: claims.iss, subject: claims.sub };
    // Anew means after they left, whatever the other clock says.
    let earliest = if trip.fresh { trip.created_at } else { Timestamp::from_secs(0) };
    let auth_time = signed_in.map_or(now, |at| at.max(earliest).min(now));
    Ok(Arrival { identity, email: email.verified(), auth_time })
}

/// The claims of an ID token that one of these public keys signed, for us, by an algorithm that the key has.
fn verified(id_token: &str, keys: &JwkSet, upstream: &Upstream, now: Timestamp) -> Result<IdClaims, Error> {
    let policy = Verifier::<IdToken>::builder().issuer(&*upstream.issuer).audience(&*upstream.client_id).policy();
    let token = policy.parse(id_token)?;
    let named = keys.keys.iter().filter(|jwk| token.kid().is_none_or(|kid| jwk.kid() == Some(kid)));
    let key = named.filter_map(|jwk| VerifyingKey::from_jwk_as(jwk, token.alg()).ok()).next();
    let key = key.ok_or_else(|| Error::UnknownKey { kid: token.kid().map(Into::into) })?;
    policy.check(&token.verify_signature(&key)?, now.secs()).map(Verified::into_inner)
}

#[cfg(test)]
mod tests {
    use countersign_jose::{Algorithm, Jwk, SigningKey, sign};
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
    const ISSUER: &str = "https://other.example";

    fn upstream() -> Upstream {
        Upstream {
            name: UpstreamName::parse("other").unwrap(),
            label: "Other".into(),
            issuer: ISSUER.into(),
            client_id: "us".into(),
            sealed_secret: None,
            signup: true,
            created_at: NOW,
        }
    }

    fn trip(fresh: bool) -> Trip {
        Trip {
            name: RequestName::new(&[1; 16]),
            browser: [2; 32],
            request: "r-1".into(),
            upstream: upstream().name,
            metadata: read(&metadata()).unwrap(),
            nonce: "n-1".into(),
            verifier: "v".repeat(43),
            fresh,
            created_at: NOW,
        }
    }

    fn claims() -> IdClaims {
        IdClaims {
            iss: ISSUER.into(),
            sub: "person".into(),
            aud: "us".into(),
            iat: NOW.secs(),
            exp: NOW.secs() + 300,
            nonce: Some("n-1".into()),
            ..IdClaims::default()
        }
    }

    fn key() -> SigningKey {
        SigningKey::generate(Algorithm::ES256, "k").unwrap()
    }

    fn judged(key: &SigningKey, claims: &IdClaims, trip: &Trip) -> Result<Arrival, Refused> {
        let set = JwkSet::from(vec![key.public_jwk().unwrap()]);
        arrival(&sign::<IdToken>(key, claims).unwrap(), &set, &upstream(), trip, NOW)
    }

    fn metadata() -> Value {
        json!({
            "issuer": ISSUER, "authorization_endpoint": "https://other.example/auth?tenant=a",
            "token_endpoint": "https://other.example/token", "jwks_uri": "https://keys.example/jwks",
        })
    }

    fn read(metadata: &Value) -> Result<Metadata, Refused> {
        Metadata::read(metadata.to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn a_person_is_issuer_and_subject() {
        let mut good = claims();
        good.extra.insert("email".into(), json!("ada@example.com"));
        good.extra.insert("email_verified".into(), json!("true"));
        let came = judged(&key(), &good, &trip(false)).unwrap();
        assert_eq!(came.identity, Identity { issuer: ISSUER.into(), subject: "person".into() });
        assert_eq!((came.email.unwrap().as_str(), came.auth_time), ("ada@example.com", NOW));
        let earlier = IdClaims { auth_time: Some(NOW.secs() - 900), ..claims() };
        assert_eq!(judged(&key(), &earlier, &trip(false)).unwrap().auth_time, Timestamp::from_secs(NOW.secs() - 900));
        let ahead = IdClaims { auth_time: Some(NOW.secs() + 900), ..claims() };
        assert_eq!(judged(&key(), &ahead, &trip(false)).unwrap().auth_time, NOW, "nobody signed in later than now");
    }

    // LOG-05, LOG-13: nothing follows from an address that nobody has verified.
    #[test]
    fn an_address_that_is_not_verified_is_none() {
        for verified in [json!(false), json!("false"), json!(null), json!(1), json!("yes"), json!("True")] {
            let mut said = claims();
            said.extra.insert("email".into(), json!("ada@example.com"));
            said.extra.insert("email_verified".into(), verified.clone());
            assert_eq!(judged(&key(), &said, &trip(false)).unwrap().email, None, "{verified}");
        }
        let mut said = claims();
        said.extra.insert("email".into(), json!("ada@example.com"));
        assert_eq!(judged(&key(), &said, &trip(false)).unwrap().email, None);
    }

    // OpenID Connect Core §3.1.3.7, each rule by itself.
    #[test]
    fn an_id_token_that_is_not_for_this_sign_in_proves_nobody() {
        let refused = |claims: &IdClaims| judged(&key(), claims, &trip(false)).unwrap_err();
        let token = |claims: &IdClaims| matches!(refused(claims), Refused::IdToken(_));
        assert!(token(&IdClaims { iss: "https://evil.example".into(), ..claims() }));
        assert!(token(&IdClaims { aud: "somebody".into(), ..claims() }));
        assert!(token(&IdClaims { exp: NOW.secs() - 60, ..claims() }));
        for nonce in [None, Some("n-2".into()), Some(String::new())] {
            assert_eq!(refused(&IdClaims { nonce, ..claims() }), Refused::Claims("another nonce"));
        }
        let two = || vec!["us".to_owned(), "them".to_owned()].into();
        for (aud, azp) in [(two(), None), (two(), Some("them")), ("us".into(), Some("them"))] {
            let other = IdClaims { aud, azp: azp.map(Into::into), ..claims() };
            assert_eq!(refused(&other), Refused::Claims("issued to another client (azp)"));
        }
        assert!(judged(&key(), &IdClaims { aud: two(), azp: Some("us".into()), ..claims() }, &trip(false)).is_ok());
        let long = IdClaims { sub: "s".repeat(256), ..claims() };
        assert!(matches!(refused(&long), Refused::Claims(_)));
    }

    // `prompt=login` is only worth what `auth_time` shows.
    #[test]
    fn who_must_sign_in_anew_must_have_done_so() {
        let at = |auth_time: Option<i64>| judged(&key(), &IdClaims { auth_time, ..claims() }, &trip(true));
        assert!(at(Some(NOW.secs())).is_ok());
        assert!(at(Some(NOW.secs() - 60)).is_ok());
        for old in [None, Some(NOW.secs() - 61), Some(0)] {
            assert!(matches!(at(old), Err(Refused::Claims(_))), "{old:?}");
        }
    }

    #[test]
    fn a_key_may_name_no_algorithm_and_another_key_is_none() {
        let (mine, theirs) = (key(), key());
        let mut jwk = serde_json::to_value(mine.public_jwk().unwrap()).unwrap();
        jwk.as_object_mut().unwrap().remove("alg");
        let open = JwkSet::from(vec![Jwk::parse(jwk.to_string().as_bytes()).unwrap()]);
        let token = |key: &SigningKey| sign::<IdToken>(key, &claims()).unwrap();
        assert!(arrival(&token(&mine), &open, &upstream(), &trip(false), NOW).is_ok());
        assert!(arrival(&token(&theirs), &open, &upstream(), &trip(false), NOW).is_err());
        assert!(arrival(&token(&mine), &JwkSet::default(), &upstream(), &trip(false), NOW).is_err());
        let secret = SigningKey::hmac(Algorithm::HS256, "k", &[7; 32]).unwrap();
        assert!(
            arrival(&token(&secret), &open, &upstream(), &trip(false), NOW).is_err(),
            "a shared secret is no key of it"
        );
    }

    #[test]
    fn metadata_are_the_issuers_own() {
        assert!(read(&metadata()).is_ok());
        let with = |name: &str, value: Value| {
            let mut changed = metadata();
            changed[name] = value;
            read(&changed)
        };
        assert!(matches!(with("issuer", json!("https://other.example/")), Err(Refused::OtherIssuer(_))));
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            for bad in ["http://other.example/x", "javascript:alert(1)", "/token", "https://me@other.example/x"] {
                assert!(matches!(with(name, json!(bad)), Err(Refused::Address(_))), "{name} {bad}");
            }
        }
        assert!(matches!(with("token_endpoint", Value::Null), Err(Refused::Metadata(_))));
        let good = read(&metadata()).unwrap();
        assert_eq!(Metadata::stored(&good.to_json()), Some(good));
        // AUD-03: what it says cannot fill a log.
        for (name, value) in [("issuer", "x".repeat(9999)), ("token_endpoint", "y".repeat(9999))] {
            let words = with(name, json!(value)).unwrap_err().to_string();
            assert!(words.len() < 300, "{words}");
        }
        assert!(with("token_endpoint", json!({ "z".repeat(9999): 1 })).unwrap_err().to_string().len() < 300);
        let methods = |methods: Value| with("token_endpoint_auth_methods_supported", methods).unwrap().secret_goes();
        assert_eq!(methods(Value::Null), SecretGoes::InHeader);
        assert_eq!(methods(json!(["client_secret_post"])), SecretGoes::InForm);
        assert_eq!(methods(json!(["client_secret_post", "client_secret_basic"])), SecretGoes::InHeader);
        assert_eq!(metadata_uri("https://a.example/x/"), "https://a.example/x/.well-known/openid-configuration");
    }

    // RFC 9207
    #[test]
    fn an_answer_of_another_issuer_is_none() {
        let plain = read(&metadata()).unwrap();
        let mut telling = metadata();
        telling["authorization_response_iss_parameter_supported"] = json!(true);
        let telling = read(&telling).unwrap();
        let answer = |iss: Option<&'static str>| {
            move |name: &str| match name {
                "code" => Some("c"),
                "iss" => iss,
                _ => None,
            }
        };
        assert_eq!(plain.code(answer(None)), Ok("c"));
        assert_eq!(plain.code(answer(Some(ISSUER))), Ok("c"));
        assert_eq!(telling.code(answer(Some(ISSUER))), Ok("c"));
        assert_eq!(telling.code(answer(None)), Err(Refused::MixUp));
        for metadata in [&plain, &telling] {
            assert_eq!(metadata.code(answer(Some("https://evil.example"))), Err(Refused::MixUp));
        }
        assert_eq!(plain.code(|_| None), Err(Refused::NoCode));
        let declined = plain.code(|name| (name == "error").then_some("access_denied"));
        assert_eq!(declined, Err(Refused::Declined("access_denied".into())));
    }

    #[test]
    fn the_request_carries_pkce_state_and_nonce() {
        let uri = read(&metadata()).unwrap().authorize(&trip(true), "us", "https://id.example/cb", Some("a&b@c"));
        let query = uri.strip_prefix("https://other.example/auth?tenant=a&").unwrap();
        let get = |name: &str| {
            let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        assert_eq!((&*get("state"), &*get("nonce")), (trip(true).name.as_str(), "n-1"));
        assert_eq!((&*get("prompt"), &*get("login_hint")), ("login", "a&b@c"));
        assert_eq!((get("code_challenge").len(), &*get("code_challenge_method")), (43, "S256"));
        assert!(!format!("{:?}", trip(true)).contains("vvv"), "a verifier does not print");
    }

    #[test]
    fn userinfo_adds_an_address_of_the_same_person_alone() {
        let came = || judged(&key(), &claims(), &trip(false)).unwrap();
        let said =
            |sub: &str| serde_json::from_value(json!({"sub": sub, "email": "a@b.example", "email_verified": true}));
        assert_eq!(came().with(&said("person").unwrap()).email.unwrap().as_str(), "a@b.example");
        assert_eq!(came().with(&said("another").unwrap()).email, None);
        let typed = json!({"sub": "person", "email": "a@b.example", "email_verified": false});
        assert_eq!(came().with(&serde_json::from_value(typed).unwrap()).email, None);
    }

    #[test]
    fn a_name_fits_into_an_address() {
        for good in ["a", "other-1"] {
            assert_eq!(UpstreamName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "A", "a b", "a/b", "ä", &"a".repeat(41)] {
            assert_eq!(UpstreamName::parse(bad), Err(BadUpstreamName), "{bad}");
        }
    }
}
