//! A request as it came: in the browser's address, or pushed before and only named there (RFC 9126).

use super::Stop;
use crate::{
    app::App,
    domain::{
        authorize::{self, Parameters},
        pushed::{Named, PUSHED_TTL, PushedId, named},
    },
    errors,
    http::error::PageError,
    store::pushed,
};

/// See the module.
#[derive(Debug, Clone)]
pub struct Request {
    pub parameters: Parameters,
    /// The pushed request that these are the parameters of.
    pub pushed: Option<PushedId>,
}

impl Request {
    /// The request that these parameters are or name. Whatever stands beside the name of a pushed request counts for nothing
    /// (RFC 9126, section 4).
    ///
    /// # Errors
    /// A page: where an answer could go is only known from the request itself (OAU-02).
    pub async fn resolve(app: &App, parameters: Parameters) -> Result<Self, Stop> {
        let request_uri = parameters.one("request_uri").ok().flatten();
        let id = match request_uri.map(named) {
            None | Some(Named::Foreign) => return Ok(Self { parameters, pushed: None }),
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
        Ok(Self { parameters, pushed: Some(id) })
    }
}

fn over() -> Stop {
    let words = "request_uri names no request of this client, or one that is over or was granted";
    Stop::Page(PageError::new(errors::AUTHORIZE_INVALID).detail(words))
}
