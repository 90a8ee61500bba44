//! From authority to an access token, signed, opaque or encrypted: the last step of every grant.

use std::time::Duration;

use countersign_jose::{AccessClaims, Algorithm, profile::AccessToken};

use super::{dpop::Proven, error::OAuthError, token::AuthenticatedClient};
use crate::{
    app::App,
    domain::{
        access_token::{AccessGrant, AccessRefusal, Lifetime, OnBehalf, Subject, UserSubject, build, wished_ttl},
        audience::{self, AudienceRules, KeyChoice, enabled_scope, key_choice, recipient},
        client::AccessTokenFormat,
        exchange::{self, Exchanged},
        opaque_token::{self, PURPOSE, Reference},
        roles,
        rsn::Rsn,
        scope::Scope,
        session::Sid,
        time::Timestamp,
    },
    errors,
    store::{
        StoreError, Tx, audiences,
        clients::Client,
        sessions::{self, Authority, Granted},
    },
};

/// An access token.
#[derive(Debug)]
pub struct Issued {
    pub access_token: String,
    /// `DPoP` for a token that is bound to a key, else `Bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: i64,
    pub scope: String,
}

/// What is known before a grant's transaction: for whom the token will be, and for how long at most.
#[derive(Debug)]
pub struct Target {
    pub audiences: Vec<AudienceRules>,
    /// The wished lifetime, capped.
    pub ttl: Duration,
    /// The client's own algorithm.
    pub alg: Option<Algorithm>,
    pub format: AccessTokenFormat,
    /// Thumbprint of the key that the client proved: the token is bound to it.
    pub key: Option<String>,
    /// The time of the whole grant: what the session keeps as its tokens' latest `exp` must not be exceeded by signing later.
    pub now: Timestamp,
}

impl Target {
    /// Nothing is written yet: if no token could be signed, nothing is.
    ///
    /// # Errors
    /// `key-store-unavailable`: the key that would sign lies in a key store that does not answer.
    pub fn new(app: &App, client: &Client, audiences: Vec<AudienceRules>, now: Timestamp) -> Result<Self, OAuthError> {
        let wished = wished_ttl(app.config.access_token_ttl, client.settings.access_token_ttl, &audiences);
        let ttl = wished.min(app.config.access_token_ttl_cap);
        let (alg, format) = (client.settings.alg, client.settings.access_token_format);
        // What has no key is refused by what comes after.
        if let Ok(signer) = key_choice(&audiences, alg)
            .map_err(drop)
            .and_then(|choice| app.ring.snapshot().signer(choice).map_err(drop))
        {
            signer.ready()?;
        }
        Ok(Self { ttl, alg, format, audiences, key: None, now })
    }

    /// For a client that must prove a key, or has.
    ///
    /// # Errors
    /// `dpop-missing`: it must (RFC 9449, section 5.2), and has not.
    pub fn proved(mut self, client: &Client, proof: Option<&Proven>) -> Result<Self, OAuthError> {
        if client.settings.dpop_bound && proof.is_none() {
            return Err(errors::DPOP_MISSING.into());
        }
        self.key = proof.map(|proof| proof.thumbprint().to_owned());
        Ok(self)
    }

    /// Whether its token can be a browser's cookie, as far as the signature decides.
    pub fn fits_a_cookie(&self) -> bool {
        match key_choice(&self.audiences, self.alg) {
            _ if self.format == AccessTokenFormat::Opaque => true,
            Ok(KeyChoice::Ring(alg)) => audience::fits_a_cookie(alg),
            // A secret's tag is short; what has no key is refused by what comes after.
            Ok(KeyChoice::Audience(_)) | Err(_) => true,
        }
    }

    /// `exp` of the token, Unix seconds, unless its session ends before.
    pub fn exp(&self) -> i64 {
        self.now.plus(self.ttl).secs()
    }
}

/// Makes the access token of a session, after the commit, from the `authority` that its transaction read last. `head` was
/// read before the target's rules, and before the statement that opened or rotated the session (revocation rule R3).
/// `scope` narrows what the session has.
///
/// # Errors
/// `refresh-revoked` if the session ended meanwhile; `invalid-target` if an audience asks for a role that is missing.
pub async fn for_session(
    app: &App,
    authority: Option<Authority>,
    head: Rsn,
    target: &Target,
    scope: Option<&Scope>,
) -> Result<Issued, OAuthError> {
    let authority = authority.filter(Authority::stands).ok_or(errors::REFRESH_REVOKED)?;
    // However it got here: a session that is bound to a key gives no token to anybody else.
    if authority.dpop_jkt.is_some() && authority.dpop_jkt != target.key {
        return Err(OAuthError::new(errors::REFRESH_INVALID).log("the session is bound to another key"));
    }
    let said = Said::of(&authority, &target.audiences, scope)?;
    // The rules are those of `head`. Where a soft end of the client came after them, this token keeps the older number: it is
    // dead to every verifier, and the next refresh says what holds then.
    let rsn = if authority.token_rsn.client > head { head } else { authority.token_rsn(head) };
    let grant = AccessGrant {
        issuer: app.config.issuer.as_str(),
        subject: said.subject(&authority),
        client_id: &authority.client_id,
        audiences: &target.audiences,
        scope: &said.scope,
        roles: &said.roles,
        rsn: rsn.get(),
        key: target.key.as_deref(),
        on_behalf: None,
        lifetime: lifetime(app, target, Some(authority.expires_at)),
    };
    made(app, &grant, target).await
}

/// Makes a client's own access token (`client_credentials`).
///
/// # Errors
/// `invalid-target` if an audience asks for a role that the client does not have.
pub async fn for_client(
    app: &App,
    client: &AuthenticatedClient,
    target: &Target,
    scope: &Scope,
) -> Result<Issued, OAuthError> {
    let scope = enabled_scope(&target.audiences, scope).to_string();
    let roles: Vec<String> = client.settings.roles.iter().map(ToString::to_string).collect();
    let grant = AccessGrant {
        issuer: app.config.issuer.as_str(),
        subject: Subject::Client,
        client_id: client.id.as_str(),
        audiences: &target.audiences,
        scope: &scope,
        roles: &roles,
        // R3; there is no sign-in whose number could be higher.
        rsn: client.head().max(client.token_rsn).get(),
        key: target.key.as_deref(),
        on_behalf: None,
        lifetime: lifetime(app, target, None),
    };
    made(app, &grant, target).await
}

/// What a token is made of that is given in exchange for another.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The claims of the other, which were found to stand after the client's head was read.
    pub subject: &'a AccessClaims,
    /// What its session says; none for a client's own token.
    pub authority: Option<&'a Authority>,
    pub scope: &'a Scope,
    pub made: &'a Exchanged,
}

/// Signs the access token that a service gets for another (RFC 8693). Its number is the client's head (rule R3): what had ended
/// by then was seen, what ends later ends the token, and the token rests on the other besides.
///
/// # Errors
/// `invalid-target` if an audience asks for a role that the other token does not carry.
pub async fn for_exchange(
    app: &App,
    client: &AuthenticatedClient,
    target: &Target,
    exchange: &Exchange<'_>,
) -> Result<Issued, OAuthError> {
    let Exchange { subject, authority, scope, made: new } = exchange;
    let said = authority.map(|user| Said::of(user, &target.audiences, None)).transpose()?;
    let person = said.as_ref().zip(*authority).map(|(said, user)| said.subject(user));
    let held = said.as_ref().map_or(&subject.roles, |said| &said.roles);
    let scope = enabled_scope(&target.audiences, scope).to_string();
    let grant = AccessGrant {
        issuer: app.config.issuer.as_str(),
        subject: person.unwrap_or(Subject::OtherClient(&subject.sub)),
        client_id: client.id.as_str(),
        audiences: &target.audiences,
        scope: &scope,
        roles: &exchange::roles(subject, held),
        rsn: client.head().get(),
        key: target.key.as_deref(),
        on_behalf: Some(OnBehalf { act: &new.act, rests_on: &new.rests_on }),
        lifetime: lifetime(app, target, Some(Timestamp::from_secs(new.until))),
    };
    made(app, &grant, target).await
}

/// What of a session's tokens has to be put together first.
#[derive(Debug)]
pub struct Said {
    pub scope: String,
    pub roles: Vec<String>,
    amr: Vec<String>,
}

impl Said {
    /// What a token for these audiences may say now; `narrowed` cuts its scope further.
    ///
    /// # Errors
    /// `internal`: what is stored is malformed.
    pub fn of(authority: &Authority, to: &[AudienceRules], narrowed: Option<&Scope>) -> Result<Self, OAuthError> {
        let names: Vec<&str> = to.iter().map(|rules| rules.audience.as_str()).collect();
        Ok(Self {
            scope: enabled_scope(to, &granted_scope(authority, narrowed)?).to_string(),
            roles: roles::effective(&authority.roles, &names),
            amr: authority.amr.split_ascii_whitespace().map(str::to_owned).collect(),
        })
    }

    pub fn subject<'a>(&'a self, authority: &'a Authority) -> Subject<'a> {
        Subject::User(UserSubject {
            user_id: &authority.user_id,
            sid: authority.sid.as_str(),
            auth_time: authority.auth_time,
            amr: &self.amr,
            acr: &authority.acr,
            attributes: &authority.attributes,
            organisation: authority.organisation.as_deref(),
        })
    }
}

async fn made(app: &App, grant: &AccessGrant<'_>, target: &Target) -> Result<Issued, OAuthError> {
    let jti = app.random.bytes()?;
    let claims = build(grant, target.now, jti).map_err(refused)?;
    let access_token = match target.format {
        AccessTokenFormat::Signed => signed(app, &claims, target).await?,
        AccessTokenFormat::Opaque => opaque(app, &claims, jti)?,
        AccessTokenFormat::Encrypted => {
            let to = recipient(&target.audiences).map_err(|refusal| refused(refusal.into()))?;
            to.encrypt(&signed(app, &claims, target).await?).map_err(|error| broken(&error))?
        }
    };
    let token_type = if claims.cnf.is_some() { "DPoP" } else { "Bearer" };
    Ok(Issued { access_token, token_type, expires_in: claims.exp - claims.iat, scope: grant.scope.to_owned() })
}

async fn signed(app: &App, claims: &AccessClaims, target: &Target) -> Result<String, OAuthError> {
    let choice = key_choice(&target.audiences, target.alg).map_err(|refusal| refused(refusal.into()))?;
    let key = app.ring.snapshot().signer(choice).map_err(|error| broken(&error))?;
    Ok(key.sign::<AccessToken>(claims).await?)
}

/// A reference to what the claims say; `/introspect` makes them again from what the store says then.
fn opaque(app: &App, claims: &AccessClaims, jti: [u8; 16]) -> Result<String, OAuthError> {
    let confirmation = |cnf: &serde_json::Value| cnf["jkt"].as_str().map(str::to_owned);
    let ring = app.ring.snapshot();
    let key = ring.mac_keys().derived(PURPOSE).next();
    let (id, key) = key.ok_or_else(|| broken(&"the key ring has no key for it"))?;
    let reference = Reference {
        key: id,
        jti: claims.jti.clone(),
        client_id: claims.client_id.clone(),
        sid: claims.sid.as_deref().and_then(Sid::parse),
        audiences: claims.aud.iter().map(str::to_owned).collect(),
        scope: claims.scope.clone().unwrap_or_default(),
        jkt: claims.cnf.as_ref().and_then(confirmation),
        rsn: claims.rsn.unwrap_or_default(),
        iat: claims.iat,
        exp: claims.exp,
    };
    opaque_token::seal(&key, jti, &reference).map_err(|error| broken(&error))
}

fn broken(error: &dyn std::fmt::Display) -> OAuthError {
    OAuthError::new(errors::INTERNAL).log(error.to_string())
}

fn lifetime(app: &App, target: &Target, session_end: Option<Timestamp>) -> Lifetime {
    Lifetime { ttl: target.ttl, cap: app.config.access_token_ttl_cap, session_end }
}

/// What the token may say now: what the session has, cut to what the client may still ask for (TOK-21).
fn granted_scope(authority: &Authority, narrowed: Option<&Scope>) -> Result<Scope, OAuthError> {
    let stored = |text: &str| {
        text.parse::<Scope>().map_err(|_| OAuthError::new(errors::INTERNAL).log("a stored scope is malformed"))
    };
    let session = stored(&authority.scope)?;
    let allowed = session.intersect(&stored(&authority.client_scopes)?);
    Ok(narrowed.map_or_else(|| allowed.clone(), |wanted| allowed.intersect(wanted)))
}

/// What the client hears of it.
pub fn refused(refusal: AccessRefusal) -> OAuthError {
    match refusal {
        AccessRefusal::Audience(refusal) => OAuthError::new(errors::INVALID_TARGET).detail(refusal.to_string()),
        AccessRefusal::TooManyRights => OAuthError::new(errors::INVALID_TARGET).detail(refusal.to_string()),
        AccessRefusal::NoLifetime => errors::REFRESH_EXPIRED.into(),
    }
}

/// What a session was granted.
#[derive(Debug)]
pub struct OfSession {
    pub scope: Scope,
    /// Of its audiences.
    pub rules: Vec<AudienceRules>,
    pub user_id: String,
    /// The organisation that it speaks for.
    pub organisation: Option<String>,
}

/// What a session was granted, with the rules of its audiences; `None` if there is no such session.
///
/// # Errors
/// As any statement; `Broken` if what is stored is malformed.
pub async fn rules_of_session(tx: &mut Tx, sid: &Sid) -> Result<Option<OfSession>, StoreError> {
    let Some(granted) = sessions::granted(tx, sid).await? else { return Ok(None) };
    of_session(tx, granted, None).await.map(Some)
}

/// What was granted, with the rules of its audiences, which are read if they are not known.
///
/// # Errors
/// As [`rules_of_session`].
pub async fn of_session(tx: &mut Tx, granted: Granted, known: Option<AudienceRules>) -> Result<OfSession, StoreError> {
    let scope = granted.scope.parse().map_err(|_| StoreError::Broken("a stored scope is malformed".to_owned()))?;
    let rules = match known {
        Some(known) => vec![known],
        None => rules(tx, &granted.audience.split_ascii_whitespace().collect::<Vec<_>>()).await?,
    };
    Ok(OfSession { scope, rules, user_id: granted.user_id, organisation: granted.organisation })
}

/// The rules of these audiences, in their order; a name that has no row is left out.
///
/// # Errors
/// As any statement.
pub async fn rules(tx: &mut Tx, names: &[&str]) -> Result<Vec<AudienceRules>, StoreError> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        found.extend(audiences::rules(tx, name).await?);
    }
    Ok(found)
}
