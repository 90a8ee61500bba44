//! `POST /par`: a client pushes its authorization request over its own connection and sends its person with nothing but a
//! reference to it (RFC 9126), so that nobody on the way reads or changes what is asked for.

use axum::{
    Json,
    extract::{Request, State},
};
use http::{HeaderMap, Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    authorize::open_request,
    body::{self, Form},
    context::Context,
    dpop::{self, Asked, Proven},
    error::{ApiError, OAuthError},
    token::{self, AuthenticatedClient},
};
use crate::{
    app::App,
    domain::{
        authorize::{self, Parameters, Problem, check, return_path},
        client::ClientSettings,
        pushed::{PUSHED_MEMORY, PUSHED_TTL, RequestUri},
    },
    errors,
    store::pushed::{self, Pushed},
};

/// The parameters: those of `/authorize`, and what proves the client.
pub const PARAMETERS: &[&str] = &[
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "acr_values",
    "id_token_hint",
    "ui_locales",
    "resource",
    "organization",
    "dpop_jkt",
    "request",
];

/// The answer (RFC 9126, section 2.2).
#[derive(Debug, Serialize, JsonSchema)]
pub struct PushedResponse {
    /// For `/authorize`, together with `client_id` and nothing else.
    pub request_uri: String,
    /// Seconds within which the person must arrive there.
    pub expires_in: u64,
}

/// `POST /par`: everything that `/authorize` would refuse is refused here, where the client hears it.
pub async fn push(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<PushedResponse>), OAuthError> {
    app.limiter.take_request(context.address, app.clock.now()).map_err(ApiError::from)?;
    let proof = dpop::read(&app, Asked { method: &Method::POST, path: "/par", headers: &headers })?;
    let bytes = body::form_bytes(request).await?;
    let form = Form::parse(&bytes)?;
    let client = token::authenticate(&app, &headers, &form).await?;
    if form.get("request_uri").is_some() {
        return Err(refused(Problem::new("invalid_request", "a pushed request has no request_uri")));
    }
    let sent = sent(&app, &client, &bytes).await?;
    let parameters = complete(&sent, client.id.as_str(), proof.as_ref())?;
    understand(&parameters, &client.settings)?;
    if let Some(proof) = &proof {
        proof.use_up(&app).await?;
    }
    let (uri, now) = (RequestUri::new(&app.random.bytes()?), app.clock.now());
    let new = Pushed {
        id: uri.id(),
        client_id: client.id.to_string(),
        parameters: parameters.encode(),
        created_at: now,
        expires_at: now.plus(PUSHED_MEMORY),
    };
    app.store
        .write(move |tx| {
            let new = new.clone();
            Box::pin(async move { pushed::insert(tx, &new).await })
        })
        .await?;
    let answer = PushedResponse { request_uri: uri.as_str().to_owned(), expires_in: PUSHED_TTL.as_secs() };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// What was sent, or what of it the client has signed (RFC 9126, section 3).
async fn sent(app: &App, client: &AuthenticatedClient, bytes: &[u8]) -> Result<Parameters, OAuthError> {
    let malformed = |error: authorize::Malformed| OAuthError::new(errors::MALFORMED_FORM).detail(error.to_string());
    let sent = Parameters::parse(bytes).map_err(malformed)?;
    match sent.one("request") {
        Ok(Some(object)) => open_request(app, client, object).await.map_err(refused),
        _ if client.settings.sign_in.require_signed => {
            Err(refused(Problem::new("invalid_request_object", "this client must sign its requests")))
        }
        _ => Ok(sent),
    }
}

/// The request with the client that was proved, and with the key that was (RFC 9449, section 10.1).
fn complete(sent: &Parameters, client_id: &str, proof: Option<&Proven>) -> Result<Parameters, OAuthError> {
    let mut parameters = sent.with("client_id", client_id);
    if let Some(proof) = proof {
        let named = sent.one("dpop_jkt").ok().flatten();
        if named.is_some_and(|named| named != proof.thumbprint()) {
            return Err(OAuthError::new(errors::DPOP_PROOF).detail("dpop_jkt names another key than the proof"));
        }
        parameters = parameters.with("dpop_jkt", proof.thumbprint());
    }
    Ok(parameters)
}

/// Whether the request would be understood at `/authorize`.
fn understand(parameters: &Parameters, client: &ClientSettings) -> Result<(), OAuthError> {
    return_path(parameters, client).map_err(|nowhere| refused(Problem::new("invalid_request", nowhere.to_string())))?;
    check(parameters, client).map(drop).map_err(refused)
}

fn refused(problem: Problem) -> OAuthError {
    OAuthError::new(errors::PUSH_REFUSED).detail(problem.description).named(problem.error)
}
