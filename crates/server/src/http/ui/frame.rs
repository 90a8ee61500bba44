//! What every page has: the issuer's name, the language and the look that its person wants, and a footer where another language can be
//! chosen.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::{
    Leads, Loads, Look,
    words::{Words, words},
};
use crate::{
    app::App,
    domain::{
        language::Language,
        preferences::{Preferences, Theme},
    },
    errors,
    http::{context::Context, error::PageError},
};

/// The longest address that a page's footer comes back to, bytes.
const MAX_ADDRESS: usize = 2048;

/// See the module.
#[derive(Debug)]
pub(in crate::http) struct Frame<'a> {
    /// The issuer's host, as people know it.
    pub host: &'a str,
    pub words: &'static Words,
    pub language: Language,
    pub theme: Option<Theme>,
    /// The address of this page, if it has one of its own: whoever chooses another language comes back to it.
    address: Option<String>,
}

impl<'a> Frame<'a> {
    /// For whoever sent this request.
    pub fn new(app: &'a App, context: &Context) -> Self {
        let language = context.language(app.config.language);
        Self {
            host: app.config.issuer.host(),
            words: words(language),
            language,
            theme: context.chosen.theme,
            address: context.page.as_ref().map(ToString::to_string),
        }
    }

    /// The same for a page that has this address, however it was come to.
    #[must_use]
    pub fn at(mut self, address: String) -> Self {
        self.address = Some(address);
        self
    }

    /// The same for a page where nothing is to be chosen in the footer.
    #[must_use]
    pub fn fixed(mut self) -> Self {
        self.address = None;
        self
    }

    /// The same for a person who has chosen these.
    #[must_use]
    pub fn preferring(mut self, chosen: Preferences) -> Self {
        if let Some(language) = chosen.language {
            (self.language, self.words) = (language, words(language));
        }
        self.theme = chosen.theme.or(self.theme);
        self
    }

    /// Where the footer's form comes back to.
    pub fn comes_back_to(&self) -> Option<&str> {
        self.address.as_deref().filter(|address| address.len() <= MAX_ADDRESS)
    }

    /// What browsers may make of the page's colours.
    pub fn color_scheme(&self) -> &'static str {
        self.theme.map_or("light dark", Theme::as_str)
    }

    /// Renders a page under its policy.
    ///
    /// # Errors
    /// `internal`
    pub fn page(&self, page: &impl Template, status: StatusCode, leads: Leads<'_>) -> Result<Response, PageError> {
        self.rendered(page, status, leads, Loads::default())
    }

    /// Renders a page that carries a picture of its own.
    ///
    /// # Errors
    /// `internal`
    pub fn pictured(&self, page: &impl Template, status: StatusCode) -> Result<Response, PageError> {
        self.rendered(page, status, Leads::Home, Loads { pictures: true, scripts: false })
    }

    /// Renders a page of a client, with what it shows of it.
    ///
    /// # Errors
    /// `internal`
    pub fn page_of(
        &self,
        page: &impl Template,
        status: StatusCode,
        leads: Leads<'_>,
        look: &Look,
    ) -> Result<Response, PageError> {
        self.rendered(page, status, leads, Loads { pictures: look.logo.is_some(), scripts: false })
    }

    /// Renders a page on which the script of passkeys may run.
    ///
    /// # Errors
    /// `internal`
    pub fn page_with_passkeys(
        &self,
        page: &impl Template,
        status: StatusCode,
        leads: Leads<'_>,
        look: &Look,
    ) -> Result<Response, PageError> {
        self.rendered(page, status, leads, Loads { pictures: look.logo.is_some(), scripts: true })
    }

    fn rendered(
        &self,
        page: &impl Template,
        status: StatusCode,
        leads: Leads<'_>,
        loads: Loads,
    ) -> Result<Response, PageError> {
        let broken = |error: &dyn std::fmt::Display| PageError::new(errors::INTERNAL).log(error.to_string());
        let html = page.render().map_err(|error| broken(&error))?;
        let leads = match leads {
            // The footer has a form.
            Leads::Nowhere if self.comes_back_to().is_some() => Leads::Home,
            other => other,
        };
        let policy = HeaderValue::try_from(leads.policy(loads)).map_err(|error| broken(&error))?;
        let mut response = (status, Html(html)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(self.language.as_str()));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Language, Cookie"));
        if !matches!(leads, Leads::On(_)) {
            // The page holds nothing that its address could give away, and browsers then name the origin of its forms (CSR-05).
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        }
        Ok(response)
    }
}

#[cfg(test)]
impl Frame<'static> {
    /// With this text wherever one can be.
    pub fn full_of(text: &'static str, language: Language) -> Self {
        let (words, address) = (words(language), Some(text.to_owned()));
        Self { host: text, words, language, theme: Some(Theme::Dark), address }
    }
}
