//! A browser on its person's own pages.

use http::HeaderMap;

use crate::{
    app::App,
    domain::{
        browser::BrowserSecret,
        signin::{LiveSignin, SigninId},
    },
    http::{authorize::known_browser, error::PageError},
    store::signins,
};

/// See the module.
#[derive(Debug)]
pub(in crate::http) struct AccountVisit {
    pub browser: BrowserSecret,
    pub signin: Option<LiveSignin>,
}

impl AccountVisit {
    /// How addresses and forms call what a person signs in for here.
    pub const NAME: &str = "account";

    /// The visit of a browser that is known already.
    ///
    /// # Errors
    /// `form-expired`, and those of the store.
    pub async fn find(app: &App, headers: &HeaderMap, signin: Option<SigninId>) -> Result<Self, PageError> {
        Self::load(app, known_browser(app, headers)?, signin).await
    }

    /// The visit of this browser, whose cookie names `signin`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load(app: &App, browser: BrowserSecret, signin: Option<SigninId>) -> Result<Self, PageError> {
        let found = match signin {
            None => None,
            Some(id) => app.store.read(move |tx| Box::pin(async move { signins::find(tx, &id).await })).await?,
        };
        let signin = found.and_then(|found| found.live(app.clock.now(), app.config.refresh.idle).ok());
        Ok(Self { browser, signin })
    }
}
