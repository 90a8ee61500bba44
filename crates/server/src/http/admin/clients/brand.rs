//! `/api/admin/clients/{id}/brand`: how a client looks on the pages. Only administrators give out looks: a picture that a stranger
//! chose could be a bank's.

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use base64_simd::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{event, found, happened, missing, write};
use crate::{
    app::App,
    domain::{
        audit::Event,
        brand::{Brand, Colour, Logo, PageUri},
        client::ClientId,
    },
    errors,
    http::{
        body::{Json, LARGE_BODY},
        caller::Administrator,
        context::Context,
        error::ApiError,
    },
    store::{StoreError, brands},
};

/// The body of `PUT /api/admin/clients/{id}/brand`: what is left out stays as it is, an empty text takes it away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrandChange {
    /// A PNG of at most 32 KiB and 512 by 512 pixels, in base64.
    pub logo: Option<String>,
    /// `#rrggbb`; pages darken or lighten it until it can be read.
    pub colour: Option<String>,
    /// Its privacy policy, `https`.
    pub policy_uri: Option<String>,
    /// Its terms of service, `https`.
    pub tos_uri: Option<String>,
}

/// `GET /api/admin/clients/{id}/brand`
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Answer<Value>, ApiError> {
    let id = ClientId::parse(&id).map_err(|_| missing())?;
    found(&app, &id).await?;
    Ok(Answer(shown(&of(&app, &id).await?)))
}

/// `PUT /api/admin/clients/{id}/brand`
pub async fn update(
    State(app): State<App>,
    context: Context,
    admin: Administrator,
    Path(id): Path<String>,
    Json(body): Json<BrandChange, LARGE_BODY>,
) -> Result<Answer<Value>, ApiError> {
    let id = ClientId::parse(&id).map_err(|_| missing())?;
    found(&app, &id).await?;
    let brand = changed(of(&app, &id).await?, &body)?;
    let event = event(&app, &context, admin.actor(), Event::ClientUpdated)?.client(id.as_str()).with("change", "brand");
    let (client, new) = (id.clone(), brand.clone());
    let update = write(&app, event, happened, move |tx| {
        let (id, brand) = (client.clone(), new.clone());
        Box::pin(async move {
            brands::set(tx, &id, &brand).await?;
            Ok(true)
        })
    });
    update.await?;
    Ok(Answer(shown(&brand)))
}

async fn of(app: &App, id: &ClientId) -> Result<Brand, StoreError> {
    let id = id.clone();
    let read = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { brands::find(tx, &id).await })
    });
    read.await
}

fn changed(old: Brand, change: &BrandChange) -> Result<Brand, ApiError> {
    let page = |text: &str| PageUri::parse(text).map_err(|error| error.to_string());
    Ok(Brand {
        logo: one("logo", change.logo.as_deref(), old.logo, logo)?,
        colour: one("colour", change.colour.as_deref(), old.colour, |text| {
            Colour::parse(text).map_err(|error| error.to_string())
        })?,
        policy: one("policy_uri", change.policy_uri.as_deref(), old.policy, page)?,
        terms: one("tos_uri", change.tos_uri.as_deref(), old.terms, page)?,
    })
}

/// What becomes of one thing.
fn one<T>(
    field: &'static str,
    new: Option<&str>,
    old: Option<T>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, ApiError> {
    match new {
        None => Ok(old),
        Some("") => Ok(None),
        Some(text) => parse(text).map(Some).map_err(|why| ApiError::field(errors::INVALID_VALUE, field, why)),
    }
}

fn logo(text: &str) -> Result<Logo, String> {
    let bytes = STANDARD.decode_to_vec(text).map_err(|_| "is not base64".to_owned())?;
    Logo::parse(&bytes).map_err(|error| error.to_string())
}

fn shown(brand: &Brand) -> Value {
    json!({
        "logo": brand.logo.as_ref().map(|logo| STANDARD.encode_to_string(logo.as_bytes())),
        "colour": brand.colour.map(|colour| colour.to_string()),
        "policy_uri": brand.policy.as_ref().map(PageUri::as_str),
        "tos_uri": brand.terms.as_ref().map(PageUri::as_str),
    })
}
