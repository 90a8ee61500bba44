//! From authority to a signed access token: the last step of every grant.

use std::time::Duration;

use countersign_jose::{Algorithm, profile::AccessToken, sign};

use super::{dpop::Proven, error::OAuthError, token::AuthenticatedClient};
use crate::{
    app::App,
    domain::{
        access_token::{AccessGrant, AccessRefusal, Lifetime, Subject, UserSubject, build, wished_ttl},
        audience::{self, AudienceRules, KeyChoice, enabled_scope, key_choice},
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
        sessions::{self, Authority},
    },
};

/// A signed access token.
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
    /// Thumbprint of the key that the client proved: the token is bound to it.
    pub key: Option<String>,
    /// The time of the whole grant: what the session keeps as its tokens' latest `exp` must not be exceeded by signing later.
    pub now: Timestamp,
}

impl Target {
    pub fn new(app: &App, client: &Client, audiences: Vec<AudienceRules>, now: Timestamp) -> Self {
        let wished = wished_ttl(app.config.access_token_ttl, client.settings.access_token_ttl, &audiences);
        let ttl = wished.min(app.config.access_token_ttl_cap);
        Self { ttl, alg: client.settings.alg, audiences, key: None, now }
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

/// Signs the access token of a session, after the commit, from the `authority` that its transaction read last. `head` was
/// read before the target's rules, and before the statement that opened or rotated the session (revocation rule R3).
/// `scope` narrows what the session has.
///
/// # Errors
/// `refresh-revoked` if the session ended meanwhile; `invalid-target` if an audience asks for a role that is missing.
pub fn for_session(
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
    let granted = enabled_scope(&target.audiences, &granted_scope(&authority, scope)?).to_string();
    let names: Vec<&str> = target.audiences.iter().map(|rules| rules.audience.as_str()).collect();
    let roles = roles::effective(&authority.roles, &names);
    let amr: Vec<String> = authority.amr.split_ascii_whitespace().map(str::to_owned).collect();
    // The rules are those of `head`. Where a soft end of the client came after them, this token keeps the older number: it is
    // dead to every verifier, and the next refresh says what holds then.
    let rsn = if authority.token_rsn.client > head { head } else { authority.token_rsn(head) };
    let subject = Subject::User(UserSubject {
        user_id: &authority.user_id,
        sid: authority.sid.as_str(),
        auth_time: authority.auth_time,
        amr: &amr,
        acr: &authority.acr,
        attributes: &authority.attributes,
    });
    let grant = AccessGrant {
        issuer: app.config.issuer.as_str(),
        subject,
        client_id: &authority.client_id,
        audiences: &target.audiences,
        scope: &granted,
        roles: &roles,
        rsn: rsn.get(),
        key: target.key.as_deref(),
        lifetime: lifetime(app, target, Some(authority.expires_at)),
    };
    signed(app, &grant, target)
}

/// Signs a client's own access token (`client_credentials`).
///
/// # Errors
/// `invalid-target` if an audience asks for a role that the client does not have.
pub fn for_client(
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
        lifetime: lifetime(app, target, None),
    };
    signed(app, &grant, target)
}

fn signed(app: &App, grant: &AccessGrant<'_>, target: &Target) -> Result<Issued, OAuthError> {
    let claims = build(grant, target.now, app.random.bytes()?).map_err(refused)?;
    let choice = key_choice(grant.audiences, target.alg).map_err(|refusal| refused(refusal.into()))?;
    let broken = |error: &dyn std::fmt::Display| OAuthError::new(errors::INTERNAL).log(error.to_string());
    let key = app.ring.snapshot().signer(choice).map_err(|error| broken(&error))?;
    let access_token = sign::<AccessToken>(&key, &claims).map_err(|error| broken(&error))?;
    let token_type = if claims.cnf.is_some() { "DPoP" } else { "Bearer" };
    Ok(Issued { access_token, token_type, expires_in: claims.exp - claims.iat, scope: grant.scope.to_owned() })
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

fn refused(refusal: AccessRefusal) -> OAuthError {
    match refusal {
        AccessRefusal::Audience(refusal) => OAuthError::new(errors::INVALID_TARGET).detail(refusal.to_string()),
        AccessRefusal::NoLifetime => errors::REFRESH_EXPIRED.into(),
    }
}

/// What a session was granted, and the rules of its audiences; `None` if there is no such session.
///
/// # Errors
/// As any statement; `Broken` if what is stored is malformed.
pub async fn rules_of_session(tx: &mut Tx, sid: &Sid) -> Result<Option<(Scope, Vec<AudienceRules>)>, StoreError> {
    let Some(granted) = sessions::granted(tx, sid).await? else { return Ok(None) };
    let scope = granted.scope.parse().map_err(|_| StoreError::Broken("a stored scope is malformed".to_owned()))?;
    let names: Vec<&str> = granted.audience.split_ascii_whitespace().collect();
    Ok(Some((scope, rules(tx, &names).await?)))
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
