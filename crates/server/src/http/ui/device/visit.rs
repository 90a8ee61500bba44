//! A device whose code was typed, while its person signs in and decides; bound to their browser as an authorization request is.

use std::time::Duration;

use http::HeaderMap;

use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event},
        browser::{BrowserSecret, RequestName},
        client::ClientId,
        device::{Answer, Approval},
        signin::{LiveSignin, SigninId},
    },
    errors,
    http::{authorize::known_browser, context::Context, error::PageError},
    store::{
        audit,
        authorizations::{self, NewAuthorization},
        clients::{self, Client},
        consents,
        devices::{self, Waiting},
        signins,
    },
};

/// How long a person may take; the device's own time may be over before.
const PATIENCE: Duration = Duration::from_mins(10);

/// See the module.
#[derive(Debug)]
pub(in crate::http) struct DeviceVisit {
    name: RequestName,
    pub browser: BrowserSecret,
    pub waiting: Waiting,
    pub client: Client,
    pub signin: Option<LiveSignin>,
}

impl DeviceVisit {
    /// What the names of these visits begin with in addresses and forms; those of authorization requests do not.
    const PREFIX: &str = "d.";

    pub fn is_name(text: &str) -> bool {
        text.starts_with(Self::PREFIX)
    }

    /// Lets the visit begin, and says how it is called.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn begin(app: &App, browser: &BrowserSecret, waiting: Waiting) -> Result<String, PageError> {
        let (name, now) = (RequestName::new(&app.random.bytes()?), app.clock.now());
        let new = NewAuthorization {
            name: name.clone(),
            browser: browser.hash(),
            client_id: waiting.client_id,
            parameters: String::new(),
            pushed: None,
            device: Some(waiting.id),
            created_at: now,
            expires_at: now.plus(PATIENCE),
        };
        app.store
            .write(move |tx| {
                let new = new.clone();
                Box::pin(async move { authorizations::insert(tx, &new).await })
            })
            .await?;
        Ok(format!("{}{}", Self::PREFIX, name.as_str()))
    }

    /// Finds a visit, as it stands now for whoever has `signin`.
    ///
    /// # Errors
    /// `form-expired`: it is not there, another browser's, the device does not wait any more, or its client is disabled.
    pub async fn find(
        app: &App,
        headers: &HeaderMap,
        name: Option<&str>,
        signin: Option<SigninId>,
    ) -> Result<Self, PageError> {
        let over = || PageError::from(errors::FORM_EXPIRED);
        let name = name.and_then(|name| name.strip_prefix(Self::PREFIX)).and_then(RequestName::parse);
        let name = name.ok_or_else(over)?;
        let browser = known_browser(app, headers)?;
        let (wanted, hash, now) = (name.clone(), browser.hash(), app.clock.now());
        let found = app.store.read(move |tx| {
            let name = wanted.clone();
            Box::pin(async move {
                let found = authorizations::find(tx, &name, &hash, now).await?;
                let Some(device) = found.and_then(|found| found.device) else { return Ok(None) };
                let Some(waiting) = devices::waiting_by_id(tx, &device, now).await? else { return Ok(None) };
                let client = match ClientId::parse(&waiting.client_id) {
                    Ok(id) => clients::by_id(tx, &id).await?,
                    Err(_) => None,
                };
                let signin = match signin {
                    Some(id) => signins::find(tx, &id).await?,
                    None => None,
                };
                Ok(client.map(|client| (waiting, client, signin)))
            })
        });
        let (waiting, client, signin) = found.await?.ok_or_else(over)?;
        if client.disabled_at.is_some() {
            return Err(over());
        }
        let signin = signin.and_then(|signin| signin.live(now, app.config.refresh.idle).ok());
        Ok(Self { name, browser, waiting, client, signin })
    }

    /// As forms and addresses call it.
    pub fn name(&self) -> String {
        format!("{}{}", Self::PREFIX, self.name.as_str())
    }

    /// The address of a page of it.
    pub fn page(&self, page: &str) -> String {
        format!("/ui/{page}?request={}", self.name())
    }

    /// Whether the sign-in here must be made stronger before it lets this client in.
    pub fn needs_second_factor(&self) -> bool {
        let needed = self.client.settings.sign_in.required_level;
        self.signin.as_ref().is_some_and(|signin| signin.level() < needed)
    }

    /// What the form is about: this visit, and the person who was shown it.
    ///
    /// # Errors
    /// `form-expired`: nobody is signed in.
    pub fn about(&self) -> Result<String, PageError> {
        Ok(format!("{} {}", self.name.as_str(), self.signed_in()?.user_id))
    }

    /// What the device's own sign-in will say.
    ///
    /// # Errors
    /// `form-expired`: nobody is signed in; `second-factor-missing`.
    pub fn approval(&self) -> Result<Approval, PageError> {
        let signin = self.signed_in()?;
        if self.needs_second_factor() {
            return Err(errors::SECOND_FACTOR_MISSING.into());
        }
        Ok(Approval {
            user_id: signin.user_id.clone(),
            auth_time: signin.auth_time,
            amr: signin.amr.clone(),
            acr: signin.acr.clone(),
            auth_rsn: signin.auth_rsn,
        })
    }

    /// Notes the answer, once.
    ///
    /// # Errors
    /// `form-expired` if it was answered before, or the device's time is over.
    pub async fn answer(self, app: &App, context: &Context, answer: Answer) -> Result<(), PageError> {
        let now = app.clock.now();
        let user = self.signed_in()?.user_id.clone();
        let event = AuditEvent::new(Event::ConsentGranted, now, &context.source(&user), app.random.bytes()?)
            .user(&user)
            .client(self.client.id.as_str())
            .with("scope", self.waiting.scope.as_str())
            .with("device", self.waiting.user_code.as_str());
        let allowed = matches!(answer, Answer::Allowed(_)).then_some((self.waiting.scope.clone(), event));
        let (name, id, client) = (self.name, self.waiting.id, self.client.id);
        let noted = app.store.write(move |tx| {
            let (name, answer, allowed) = (name.clone(), answer.clone(), allowed.clone());
            let (user, client) = (user.clone(), client.clone());
            Box::pin(async move {
                if !authorizations::finish(tx, &name).await? || !devices::answer(tx, &id, &answer, now).await? {
                    return Ok(false);
                }
                // Remembered, so that the person finds it among what they have agreed to, and can take it back (OAU-11).
                if let Some((scope, event)) = &allowed {
                    consents::add(tx, &user, client.as_str(), &scope.parse().unwrap_or_default(), now).await?;
                    audit::insert(tx, event).await?;
                }
                Ok(true)
            })
        });
        if noted.await? { Ok(()) } else { Err(errors::FORM_EXPIRED.into()) }
    }

    fn signed_in(&self) -> Result<&LiveSignin, PageError> {
        self.signin.as_ref().ok_or_else(|| PageError::new(errors::FORM_EXPIRED).log("not signed in"))
    }
}
