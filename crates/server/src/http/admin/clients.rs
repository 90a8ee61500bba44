//! `/api/admin/clients…`

pub mod brand;
mod checks;
mod credential;
mod forms;
mod shown;

use std::time::Duration;

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use countersign_jose::Algorithm;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Page, event, happened, page, scope, seconds, write};
use crate::{
    app::App,
    domain::{
        audience,
        audience_id::AudienceId,
        audit::Event,
        client::{AccessTokenFormat, ClientId, ClientSettings, Consent, End, Grant, Grants, SignInSettings},
        logout_uri::LogoutUri,
        redirect::RedirectUri,
        revocation::Entry,
        roles::Role,
        scope::Scope,
    },
    errors,
    http::{
        TENANT,
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    store::{
        clients::{self, Client, Removal},
        dialect::{RowKey, lock_rows},
        revocations,
    },
};
pub use credential::{NewSecret, rotate_secret};
pub use forms::{Recipient, encryption};
use shown::shown;

/// The body of `POST /api/admin/clients`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    pub client_id: String,
    /// For people; default: the id.
    pub name: Option<String>,
    /// A program that cannot keep a secret.
    #[serde(default)]
    pub public: bool,
    /// Its public keys, a JWK set: it proves itself by what it signs (`private_key_jwt`) and gets no secret.
    pub jwks: Option<Value>,
    /// Or where it publishes them: read when they are needed, so that it changes them by itself.
    pub jwks_uri: Option<String>,
    /// `authorization_code`, `client_credentials`, `refresh_token`, `device_code`, `token_exchange`, `first_party`.
    pub grants: Vec<String>,
    /// What it may get tokens for; the first is its default.
    pub audiences: Vec<String>,
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Roles of the client itself.
    #[serde(default)]
    pub roles: Vec<String>,
    /// What signs its access tokens; default: what the audience says.
    pub alg: Option<String>,
    /// The audiences that it is: it may introspect their tokens.
    #[serde(default)]
    pub serves: Vec<String>,
    /// The audiences that it may exchange tokens for (RFC 8693): tokens of its own, or for an audience that it serves.
    #[serde(default)]
    pub exchanges: Vec<String>,
    /// Seconds.
    pub access_token_ttl: Option<u64>,
    /// Seconds.
    pub refresh_idle: Option<u64>,
    /// Seconds.
    pub refresh_absolute: Option<u64>,
    /// It must prove a key whenever it asks for tokens (RFC 9449).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// `signed` (default): a JWT that services check by themselves; `opaque`: a reference that they ask `/introspect` about;
    /// `encrypted`: a signed one that only its audience can read.
    pub access_token_format: Option<String>,
    /// `public` (default), or `pairwise`: it knows people by ids that are made for its sector.
    pub subject_type: Option<String>,
    /// The host that names the sector of a pairwise client; default: the one host of its redirect URIs.
    pub sector: Option<String>,
    /// What signs the answers of `/userinfo`; default: nothing, they are plain JSON.
    pub userinfo_signed_response_alg: Option<String>,
    /// The key that its ID tokens are encrypted to.
    pub id_token_encryption: Option<Recipient>,
    /// Where an authorization response may go, compared exactly.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where a browser may go after signing out.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it takes logout tokens; `https`, or `http` on a loopback host.
    pub backchannel_logout_uri: Option<String>,
    /// `ask` (default): people are asked what the client may have; `implied`: the client belongs to the same house.
    pub consent: Option<String>,
    /// What signs its ID tokens; default: ES256.
    pub id_token_alg: Option<String>,
    /// Its authorization requests must be pushed (RFC 9126).
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// Its authorization requests must be signed by one of its keys (RFC 9101).
    #[serde(default)]
    pub require_signed_request_object: bool,
    /// How strong a sign-in to it must be: `1` (default), or `2`, with a second factor.
    pub required_acr: Option<String>,
}

/// The body of `PUT /api/admin/clients/{id}`: what is left out stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientChange {
    pub name: Option<String>,
    pub grants: Option<Vec<String>>,
    pub audiences: Option<Vec<String>>,
    pub scopes: Option<Vec<String>>,
    pub roles: Option<Vec<String>>,
    /// What signs its access tokens.
    pub alg: Option<String>,
    pub serves: Option<Vec<String>>,
    /// The audiences that it may exchange tokens for; if one is taken away, its tokens end.
    pub exchanges: Option<Vec<String>>,
    /// Seconds.
    pub access_token_ttl: Option<u64>,
    /// Seconds.
    pub refresh_idle: Option<u64>,
    /// Seconds.
    pub refresh_absolute: Option<u64>,
    /// It must prove a key whenever it asks for tokens (RFC 9449); tokens that are good without one end.
    pub dpop_bound_access_tokens: Option<bool>,
    /// `signed`, `opaque` or `encrypted`; tokens of another kind end.
    pub access_token_format: Option<String>,
    /// `public` or `pairwise`.
    pub subject_type: Option<String>,
    /// The host that names its sector; people are strangers to a client whose sector changes.
    pub sector: Option<String>,
    /// What signs the answers of `/userinfo`; empty: nothing.
    pub userinfo_signed_response_alg: Option<String>,
    /// The key that its ID tokens are encrypted to; with the key `null` they are not any more.
    pub id_token_encryption: Option<Recipient>,
    pub redirect_uris: Option<Vec<String>>,
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// Empty: it takes none any more.
    pub backchannel_logout_uri: Option<String>,
    /// `ask` or `implied`.
    pub consent: Option<String>,
    /// What signs its ID tokens.
    pub id_token_alg: Option<String>,
    /// Its authorization requests must be pushed (RFC 9126).
    pub require_pushed_authorization_requests: Option<bool>,
    /// Its authorization requests must be signed by one of its keys (RFC 9101).
    pub require_signed_request_object: Option<bool>,
    /// How strong a sign-in to it must be: `1` or `2`.
    pub required_acr: Option<String>,
    /// Its public keys from now on, in place of those before or of its secret.
    pub jwks: Option<Value>,
    /// Where it publishes them from now on.
    pub jwks_uri: Option<String>,
}

/// `GET /api/admin/clients`
pub async fn list(State(app): State<App>, query: Page) -> Result<Answer<Value>, ApiError> {
    let limit = query.limit();
    let rows = app
        .store
        .read(move |tx| {
            let after = query.after.clone();
            Box::pin(async move { clients::list(tx, TENANT, &after, limit).await })
        })
        .await?;
    Ok(Answer(page(&rows, limit, shown, |client| client.id.to_string())))
}

/// `POST /api/admin/clients`: the secret is in this answer and nowhere else.
pub async fn add(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Json(body): Json<NewClient, LARGE_BODY>,
) -> Result<(StatusCode, Answer<Value>), ApiError> {
    let bad = |error: &dyn std::fmt::Display| ApiError::field(errors::INVALID_VALUE, "client_id", error.to_string());
    let id = ClientId::parse(&body.client_id).map_err(|error| bad(&error))?;
    let settings = settings(&body)?;
    let (credential, plain) = credential::of_new(&app, &body)?;
    let checked = settings.check(credential.is_confidential());
    checked.map_err(|error| ApiError::new(errors::INVALID_VALUE).detail(error.to_string()))?;
    checks::within_caps(&app, &settings)?;
    checks::can_sign(&settings, &credential, false)?;
    checks::ensure_keys(&app, &context, &admin, &settings).await?;
    let event = event(&app, &context, admin.actor(), Event::ClientCreated)?.client(id.as_str());
    let client = clients::NewClient {
        id: id.clone(),
        tenant: TENANT.to_owned(),
        settings,
        credential,
        builtin: false,
        created_at: app.clock.now(),
    };
    let insert = write(&app, event, happened, move |tx| {
        let client = client.clone();
        Box::pin(async move { clients::insert(tx, &client).await })
    });
    if !insert.await? {
        return Err(
            ApiError::new(errors::CONFLICT).detail("this client id is taken, now or before: ids are never given again")
        );
    }
    let mut answer = shown(&found(&app, &id).await?);
    answer["client_secret"] = json!(plain.as_ref().map(crate::secret::PlainSecret::expose));
    Ok((StatusCode::CREATED, Answer(answer)))
}

/// `PUT /api/admin/clients/{id}`: tokens that say what is not true any more die within a second, sessions live on and their
/// next refresh says what holds now. Sessions for an audience that is taken away end.
pub async fn update(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(mut body): Json<ClientChange, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let id = ClientId::parse(&id).map_err(|_| missing())?;
    let old = found(&app, &id).await?;
    let keys = credential::changed(&old.credential, body.jwks.take().as_ref(), body.jwks_uri.take().as_deref())?;
    let new = changed(&old.settings, body)?;
    let checked = new.check(old.credential.is_confidential());
    checked.map_err(|error| ApiError::new(errors::INVALID_VALUE).detail(error.to_string()))?;
    checks::within_caps(&app, &new)?;
    checks::can_sign(&new, &old.credential, keys.is_some())?;
    checks::ensure_keys(&app, &context, &admin, &new).await?;
    let end = old.settings.ended_by(&new);
    let now = app.clock.now();
    let entry = Entry::client(scope(&app), id.as_str(), now, app.config.access_token_ttl_cap);
    let mut event = event(&app, &context, admin.actor(), Event::ClientUpdated)?.client(id.as_str());
    if keys.is_some() {
        event = event.with("change", "keys");
    }
    let client = id.clone();
    let update = write(&app, event, happened, move |tx| {
        let (id, old, new, keys) = (client.clone(), old.settings.clone(), new.clone(), keys.clone());
        Box::pin(async move {
            lock_rows(tx, &mut [RowKey::Client(id.as_str())]).await?;
            // Two administrators at once: the second sees what the first made of it before changing it.
            if clients::by_id(tx, &id).await?.is_none_or(|client| client.settings != old) {
                return Ok(false);
            }
            let _ended = match end {
                Some(End::Hard) => Some(revocations::revoke_client(tx, now, id.as_str(), &entry).await?),
                Some(End::Soft) => Some(revocations::outdate_client_tokens(tx, now, id.as_str(), &entry).await?),
                None => None,
            };
            clients::update(tx, &id, &new).await?;
            if let Some(keys) = &keys {
                clients::set_keys(tx, &id, keys).await?;
            }
            Ok(true)
        })
    });
    if !update.await? {
        return Err(ApiError::new(errors::CONFLICT).detail("somebody else changed this client just now; look again"));
    }
    Ok(Answer(shown(&found(&app, &id).await?)))
}

/// `POST /api/admin/clients/{id}/disable`
pub async fn disable(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Answer<Value>, ApiError> {
    let id = ClientId::parse(&id).map_err(|_| missing())?;
    let now = app.clock.now();
    let entry = Entry::client(scope(&app), id.as_str(), now, app.config.access_token_ttl_cap);
    let event = event(&app, &context, admin.actor(), Event::ClientDisabled)?.client(id.as_str());
    let client = id.clone();
    let disable = write(&app, event, happened, move |tx| {
        let id = client.clone();
        Box::pin(async move { Ok(clients::disable(tx, &id, &entry, now).await?.is_some()) })
    });
    disable.await?;
    Ok(Answer(shown(&found(&app, &id).await?)))
}

/// `POST /api/admin/clients/{id}/enable`
pub async fn enable(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Answer<Value>, ApiError> {
    let id = ClientId::parse(&id).map_err(|_| missing())?;
    let event = event(&app, &context, admin.actor(), Event::ClientUpdated)?.client(id.as_str());
    let event = event.with("change", "enabled");
    let client = id.clone();
    let enable = write(&app, event, happened, move |tx| {
        let id = client.clone();
        Box::pin(async move { clients::enable(tx, &id).await })
    });
    enable.await?;
    Ok(Answer(shown(&found(&app, &id).await?)))
}

/// `DELETE /api/admin/clients/{id}`
pub async fn remove(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = ClientId::parse(&id).map_err(|_| missing())?;
    let now = app.clock.now();
    let entry = Entry::client(scope(&app), id.as_str(), now, app.config.access_token_ttl_cap);
    let event = event(&app, &context, admin.actor(), Event::ClientDeleted)?.client(id.as_str());
    let removed = |removal: &Removal| matches!(removal, Removal::Removed { .. });
    let remove = write(&app, event, removed, move |tx| {
        let id = id.clone();
        Box::pin(async move { clients::remove(tx, &id, &entry, now).await })
    });
    match remove.await? {
        Removal::NoClient => Err(missing()),
        Removal::Builtin => Err(ApiError::new(errors::CONFLICT).detail("this client belongs to Countersign itself")),
        Removal::Removed { .. } => Ok(StatusCode::NO_CONTENT),
    }
}

fn changed(old: &ClientSettings, change: ClientChange) -> Result<ClientSettings, ApiError> {
    let words = |new: Option<Vec<String>>, old: Vec<String>| new.unwrap_or(old);
    let secs = |new: Option<u64>, old: Option<Duration>| new.or_else(|| seconds(old));
    let texts = |old: &[AudienceId]| old.iter().map(ToString::to_string).collect();
    let uris = |new: Option<Vec<String>>, old: &[RedirectUri]| {
        new.unwrap_or_else(|| old.iter().map(ToString::to_string).collect())
    };
    let alg = |new: Option<String>, old: Option<Algorithm>| new.or_else(|| old.map(|alg| alg.as_str().to_owned()));
    let sign_in = &old.sign_in;
    settings(&NewClient {
        client_id: String::new(),
        name: Some(change.name.unwrap_or_else(|| old.name.clone())),
        public: false,
        jwks: None,
        jwks_uri: None,
        grants: words(change.grants, old.grants.iter().map(|grant| grant.as_str().to_owned()).collect()),
        audiences: words(change.audiences, texts(&old.audiences)),
        scopes: words(change.scopes, old.scopes.words().map(str::to_owned).collect()),
        roles: words(change.roles, old.roles.iter().map(ToString::to_string).collect()),
        alg: alg(change.alg, old.alg),
        serves: words(change.serves, texts(&old.serves)),
        exchanges: words(change.exchanges, texts(&old.exchanges)),
        access_token_ttl: secs(change.access_token_ttl, old.access_token_ttl),
        refresh_idle: secs(change.refresh_idle, old.refresh_idle),
        refresh_absolute: secs(change.refresh_absolute, old.refresh_absolute),
        dpop_bound_access_tokens: change.dpop_bound_access_tokens.unwrap_or(old.dpop_bound),
        access_token_format: Some(
            change.access_token_format.unwrap_or_else(|| old.access_token_format.as_str().into()),
        ),
        sector: change.sector.or_else(|| forms::kept_sector(sign_in, change.subject_type.as_deref())),
        subject_type: Some(change.subject_type.unwrap_or_else(|| forms::subject_type(sign_in).to_owned())),
        userinfo_signed_response_alg: alg(change.userinfo_signed_response_alg, sign_in.userinfo_alg),
        id_token_encryption: change.id_token_encryption.or_else(|| Recipient::of(sign_in.id_token_encryption.as_ref())),
        redirect_uris: uris(change.redirect_uris, &sign_in.redirect_uris),
        post_logout_redirect_uris: uris(change.post_logout_redirect_uris, &sign_in.post_logout_redirect_uris),
        backchannel_logout_uri: change
            .backchannel_logout_uri
            .or_else(|| sign_in.backchannel_logout_uri.as_ref().map(ToString::to_string)),
        consent: Some(change.consent.unwrap_or_else(|| sign_in.consent.as_str().to_owned())),
        id_token_alg: alg(change.id_token_alg, sign_in.id_token_alg),
        require_pushed_authorization_requests: change
            .require_pushed_authorization_requests
            .unwrap_or(sign_in.require_pushed),
        require_signed_request_object: change.require_signed_request_object.unwrap_or(sign_in.require_signed),
        required_acr: Some(change.required_acr.unwrap_or_else(|| sign_in.required_level.as_str().to_owned())),
    })
}

fn settings(body: &NewClient) -> Result<ClientSettings, ApiError> {
    let bad = |field: &'static str, error: &dyn std::fmt::Display| {
        ApiError::field(errors::INVALID_VALUE, field, error.to_string())
    };
    let audience = |text: &String| AudienceId::parse(text).map_err(|error| bad("audiences", &error));
    let served = |text: &String| AudienceId::parse(text).map_err(|error| bad("serves", &error));
    let exchanged = |text: &String| AudienceId::parse(text).map_err(|error| bad("exchanges", &error));
    let role = |text: &String| Role::parse(text).map_err(|error| bad("roles", &error));
    let grant = |text: &String| text.parse::<Grant>().map_err(|error| bad("grants", &error));
    let span = |seconds: Option<u64>| seconds.map(Duration::from_secs);
    let alg = body.alg.as_deref().map(audience::algorithm).transpose().map_err(|error| bad("alg", &error))?;
    let format = |word| {
        AccessTokenFormat::parse(word).ok_or_else(|| bad("access_token_format", &"is signed, opaque or encrypted"))
    };
    Ok(ClientSettings {
        name: body.name.clone().unwrap_or_else(|| body.client_id.clone()),
        scopes: body.scopes.join(" ").parse::<Scope>().map_err(|error| bad("scopes", &error))?,
        audiences: body.audiences.iter().map(audience).collect::<Result<_, _>>()?,
        grants: body.grants.iter().map(grant).collect::<Result<Grants, _>>()?,
        roles: body.roles.iter().map(role).collect::<Result<_, _>>()?,
        alg,
        serves: body.serves.iter().map(served).collect::<Result<_, _>>()?,
        exchanges: body.exchanges.iter().map(exchanged).collect::<Result<_, _>>()?,
        access_token_ttl: span(body.access_token_ttl),
        refresh_idle: span(body.refresh_idle),
        refresh_absolute: span(body.refresh_absolute),
        dpop_bound: body.dpop_bound_access_tokens,
        access_token_format: body.access_token_format.as_deref().map(format).transpose()?.unwrap_or_default(),
        sign_in: sign_in(body)?,
    })
}

fn sign_in(body: &NewClient) -> Result<SignInSettings, ApiError> {
    let bad = |field: &'static str, error: &dyn std::fmt::Display| {
        ApiError::field(errors::INVALID_VALUE, field, error.to_string())
    };
    let uris = |field: &'static str, texts: &[String]| {
        let one = |text: &String| RedirectUri::parse(text).map_err(|error| bad(field, &error));
        texts.iter().map(one).collect::<Result<Vec<_>, _>>()
    };
    let consent = body.consent.as_deref().map(|word| Consent::parse(word).ok_or("is ask or implied"));
    let logout = body.backchannel_logout_uri.as_deref().filter(|text| !text.is_empty()).map(LogoutUri::parse);
    let alg = body.id_token_alg.as_deref().map(audience::algorithm).transpose();
    let redirect_uris = uris("redirect_uris", &body.redirect_uris)?;
    Ok(SignInSettings {
        sector: forms::sector(body, &redirect_uris)?,
        redirect_uris,
        post_logout_redirect_uris: uris("post_logout_redirect_uris", &body.post_logout_redirect_uris)?,
        backchannel_logout_uri: logout.transpose().map_err(|error| bad("backchannel_logout_uri", &error))?,
        consent: consent.transpose().map_err(|error| bad("consent", &error))?.unwrap_or_default(),
        id_token_alg: alg.map_err(|error| bad("id_token_alg", &error))?,
        userinfo_alg: forms::userinfo_alg(body)?,
        id_token_encryption: encryption("id_token_encryption", body.id_token_encryption.as_ref())?,
        require_pushed: body.require_pushed_authorization_requests,
        require_signed: body.require_signed_request_object,
        required_level: forms::required_level(body)?,
    })
}

fn missing() -> ApiError {
    ApiError::new(errors::NOT_FOUND).detail("there is no such client")
}

async fn found(app: &App, id: &ClientId) -> Result<Client, ApiError> {
    let id = id.clone();
    let found = app
        .store
        .read(move |tx| {
            let id = id.clone();
            Box::pin(async move { clients::by_id(tx, &id).await })
        })
        .await?;
    found.ok_or_else(missing)
}
