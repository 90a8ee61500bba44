//! A request that waits while its person is on the pages: begun by `/authorize`, found again by each page, in the same browser
//! alone (CSR-06).

use std::time::Duration;

use axum::response::Response;
use http::{HeaderMap, header};

use super::{
    Ceremony,
    answer::{Stop, answer, go},
    grant::Answered,
    request::Request,
};
use crate::{
    app::App,
    domain::{
        authorize::{Parameters, Problem, Step},
        browser::{BrowserSecret, RequestName},
        language::Language,
        signin::SigninId,
        time::retry_after_secs,
    },
    errors,
    http::{context::Context, cookies::Cookie, error::PageError},
    store::{
        authorizations::{self, NewAuthorization},
        pushed,
    },
};

/// How long a person may take.
const PATIENCE: Duration = Duration::from_mins(30);
/// How long a browser keeps its pre-session.
const BROWSER_TTL: Duration = Duration::from_hours(24);

/// See the module.
#[derive(Debug)]
pub struct Visit {
    pub name: RequestName,
    pub browser: BrowserSecret,
    pub ceremony: Ceremony,
}

impl Visit {
    /// Lets a request wait and sends its person to the page of this step.
    ///
    /// # Errors
    /// 429 for an address that begins too many.
    pub async fn begin(
        app: &App,
        context: &Context,
        headers: &HeaderMap,
        ceremony: &Ceremony,
        step: Step,
    ) -> Result<Response, PageError> {
        let now = app.clock.now();
        app.limiter.take_request(context.address, now).map_err(|too_many| {
            PageError::new(errors::TOO_MANY_ATTEMPTS).retry_after(retry_after_secs(too_many.retry_after))
        })?;
        let browser = new_browser(app, headers)?;
        let name = RequestName::new(&app.random.bytes()?);
        let new = NewAuthorization {
            name: name.clone(),
            browser: browser.hash(),
            client_id: ceremony.client.id.to_string(),
            parameters: ceremony.asked.parameters.encode(),
            pushed: ceremony.asked.pushed,
            device: None,
            created_at: now,
            expires_at: now.plus(PATIENCE),
        };
        app.store
            .write(move |tx| {
                let new = new.clone();
                Box::pin(async move { authorizations::insert(tx, &new).await })
            })
            .await?;
        let mut response = go(&page_of(step, &name))?;
        remember_browser(app, &browser, &mut response);
        let asked = ceremony.asked.parameters.one("ui_locales").ok().flatten();
        speak(app, headers, asked.and_then(Language::of_locales), &mut response);
        Ok(response)
    }

    /// Finds the request that a page names, as it stands now for whoever has `signin`.
    ///
    /// # Errors
    /// [`Stop`]; `form-expired` if it is not there, over, or another browser's.
    pub async fn find(
        app: &App,
        headers: &HeaderMap,
        name: Option<&str>,
        signin: Option<SigninId>,
    ) -> Result<Self, Stop> {
        let over = || Stop::Page(PageError::new(errors::FORM_EXPIRED));
        let name = name.and_then(RequestName::parse).ok_or_else(over)?;
        let browser = known_browser(app, headers).map_err(Stop::Page)?;
        let (wanted, hash, now) = (name.clone(), browser.hash(), app.clock.now());
        let found = app
            .store
            .read(move |tx| {
                let name = wanted.clone();
                Box::pin(async move { authorizations::find(tx, &name, &hash, now).await })
            })
            .await?;
        let found = found.ok_or_else(over)?;
        let parameters = Parameters::parse(found.parameters.as_bytes()).map_err(|_| over())?;
        let asked = Request { parameters, pushed: found.pushed, signed: true };
        let ceremony = Ceremony::load(app, signin, asked, found.created_at).await?;
        Ok(Self { name, browser, ceremony })
    }

    /// Sends the person on to the next step; `agreed` if they were asked and said yes.
    ///
    /// # Errors
    /// As granting.
    pub async fn go_on(self, app: &App, context: &Context, agreed: bool) -> Result<Response, PageError> {
        match self.ceremony.step(agreed, app.clock.now()) {
            Ok(Step::Grant) => {
                let answered = Answered { name: self.name, agreed };
                self.ceremony.grant(app, context, Some(answered)).await
            }
            Ok(step) => go(&page_of(step, &self.name)),
            Err(problem) => self.give_up(app, context, problem).await,
        }
    }

    /// Ends the wait with an error for the client.
    ///
    /// # Errors
    /// `form-expired` if the request was answered before.
    pub async fn give_up(self, app: &App, context: &Context, problem: Problem) -> Result<Response, PageError> {
        let (name, pushed) = (self.name.clone(), self.ceremony.asked.pushed);
        let ended = app
            .store
            .write(move |tx| {
                let name = name.clone();
                Box::pin(async move {
                    if let Some(pushed) = &pushed {
                        pushed::finish(tx, pushed).await?;
                    }
                    authorizations::finish(tx, &name).await
                })
            })
            .await?;
        if !ended {
            return Err(errors::FORM_EXPIRED.into());
        }
        let fields = [("error", problem.error), ("error_description", &*problem.description)];
        answer(app, context, &self.ceremony.path, &fields)
    }
}

/// The browser that a page's form comes from.
///
/// # Errors
/// `form-expired`: it has no pre-session.
pub fn known_browser(app: &App, headers: &HeaderMap) -> Result<BrowserSecret, PageError> {
    let cookie = Cookie::Browser.read(&app.config.issuer, headers)?;
    cookie.as_deref().and_then(BrowserSecret::parse).ok_or_else(|| errors::FORM_EXPIRED.into())
}

/// The browser that asks for a page with a form, new if it has no pre-session yet.
///
/// # Errors
/// The cookie came twice; the random source failed.
pub fn new_browser(app: &App, headers: &HeaderMap) -> Result<BrowserSecret, PageError> {
    let known = Cookie::Browser.read(&app.config.issuer, headers)?.as_deref().and_then(BrowserSecret::parse);
    match known {
        Some(browser) => Ok(browser),
        None => Ok(BrowserSecret::new(&app.random.bytes()?)),
    }
}

/// Lets the pages that follow speak the language that the application asked for, or forget what another one asked for before.
fn speak(app: &App, headers: &HeaderMap, asked: Option<Language>, response: &mut Response) {
    let (issuer, cookie) = (&app.config.issuer, Cookie::Locale);
    let before = cookie.read(issuer, headers).unwrap_or_default();
    let set = match asked {
        Some(language) => cookie.set(issuer, language.as_str(), PATIENCE.as_secs()),
        None => before.and_then(|_| cookie.clear(issuer)),
    };
    if let Some(set) = set {
        response.headers_mut().append(header::SET_COOKIE, set);
    }
}

/// Lets the browser keep its pre-session.
pub fn remember_browser(app: &App, browser: &BrowserSecret, response: &mut Response) {
    let cookie = Cookie::Browser.set(&app.config.issuer, browser.expose(), BROWSER_TTL.as_secs());
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
}

fn page_of(step: Step, name: &RequestName) -> String {
    let page = match step {
        Step::SignIn => "signin",
        Step::SecondFactor => "mfa",
        Step::Agree | Step::Grant => "consent",
    };
    format!("/ui/{page}?request={}", name.as_str())
}
