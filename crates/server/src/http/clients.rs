//! `/clients`: clients that register themselves (RFC 7591) and look after their registration (RFC 7592). Off unless the
//! configuration says otherwise; then an administrator gives out initial access tokens.

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

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
        brand::{Brand, PageUri},
        client::{ClientId, ClientSettings, End, Grant, SecretHash},
        credential::{Credential, Keys},
        redirect::RedirectUri,
        registration::{BadMetadata, Ceiling, Metadata, Proof, Wanted},
        revocation::{Entry, Scope},
    },
    errors,
    secret::PlainSecret,
    store::{
        StoreError, Tx, audit, brands,
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
    let metadata = metadata(body)?;
    let listed = listed(&app, &metadata).await?;
    let wanted = metadata.understand(ceiling, listed.as_deref()).map_err(|bad| metadata_error(&bad))?;
    let words = Words::of(&metadata)?;
    let (new, plain) = new_client(&app, wanted)?;
    let (token, token_hash) = SecretHash::generate_as("crt_", app.random.bytes()?);
    ensure_keys(&app, &new.settings, &context.source(Source::ANONYMOUS)).await?;
    let event = AuditEvent::new(Event::ClientCreated, now, &context.source(Source::ANONYMOUS), app.random.bytes()?)
        .client(new.id.as_str())
        .with("how", "registered itself");
    let client = new.clone();
    let written = app.store.write(move |tx| {
        let (new, ticket, hash, event) = (client.clone(), ticket.clone(), token_hash.clone(), event.clone());
        let words = words.clone();
        Box::pin(async move {
            if !registrations::use_up(tx, &ticket, now).await? || !clients::insert(tx, &new).await? {
                return Ok(false);
            }
            registrations::mark(tx, &new.id, &hash).await?;
            words.keep(tx, &new.id).await?;
            audit::insert(tx, &event).await?;
            Ok(true)
        })
    });
    if !written.await? {
        return Err(refused("no initial access token, or one that is over"));
    }
    let mut answer = shown(&app, &found(&app, &new.id).await?).await?;
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
    Ok(Answer(with_token(shown(&app, &client).await?, &headers)?))
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
    // It may make keys, and the issuer call somebody: no faster than anybody may sign in.
    app.limiter.take(context.address, app.clock.now()).map_err(ApiError::from).map_err(OAuthError::from)?;
    let metadata = metadata(body)?;
    let listed = listed(&app, &metadata).await?;
    let (settings, keys) = changed(&old, &metadata, listed.as_deref()).map_err(|bad| metadata_error(&bad))?;
    let words = Words::of(&metadata)?;
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
        let words = words.clone();
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
            words.keep(tx, &id).await?;
            audit::insert(tx, &event).await?;
            Ok(true)
        })
    });
    if !written.await? {
        return Err(OAuthError::new(errors::CONFLICT).detail("this client was changed just now; look again"));
    }
    Ok(Answer(with_token(shown(&app, &found(&app, &old.id).await?).await?, &headers)?))
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

/// RFC 7592 §3: a client may keep the last answer as all that it knows, so the token is in each.
fn with_token(mut answer: Value, headers: &HeaderMap) -> Result<Value, OAuthError> {
    answer["registration_access_token"] = json!(bearer(headers)?.expose());
    Ok(answer)
}

fn refused(why: &str) -> OAuthError {
    OAuthError::new(errors::TOKEN_INVALID).named("invalid_token").log(why)
}

fn metadata(body: Body) -> Result<Metadata, OAuthError> {
    body.map(|Json(metadata)| metadata).map_err(|error| OAuthError::from(error).named("invalid_client_metadata"))
}

/// What a client is to be from now on, and the keys that it is to have if it has keys.
fn changed(
    old: &Client,
    metadata: &Metadata,
    listed: Option<&[String]>,
) -> Result<(ClientSettings, Option<Keys>), BadMetadata> {
    let bad = |member, why: &str| BadMetadata::Member(member, why.to_owned());
    if metadata.client_id.as_deref() != Some(old.id.as_str()) {
        return Err(bad("client_id", "is the client's own"));
    }
    let Wanted { settings, proof } = metadata.change(&old.settings, listed)?;
    match (&old.credential, proof) {
        (Credential::None, Proof::None) | (Credential::Secret(_), Proof::Secret) => Ok((settings, None)),
        (Credential::Keys(_), Proof::Keys(keys)) => Ok((settings, Some(keys))),
        _ => Err(bad("token_endpoint_auth_method", "stays what it was registered as")),
    }
}

/// The addresses in the document of the client's sector, if it names one and that can be read. What is wrong there is for the log:
/// nobody learns through us what answers where.
async fn listed(app: &App, metadata: &Metadata) -> Result<Option<Vec<String>>, OAuthError> {
    let Some(uri) = metadata.sector_document().map_err(|bad| metadata_error(&bad))? else { return Ok(None) };
    let called = app.outbound.get(uri.as_str(), None).await;
    match &called {
        Ok(called) if called.status == StatusCode::OK && called.is_json => {
            Ok(serde_json::from_slice(&called.body).ok())
        }
        Ok(called) => {
            tracing::info!(uri = uri.as_str(), status = %called.status, "a sector's document is none");
            Ok(None)
        }
        Err(error) => {
            tracing::info!(uri = uri.as_str(), %error, "a sector's document cannot be read");
            Ok(None)
        }
    }
}

/// What a client says of itself beside its settings.
#[derive(Debug, Clone)]
struct Words {
    links: [Option<PageUri>; 2],
    said: String,
}

impl Words {
    fn of(metadata: &Metadata) -> Result<Self, OAuthError> {
        let links = metadata.links().map_err(|bad| metadata_error(&bad))?;
        Ok(Self { links, said: metadata.said().to_string() })
    }

    async fn keep(&self, tx: &mut Tx, id: &ClientId) -> Result<(), StoreError> {
        registrations::say(tx, id, &self.said).await?;
        brands::set_links(tx, id, &self.links).await
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
async fn shown(app: &App, client: &Client) -> Result<Value, OAuthError> {
    let (links, said) = words(app, &client.id).await?;
    let mut answer = settings_shown(app, client);
    if let Value::Object(answer) = &mut answer {
        let links = [("policy_uri", links.policy), ("tos_uri", links.terms)];
        answer.extend(links.into_iter().filter_map(|(member, uri)| Some((member.to_owned(), json!(uri?.as_str())))));
        answer.extend(said);
    }
    Ok(answer)
}

/// Its links on the pages, and what it says besides.
async fn words(app: &App, id: &ClientId) -> Result<(Brand, Map<String, Value>), OAuthError> {
    let id = id.clone();
    let read = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { Ok((brands::find(tx, &id).await?, registrations::said(tx, &id).await?)) })
    });
    let (brand, said) = read.await?;
    Ok((brand, said.and_then(|said| serde_json::from_str(&said).ok()).unwrap_or_default()))
}

fn settings_shown(app: &App, client: &Client) -> Value {
    let (settings, sign_in) = (&client.settings, &client.settings.sign_in);
    let (method, jwks, jwks_uri) = match &client.credential {
        Credential::None => ("none", None, None),
        Credential::Secret(_) => ("client_secret_basic", None, None),
        Credential::Keys(Keys::Registered(keys)) => ("private_key_jwt", serde_json::from_str(keys.as_str()).ok(), None),
        Credential::Keys(Keys::Published(uri)) => ("private_key_jwt", None, Some(json!(uri.as_str()))),
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
        ("jwks_uri", jwks_uri),
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
