//! A request as it came: in the browser's address, signed by its client there (RFC 9101), or pushed before and only named there
//! (RFC 9126).

use super::Stop;
use crate::{
    app::App,
    client_keys,
    domain::{
        authorize::{self, NowhereToGo, Parameters, Problem, return_path},
        credential::Credential,
        pushed::{Named, PUSHED_TTL, PushedId, named},
        request_object,
    },
    errors,
    http::error::PageError,
    store::{
        clients::{self, Client},
        pushed,
    },
};

/// See the module.
#[derive(Debug, Clone)]
pub struct Request {
    pub parameters: Parameters,
    /// The pushed request that these are the parameters of.
    pub pushed: Option<PushedId>,
    /// Its client signed them, or they were taken in when they came without.
    pub signed: bool,
}

impl Request {
    /// The request that these parameters are, name, or hold. Whatever stands beside the name of a pushed request or beside a signed
    /// one counts for nothing (RFC 9126, section 4; RFC 9101, section 6.3).
    ///
    /// # Errors
    /// A page: where an answer could go is only known from the request itself (OAU-02).
    pub async fn resolve(app: &App, parameters: Parameters) -> Result<Self, Stop> {
        let request_uri = parameters.one("request_uri").ok().flatten();
        let id = match request_uri.map(named) {
            None => return Self::unsealed(app, parameters).await,
            Some(Named::Foreign) => return Ok(Self { parameters, pushed: None, signed: false }),
            Some(Named::Garbage) => return Err(over()),
            Some(Named::Pushed(id)) => id,
        };
        let client = authorize::client_id(&parameters)?;
        let after = app.clock.now().minus(PUSHED_TTL);
        let found = app.store.read(move |tx| {
            let client = client.clone();
            Box::pin(async move { pushed::find(tx, &id, client.as_str(), after).await })
        });
        let found = found.await?.ok_or_else(over)?;
        let parameters = Parameters::parse(found.as_bytes()).map_err(|_| over())?;
        Ok(Self { parameters, pushed: Some(id), signed: true })
    }

    /// The request in a request object, if there is one.
    async fn unsealed(app: &App, parameters: Parameters) -> Result<Self, Stop> {
        let Ok(Some(object)) = parameters.one("request") else {
            return Ok(Self { parameters, pushed: None, signed: false });
        };
        let id = authorize::client_id(&parameters)?;
        let found = app.store.read(move |tx| {
            let id = id.clone();
            Box::pin(async move { clients::by_id(tx, &id).await })
        });
        let client = found.await?.filter(|client| client.disabled_at.is_none()).ok_or(NowhereToGo::UnknownClient)?;
        match open(app, &client, object).await {
            Ok(parameters) => Ok(Self { parameters, pushed: None, signed: true }),
            // An error may go where the address says, if the client has registered that (OAU-02).
            Err(problem) => Err(Stop::back(&return_path(&parameters, &client.settings)?, problem)),
        }
    }
}

/// The parameters that this client has signed (RFC 9101).
///
/// # Errors
/// What the client hears.
pub async fn open(app: &App, client: &Client, object: &str) -> Result<Parameters, Problem> {
    let Credential::Keys(keys) = &client.credential else {
        return Err(Problem::new("request_not_supported", "this client has registered no keys to sign with"));
    };
    let keys = client_keys::of_token(app, &client.id, keys, object).await;
    let keys = keys.map_err(|error| {
        tracing::debug!(client = %client.id, %error, "a request object cannot be checked");
        Problem::new("invalid_request_object", "the client's keys cannot be read")
    })?;
    // A clock that is set back makes no old object good again.
    let read = request_object::read(object, &client.id, &keys, app.config.issuer.as_str(), app.steady_now());
    read.map_err(|refused| Problem::new("invalid_request_object", refused.to_string()))
}

fn over() -> Stop {
    let words = "request_uri names no request of this client, or one that is over or was granted";
    Stop::Page(PageError::new(errors::AUTHORIZE_INVALID).detail(words))
}
