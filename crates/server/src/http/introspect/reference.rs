//! What an opaque access token says: the claims that a signed one would carry, made anew from what the store says now.

use std::time::Duration;

use countersign_jose::{Algorithm, SigningInput, b64, profile::AccessToken};

use crate::{
    app::App,
    domain::{
        access_token::{AccessGrant, Lifetime, Subject, build},
        audience::{AudienceRules, enabled_scope},
        client::ClientId,
        opaque_token::Reference,
        scope::Scope,
        time::Timestamp,
    },
    errors,
    http::{
        error::OAuthError,
        issue::{self, Said},
    },
    store::{
        StoreError, Tx,
        clients::{self, Client},
        sessions::{self, Authority},
    },
};

/// What a reference leads to, read in one snapshot.
#[derive(Debug)]
pub struct Behind {
    holder: Holder,
    rules: Vec<AudienceRules>,
}

#[derive(Debug)]
enum Holder {
    Session(Box<Authority>),
    Client(Box<Client>),
}

/// `None` if the session or the client is not there any more.
///
/// # Errors
/// As any statement.
pub async fn load(tx: &mut Tx, reference: &Reference) -> Result<Option<Behind>, StoreError> {
    let holder = match (&reference.sid, ClientId::parse(&reference.client_id)) {
        (Some(sid), _) => sessions::authority(tx, sid).await?.map(|found| Holder::Session(Box::new(found))),
        (None, Ok(id)) => clients::by_id(tx, &id).await?.map(|found| Holder::Client(Box::new(found))),
        (None, Err(_)) => None,
    };
    let Some(holder) = holder else { return Ok(None) };
    let names: Vec<&str> = reference.audiences.iter().map(String::as_str).collect();
    Ok(Some(Behind { holder, rules: issue::rules(tx, &names).await? }))
}

/// The claims as the JSON text of a token's payload; `None` if nobody would be given such a token any more.
///
/// # Errors
/// `internal`
pub fn payload(app: &App, reference: &Reference, behind: &Behind) -> Result<Option<Vec<u8>>, OAuthError> {
    let broken = |why: &str| OAuthError::new(errors::INTERNAL).log(why);
    let narrowed: Scope = reference.scope.parse().map_err(|_| broken("a scope is malformed"))?;
    let ttl = Duration::from_secs(u64::try_from(reference.exp - reference.iat).unwrap_or(0));
    let plain = AccessGrant {
        issuer: app.config.issuer.as_str(),
        subject: Subject::Client,
        client_id: &reference.client_id,
        audiences: &behind.rules,
        scope: "",
        roles: &[],
        rsn: reference.rsn,
        key: reference.jkt.as_deref(),
        on_behalf: None,
        lifetime: Lifetime { ttl, cap: ttl, session_end: None },
    };
    let jti = b64::decode_array(&reference.jti).map_err(|_| broken("a jti is malformed"))?;
    let (made, at) = (|grant: &AccessGrant<'_>, at| build(grant, at, jti), Timestamp::from_secs(reference.iat));
    let claims = match &behind.holder {
        Holder::Session(authority) if !authority.stands() => return Ok(None),
        Holder::Session(authority) => {
            let said = Said::of(authority, &behind.rules, Some(&narrowed))?;
            let subject = said.subject(authority);
            made(&AccessGrant { subject, scope: &said.scope, roles: &said.roles, ..plain }, at)
        }
        Holder::Client(client) => {
            let scope = enabled_scope(&behind.rules, &client.settings.scopes.intersect(&narrowed)).to_string();
            let roles: Vec<String> = client.settings.roles.iter().map(ToString::to_string).collect();
            made(&AccessGrant { scope: &scope, roles: &roles, ..plain }, at)
        }
    };
    // An audience that is not there any more, or not for this subject.
    let Ok(claims) = claims else { return Ok(None) };
    let unsigned = SigningInput::new::<AccessToken>(Algorithm::ES256, "opaque", &claims);
    let unsigned = unsigned.map_err(|error| broken(&error.to_string()))?;
    let payload = unsigned.as_bytes().split(|byte| *byte == b'.').nth(1).and_then(|part| b64::decode(part).ok());
    payload.map(Some).ok_or_else(|| broken("claims have no payload"))
}
