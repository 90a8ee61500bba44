//! `/clients`: clients that register themselves (RFC 7591) and look after their registration (RFC 7592). Off unless the
//! configuration says otherwise; then an administrator gives out initial access tokens.

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::{
    TENANT,
    body::{Json, LARGE_BODY},
    context::Context,
    error::{ApiError, OAuthError},
};
use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event, Source},
        client::{ClientId, ClientSettings, End, Grant, SecretHash},
        credential::{ClientKeys, Credential},
        redirect::RedirectUri,
        registration::{BadMetadata, Ceiling, Metadata, Proof, Wanted},
        revocation::{Entry, Scope},
    },
    errors,
    secret::PlainSecret,
    store::{
        audit,
        clients::{self, Client, NewClient},
        dialect::{RowKey, lock_rows},
        registrations, revocations,
    },
};

type Body = Result<Json<Metadata, LARGE_BODY>, ApiError>;

/// `POST /clients`: secret and registration token are in this answer and nowhere else.
pub async fn register(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Answer<Value>), OAuthError> {
    is_on(&app)?;
    app.limiter.take(context.address, app.clock.now()).map_err(ApiError::from).map_err(OAuthError::from)?;
    let ticket = SecretHash::of_shown(&bearer(&headers)?);
    // Before anything that costs: a stranger makes no keys here.
    let (asked, now) = (ticket.clone(), app.clock.now());
    let good = app.store.read(move |tx| {
        let asked = asked.clone();
        Box::pin(async move { registrations::is_good(tx, &asked, now).await })
    });
    if !good.await? {
        return Err(refused("no initial access token, or one that is over"));
    }
    let ceiling = Ceiling { scopes: &app.config.clients.scopes, audience: &app.config.clients.audience };
    let wanted = metadata(body)?.understand(ceiling).map_err(|bad| metadata_error(&bad))?;
    let (new, plain) = new_client(&app, wanted)?;
    let (token, token_hash) = SecretHash::generate_as("crt_", app.random.bytes()?);
    ensure_keys(&app, &new.settings, &context.source(Source::ANONYMOUS)).await?;
    let event = AuditEvent::new(Event::ClientCreated, now, &context.source(Source::ANONYMOUS), app.random.bytes()?)
        .client(new.id.as_str())
        .with("how", "registered itself");
    let client = new.clone();
    let written = app.store.write(move |tx| {
        let (new, ticket, hash, event) = (client.clone(), ticket.clone(), token_hash.clone(), event.clone());
        Box::pin(async move {
            if !registrations::use_up(tx, &ticket, now).await? || !clients::insert(tx, &new).await? {
                return Ok(false);
            }
            registrations::mark(tx, &new.id, &hash).await?;
            audit::insert(tx, &event).await?;
            Ok(true)
        })
    });
    if !written.await? {
        return Err(refused("no initial access token, or one that is over"));
    }
    let mut answer = shown(&app, &found(&app, &new.id).await?);
    answer["registration_access_token"] = json!(token.expose());
    if let Some(secret) = &plain {
        (answer["client_secret"], answer["client_secret_expires_at"]) = (json!(secret.expose()), json!(0));
    }
    Ok((StatusCode::CREATED, Answer(answer)))
}

/// `GET /clients/{id}`
pub async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Answer<Value>, OAuthError> {
    let client = own(&app, &headers, &id).await?;
    Ok(Answer(shown(&app, &client)))
}

/// `PUT /clients/{id}`: all that it says of itself from now on. The rules are those of a registration; tokens that say more
/// than it may have from now on end.
pub async fn update(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Body,
) -> Result<Answer<Value>, OAuthError> {
    let old = own(&app, &headers, &id).await?;
    let (settings, keys) = changed(&old, &metadata(body)?).map_err(|bad| metadata_error(&bad))?;
    ensure_keys(&app, &settings, &context.source(old.id.as_str())).await?;
    let now = app.clock.now();
    let entry = Entry::client(scope(&app), old.id.as_str(), now, app.config.access_token_ttl_cap);
    let event = AuditEvent::new(Event::ClientUpdated, now, &context.source(old.id.as_str()), app.random.bytes()?)
        .client(old.id.as_str());
    let (before, id) = (old.settings, old.id.clone());
    let end = before.ended_by(&settings);
    let written = app.store.write(move |tx| {
        let (id, before, new, keys, event) =
            (id.clone(), before.clone(), settings.clone(), keys.clone(), event.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::Client(id.as_str())]).await?;
            if clients::by_id(tx, &id).await?.is_none_or(|client| client.settings != before) {
                return Ok(false);
            }
            match end {
                Some(End::Hard) => drop(revocations::revoke_client(tx, now, id.as_str(), &entry).await?),
                Some(End::Soft) => drop(revocations::outdate_client_tokens(tx, now, id.as_str(), &entry).await?),
                None => {}
            }
            clients::update(tx, &id, &new).await?;
            if let Some(keys) = &keys {
                clients::set_keys(tx, &id, keys).await?;
            }
            audit::insert(tx, &event).await?;
            Ok(true)
        })
    });
    if !written.await? {
        return Err(OAuthError::new(errors::CONFLICT).detail("this client was changed just now; look again"));
    }
    Ok(Answer(shown(&app, &found(&app, &old.id).await?)))
}

/// `DELETE /clients/{id}`: its sessions and tokens end, and its name is never given again.
pub async fn remove(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, OAuthError> {
    let client = own(&app, &headers, &id).await?;
    let now = app.clock.now();
    let entry = Entry::client(scope(&app), client.id.as_str(), now, app.config.access_token_ttl_cap);
    let event = AuditEvent::new(Event::ClientDeleted, now, &context.source(client.id.as_str()), app.random.bytes()?)
        .client(client.id.as_str());
    let removed = app.store.write(move |tx| {
        let (id, event) = (client.id.clone(), event.clone());
        Box::pin(async move {
            clients::remove(tx, &id, &entry, now).await?;
            audit::insert(tx, &event).await
        })
    });
    removed.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where it is off, there is nothing at these addresses.
fn is_on(app: &App) -> Result<(), OAuthError> {
    if app.config.clients.registration { Ok(()) } else { Err(OAuthError::new(errors::NOT_FOUND)) }
}

/// The client that whoever comes has registered. Every reason to refuse sounds alike (RFC 7592 §2).
async fn own(app: &App, headers: &HeaderMap, id: &str) -> Result<Client, OAuthError> {
    is_on(app)?;
    let presented = bearer(headers)?;
    let id = ClientId::parse(id).map_err(|_| refused("no such client"))?;
    let found = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { Ok((registrations::token(tx, &id).await?, clients::by_id(tx, &id).await?)) })
    });
    let (Some(token), Some(client)) = found.await? else { return Err(refused("no client that registered itself")) };
    if token.matches(&presented) { Ok(client) } else { Err(refused("another registration token")) }
}

fn bearer(headers: &HeaderMap) -> Result<PlainSecret, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok());
    let (scheme, token) = value.and_then(|value| value.split_once(' ')).ok_or(errors::TOKEN_MISSING)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(PlainSecret::new(token.to_owned()))
    } else {
        Err(errors::TOKEN_MISSING.into())
    }
}

fn refused(why: &str) -> OAuthError {
    OAuthError::new(errors::TOKEN_INVALID).named("invalid_token").log(why)
}

fn metadata(body: Body) -> Result<Metadata, OAuthError> {
    body.map(|Json(metadata)| metadata).map_err(|error| OAuthError::from(error).named("invalid_client_metadata"))
}

/// What a client is to be from now on, and the keys that it is to have if it has keys.
fn changed(old: &Client, metadata: &Metadata) -> Result<(ClientSettings, Option<ClientKeys>), BadMetadata> {
    let bad = |member, why: &str| BadMetadata::Member(member, why.to_owned());
    if metadata.client_id.as_deref() != Some(old.id.as_str()) {
        return Err(bad("client_id", "is the client's own"));
    }
    let Wanted { settings, proof } = metadata.change(&old.settings)?;
    match (&old.credential, proof) {
        (Credential::None, Proof::None) | (Credential::Secret(_), Proof::Secret) => Ok((settings, None)),
        (Credential::Keys(_), Proof::Keys(keys)) => Ok((settings, Some(keys))),
        _ => Err(bad("token_endpoint_auth_method", "stays what it was registered as")),
    }
}

fn metadata_error(bad: &BadMetadata) -> OAuthError {
    OAuthError::new(errors::REGISTRATION_INVALID).named(bad.error()).detail(bad.to_string())
}

fn new_client(app: &App, wanted: Wanted) -> Result<(NewClient, Option<PlainSecret>), OAuthError> {
    let hex = |bytes: [u8; 16]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let name = format!("app-{}", hex(app.random.bytes()?));
    let id = ClientId::parse(&name).map_err(|bad| OAuthError::new(errors::INTERNAL).log(bad.to_string()))?;
    let (credential, plain) = match wanted.proof {
        Proof::None => (Credential::None, None),
        Proof::Keys(keys) => (Credential::Keys(keys), None),
        Proof::Secret => {
            let (plain, hash) = SecretHash::generate(app.random.bytes()?);
            (Credential::Secret(hash.into()), Some(plain))
        }
    };
    let (settings, tenant, created_at) = (wanted.settings, TENANT.to_owned(), app.clock.now());
    Ok((NewClient { id, tenant, settings, credential, builtin: false, created_at }, plain))
}

/// The issuer has a key for whatever this client is told.
async fn ensure_keys(app: &App, settings: &ClientSettings, by: &Source) -> Result<(), OAuthError> {
    for alg in [settings.sign_in.id_token_alg, settings.sign_in.userinfo_alg].into_iter().flatten() {
        app.ring.ensure_alg(alg, by).await.map_err(ApiError::from).map_err(OAuthError::from)?;
    }
    Ok(())
}

fn scope(app: &App) -> Scope<'_> {
    Scope { issuer: app.config.issuer.as_str(), tenant: TENANT }
}

async fn found(app: &App, id: &ClientId) -> Result<Client, OAuthError> {
    let id = id.clone();
    let found = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { clients::by_id(tx, &id).await })
    });
    found.await?.ok_or_else(|| refused("the client is gone"))
}

/// What it is registered as (RFC 7591 §3.2.1), which may be other than what it asked for.
fn shown(app: &App, client: &Client) -> Value {
    let (settings, sign_in) = (&client.settings, &client.settings.sign_in);
    let (method, jwks) = match &client.credential {
        Credential::None => ("none", None),
        Credential::Secret(_) => ("client_secret_basic", None),
        Credential::Keys(keys) => ("private_key_jwt", serde_json::from_str::<Value>(keys.as_str()).ok()),
    };
    let uris = |uris: &[RedirectUri]| uris.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut answer = json!({
        "client_id": client.id.as_str(),
        "client_id_issued_at": client.created_at.secs(),
        "registration_client_uri": format!("{}/clients/{}", app.config.issuer.as_str(), client.id),
        "client_name": settings.name,
        "redirect_uris": uris(&sign_in.redirect_uris),
        "post_logout_redirect_uris": uris(&sign_in.post_logout_redirect_uris),
        "token_endpoint_auth_method": method,
        "grant_types": settings.grants.iter().map(Grant::as_str).collect::<Vec<_>>(),
        "response_types": ["code"],
        "scope": settings.scopes.to_string(),
        "subject_type": if sign_in.sector.is_some() { "pairwise" } else { "public" },
        "dpop_bound_access_tokens": settings.dpop_bound,
        "require_pushed_authorization_requests": sign_in.require_pushed,
    });
    let maybe = [
        ("jwks", jwks),
        ("id_token_signed_response_alg", sign_in.id_token_alg.map(|alg| json!(alg.as_str()))),
        ("userinfo_signed_response_alg", sign_in.userinfo_alg.map(|alg| json!(alg.as_str()))),
        ("id_token_encrypted_response_alg", sign_in.id_token_encryption.as_ref().map(|to| json!(to.alg()))),
        ("id_token_encrypted_response_enc", sign_in.id_token_encryption.as_ref().map(|to| json!(to.enc()))),
        ("backchannel_logout_uri", sign_in.backchannel_logout_uri.as_ref().map(|uri| json!(uri.as_str()))),
    ];
    for (member, value) in maybe {
        if let Some(value) = value {
            answer[member] = value;
        }
    }
    answer
}
