//! `POST /device`: a device that cannot show a page asks for the codes with which its person lets it in from another one (RFC 8628).

use axum::{Json, extract::State};
use http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    body::Form,
    context::Context,
    error::{ApiError, OAuthError},
    token,
};
use crate::{
    app::App,
    domain::{
        authorize::{Problem, asked},
        client::Grant,
        code::Code,
        device::{DEVICE_TTL, PACE, UserCode},
    },
    errors,
    secret::PlainSecret,
    store::devices::{self, NewDevice},
};

/// The parameters.
pub const PARAMETERS: &[&str] =
    &["client_id", "client_secret", "client_assertion", "client_assertion_type", "scope", "resource"];

/// How often another code is drawn if one is taken: one in millions is.
const TRIES: usize = 4;

/// The answer (RFC 8628 §3.2).
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeviceResponse {
    /// What the device asks `/token` with.
    #[serde(serialize_with = "expose")]
    #[schemars(with = "String")]
    pub device_code: PlainSecret,
    /// What its person types.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it, for a picture that a telephone reads.
    pub verification_uri_complete: String,
    /// Seconds.
    pub expires_in: u64,
    /// Seconds between two questions at `/token`.
    pub interval: u64,
}

/// The one place where a device code is written out: the answer to its owner.
fn expose<S: serde::Serializer>(secret: &PlainSecret, serializer: S) -> Result<S::Ok, S::Error> {
    secret.expose().serialize(serializer)
}

/// `POST /device`
pub async fn begin(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    form: Form,
) -> Result<Json<DeviceResponse>, OAuthError> {
    app.limiter.take_request(context.address, app.clock.now()).map_err(ApiError::from)?;
    let client = token::authenticate(&app, &headers, &form).await?;
    if !client.settings.grants.contains(Grant::DeviceCode) {
        return Err(errors::UNAUTHORIZED_CLIENT.into());
    }
    let (scope, audience) = asked(form.get("scope"), form.get("resource"), &client.settings).map_err(refused)?;
    let (code, now) = (Code::new(&app.random.bytes()?), app.clock.now());
    for _ in 0..TRIES {
        let new = NewDevice {
            id: code.hash(),
            user_code: UserCode::new(&app.random.bytes()?),
            client_id: client.id.to_string(),
            scope: scope.to_string(),
            audience: audience.to_string(),
            pace: PACE,
            created_at: now,
            expires_at: now.plus(DEVICE_TTL),
        };
        let user_code = new.user_code.to_string();
        let inserted = app.store.write(move |tx| {
            let new = new.clone();
            Box::pin(async move { devices::insert(tx, &new).await })
        });
        if inserted.await? {
            return Ok(Json(answer(&app, &code, user_code)));
        }
    }
    Err(OAuthError::new(errors::INTERNAL).log("every user code that was drawn was in use"))
}

fn answer(app: &App, code: &Code, user_code: String) -> DeviceResponse {
    let page = format!("{}/ui/device", app.config.issuer.as_str());
    DeviceResponse {
        device_code: PlainSecret::new(code.expose().to_owned()),
        verification_uri_complete: format!("{page}?user_code={user_code}"),
        verification_uri: page,
        user_code,
        expires_in: DEVICE_TTL.as_secs(),
        interval: PACE.as_secs(),
    }
}

fn refused(problem: Problem) -> OAuthError {
    let code = if problem.error == "invalid_target" { errors::INVALID_TARGET } else { errors::INVALID_SCOPE };
    OAuthError::new(code).detail(problem.description)
}
