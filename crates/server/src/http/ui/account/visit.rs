//! A browser on its person's own pages.

use axum::response::Response;
use http::{HeaderMap, Method};

use crate::{
    app::App,
    domain::{
        assurance::{FRESH, Level},
        browser::BrowserSecret,
        signin::{LiveSignin, SigninId},
        time::Timestamp,
    },
    errors,
    http::{
        authorize::{go, known_browser, signin},
        body::Form,
        cookies::require_same_origin,
        error::PageError,
    },
    store::signins,
};

/// See the module.
#[derive(Debug)]
pub(in crate::http) struct AccountVisit {
    pub purpose: Purpose,
    pub browser: BrowserSecret,
    pub signin: Option<LiveSignin>,
}

/// What somebody signs in for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Purpose {
    Account,
    /// To change what opens the account (MFA-05).
    Security,
    /// To add a passkey, which is such a change.
    Passkey,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Account, Self::Security, Self::Passkey];

    /// The purpose that a page names.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// How addresses and forms call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Security => "security",
            Self::Passkey => "passkey",
        }
    }

    /// Its page.
    pub const fn page(self) -> &'static str {
        match self {
            Self::Account => "/account",
            Self::Security => "/account/security",
            Self::Passkey => "/account/passkey",
        }
    }

    /// Whether only a sign-in of a moment ago gets there, with the second factor if there is one.
    pub const fn is_guarded(self) -> bool {
        matches!(self, Self::Security | Self::Passkey)
    }
}

impl AccountVisit {
    /// The visit of a browser that is known already.
    ///
    /// # Errors
    /// `form-expired`, and those of the store.
    pub async fn find(
        app: &App,
        headers: &HeaderMap,
        purpose: Purpose,
        signin: Option<SigninId>,
    ) -> Result<Self, PageError> {
        Self::load(app, purpose, known_browser(app, headers)?, signin).await
    }

    /// The visit of this browser, whose cookie names `signin`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load(
        app: &App,
        purpose: Purpose,
        browser: BrowserSecret,
        signin: Option<SigninId>,
    ) -> Result<Self, PageError> {
        let found = match signin {
            None => None,
            Some(id) => app.store.read(move |tx| Box::pin(async move { signins::find(tx, &id).await })).await?,
        };
        let signin = found.and_then(|found| found.live(app.clock.now(), app.config.refresh.idle).ok());
        Ok(Self { purpose, browser, signin })
    }

    /// The visit of a form that this browser sends from a page of its own (CSR-05, CSR-06), and whose it is; or the way to where
    /// its sender has to go first.
    ///
    /// # Errors
    /// `cross-site`, `form-expired`; those of the store.
    pub async fn of_form(
        app: &App,
        (method, headers): (&Method, &HeaderMap),
        form: &Form,
        (purpose, name): (Purpose, &str),
    ) -> Result<Result<(Self, LiveSignin), Response>, PageError> {
        require_same_origin(&app.config.issuer, method, headers)?;
        let visit = Self::find(app, headers, purpose, signin(app, headers)?).await?;
        let own = match visit.allowed(app.clock.now()) {
            Ok(own) => own.clone(),
            Err(elsewhere) => return go(&elsewhere).map(Err),
        };
        if visit.browser.owns_form(name, &own.user_id, form.get("form").unwrap_or_default()) {
            return Ok(Ok((visit, own)));
        }
        Err(PageError::new(errors::FORM_EXPIRED).log("a form without its token"))
    }

    /// Whether somebody has to sign in, or to sign in again.
    pub fn needs_sign_in(&self, now: Timestamp) -> bool {
        let stale = |signin: &LiveSignin| now.since(signin.auth_time) > FRESH && self.purpose.is_guarded();
        self.signin.as_ref().is_none_or(stale)
    }

    /// Whether their sign-in has to be made stronger, now that it is young enough.
    pub fn needs_second_factor(&self) -> bool {
        let weak = |signin: &LiveSignin| signin.second_factor && signin.level() < Level::Two;
        self.purpose.is_guarded() && self.signin.as_ref().is_some_and(weak)
    }

    /// Whoever may be here, or where they have to go first.
    pub fn allowed(&self, now: Timestamp) -> Result<&LiveSignin, String> {
        let signed_in = self.signin.as_ref().filter(|_| !self.needs_sign_in(now));
        let first = |page| format!("/ui/{page}?request={}", self.purpose.name());
        let own = signed_in.ok_or_else(|| first("signin"))?;
        if self.needs_second_factor() { Err(first("mfa")) } else { Ok(own) }
    }
}
