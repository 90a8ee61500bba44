//! What a person signs in for: a client's request, a device, or their own account.

use axum::response::Response;
use http::{HeaderMap, Method};

use super::{
    Leads, Look,
    account::{AccountVisit, Purpose},
    device::DeviceVisit,
    words::Words,
};
use crate::{
    app::App,
    domain::{
        authorize::{Prompt, Step},
        browser::BrowserSecret,
        signin::{Signin, SigninId},
        time::Timestamp,
    },
    errors,
    http::{
        authorize::{Stop, Visit, go, signin},
        body::Form,
        context::Context,
        cookies::require_same_origin,
        error::PageError,
    },
};

/// See the module.
#[derive(Debug)]
pub(super) enum Errand {
    Client(Box<Visit>),
    Device(Box<DeviceVisit>),
    Account(Box<AccountVisit>),
}

impl Errand {
    /// The errand that a page names, as it stands now for whoever has `signin`.
    ///
    /// # Errors
    /// [`Stop`]; `form-expired` if it is not there, over, or another browser's.
    pub async fn find(
        app: &App,
        headers: &HeaderMap,
        name: Option<&str>,
        signin: Option<SigninId>,
    ) -> Result<Self, Stop> {
        if name.is_some_and(DeviceVisit::is_name) {
            let visit = DeviceVisit::find(app, headers, name, signin).await.map_err(Stop::Page)?;
            return Ok(Self::Device(Box::new(visit)));
        }
        if let Some(purpose) = name.and_then(Purpose::parse) {
            let visit = AccountVisit::find(app, headers, purpose, signin).await.map_err(Stop::Page)?;
            return Ok(Self::Account(Box::new(visit)));
        }
        Visit::find(app, headers, name, signin).await.map(|visit| Self::Client(Box::new(visit)))
    }

    /// The errand of a form that this browser sends from a page of its own (CSR-05, CSR-06), or the answer that its sender gets
    /// instead.
    ///
    /// # Errors
    /// `cross-site`, `form-expired`; those of the store.
    pub async fn of_form(
        app: &App,
        context: &Context,
        (method, headers): (&Method, &HeaderMap),
        form: &Form,
        name: &str,
    ) -> Result<Result<Self, Response>, PageError> {
        require_same_origin(&app.config.issuer, method, headers)?;
        let errand = match Self::find(app, headers, form.get("request"), signin(app, headers)?).await {
            Ok(errand) => errand,
            Err(stop) => return stop.into_response(app, context).map(Err),
        };
        if errand.browser().owns_form(name, &errand.name(), form.get("form").unwrap_or_default()) {
            return Ok(Ok(errand));
        }
        Err(PageError::new(errors::FORM_EXPIRED).log("a form without its token"))
    }

    /// As the page calls it.
    pub fn name(&self) -> String {
        match self {
            Self::Client(visit) => visit.name.as_str().to_owned(),
            Self::Device(visit) => visit.name(),
            Self::Account(visit) => visit.purpose.name().to_owned(),
        }
    }

    pub fn browser(&self) -> &BrowserSecret {
        match self {
            Self::Client(visit) => &visit.browser,
            Self::Device(visit) => &visit.browser,
            Self::Account(visit) => &visit.browser,
        }
    }

    /// Who is signed in here.
    pub fn signin(&self) -> Option<&Signin> {
        match self {
            Self::Client(visit) => visit.ceremony.signin.as_deref(),
            Self::Device(visit) => visit.signin.as_deref(),
            Self::Account(visit) => visit.signin.as_deref(),
        }
    }

    pub fn needs_sign_in(&self, now: Timestamp) -> bool {
        match self {
            Self::Client(visit) => visit.ceremony.step(false, now) == Ok(Step::SignIn),
            Self::Device(visit) => visit.signin.is_none(),
            Self::Account(visit) => visit.needs_sign_in(now),
        }
    }

    /// Whether the sign-in here is to be made stronger.
    pub fn needs_second_factor(&self, now: Timestamp) -> bool {
        match self {
            Self::Client(visit) => visit.ceremony.step(false, now) == Ok(Step::SecondFactor),
            Self::Device(visit) => visit.needs_second_factor(),
            Self::Account(visit) => visit.needs_second_factor(),
        }
    }

    /// Whether the client asks for a sign-in that happens now, whatever the person did before.
    pub fn wants_fresh(&self) -> bool {
        match self {
            Self::Client(visit) => {
                let request = &visit.ceremony.request;
                let anew = [Prompt::Login, Prompt::SelectAccount].iter().any(|prompt| request.prompt.contains(prompt));
                anew || request.max_age.is_some()
            }
            Self::Device(_) => false,
            Self::Account(visit) => visit.purpose.is_guarded(),
        }
    }

    /// How the pages look.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn look(&self, app: &App) -> Result<Look, PageError> {
        match self {
            Self::Client(visit) => Look::of(app, &visit.ceremony.client.id).await,
            Self::Device(visit) => Look::of(app, &visit.client.id).await,
            Self::Account(_) => Ok(Look::default()),
        }
    }

    /// For whom, in words.
    pub fn client(&self, words: &Words) -> &str {
        match self {
            Self::Client(visit) => &visit.ceremony.client.settings.name,
            Self::Device(visit) => &visit.client.settings.name,
            Self::Account(_) => words.shared.your_account,
        }
    }

    /// The address that the client thinks it is.
    pub fn login_hint(&self) -> Option<&str> {
        match self {
            Self::Client(visit) => visit.ceremony.request.login_hint.as_deref(),
            Self::Device(_) | Self::Account(_) => None,
        }
    }

    /// Where the form may lead to besides the issuer.
    pub fn destination(&self) -> Option<String> {
        match self {
            Self::Client(visit) => Some(visit.ceremony.path.redirect.policy_source()),
            Self::Device(_) | Self::Account(_) => None,
        }
    }

    /// Sends the person on to what comes next.
    ///
    /// # Errors
    /// As granting.
    pub async fn go_on(self, app: &App, context: &Context) -> Result<Response, PageError> {
        match self {
            Self::Client(visit) => visit.go_on(app, context, false).await,
            Self::Device(visit) => go(&visit.page("device")),
            Self::Account(visit) => go(visit.purpose.page()),
        }
    }
}

/// The policy of a page whose form may lead there.
pub(super) fn leads(destination: Option<&str>) -> Leads<'_> {
    destination.map_or(Leads::Home, Leads::HomeAndOn)
}
