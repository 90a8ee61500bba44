//! What the account page says, as texts.

use crate::{
    app::App,
    domain::{
        activity,
        ago::{self, Ago},
        audit::AuditEvent,
        preferences::Preferences,
        signin::LiveSignin,
        time::Timestamp,
        user::UserId,
        user_agent,
    },
    errors,
    http::{
        account::{activity as events, signins},
        error::PageError,
        passkey,
        ui::words::Words,
    },
    store::{
        consents, factors,
        signed_in::SignedIn,
        upstreams,
        users::{self, User},
        users_deleted,
    },
};

/// How many devices, applications and events the page shows.
const DEVICES: usize = 50;
const APPLICATIONS: u32 = 100;
const EVENTS: u32 = 100;
const SHOWN_EVENTS: usize = 20;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::http) struct AccountFacts {
    pub email: String,
    pub confirmed: bool,
    pub since: String,
    pub preferences: Preferences,
    /// The day on which it goes.
    pub going: Option<String>,
    /// When the password was set; `None` if there is none.
    pub password: Option<String>,
    /// The issuers of other ways in.
    pub providers: Vec<String>,
    /// The names of second factors.
    pub factors: Vec<String>,
    /// Whether there can be passkeys here.
    pub passkeys: bool,
    pub devices: Vec<Device>,
    /// Devices that are not shown.
    pub more: usize,
    pub applications: Vec<Application>,
    pub events: Vec<Happened>,
}

#[derive(Debug)]
pub(in crate::http) struct Device {
    pub id: String,
    pub name: String,
    pub own: bool,
    pub ip: String,
    pub began: String,
    pub seen: String,
    pub clients: Vec<String>,
}

#[derive(Debug)]
pub(in crate::http) struct Application {
    pub id: String,
    pub name: String,
    pub since: String,
    pub wishes: Vec<String>,
}

#[derive(Debug)]
pub(in crate::http) struct Happened {
    pub what: String,
    pub when: String,
    pub ip: String,
}

/// What is known of somebody, before it is said in a language.
pub(super) struct Known {
    now: Timestamp,
    own: LiveSignin,
    user: User,
    going: Option<Timestamp>,
    providers: Vec<String>,
    factors: Vec<String>,
    passkeys: bool,
    consents: Vec<consents::Consent>,
    signins: Vec<SignedIn>,
    events: Vec<AuditEvent>,
}

/// Reads it of whoever is signed in.
///
/// # Errors
/// Those of the store.
pub(super) async fn load(app: &App, own: &LiveSignin) -> Result<Known, PageError> {
    let now = app.clock.now();
    let user = UserId::parse(&own.user_id);
    let id = user.ok_or_else(|| PageError::new(errors::INTERNAL).log("a stored user id is malformed"))?;
    let (user, going, identities, consents, factors) = app
        .store
        .read(move |tx| {
            let id = id.clone();
            Box::pin(async move {
                let user = users::by_id(tx, &id).await?;
                let identities = upstreams::of_user(tx, &id).await?;
                let going = users_deleted::when(tx, &id).await?;
                let factors = factors::list(tx, &id).await?;
                Ok((user, going, identities, consents::list(tx, id.as_str(), "", APPLICATIONS).await?, factors))
            })
        })
        .await?;
    Ok(Known {
        now,
        own: own.clone(),
        user: user.ok_or(errors::FORM_EXPIRED)?,
        going,
        providers: identities.into_iter().map(|(identity, _)| identity.issuer).collect(),
        factors: factors.into_iter().map(|factor| factor.name).collect(),
        passkeys: passkey::site(app).is_ok(),
        consents,
        signins: signins::load(app, &own.user_id, now).await?,
        events: events::load(app, &own.user_id, None, EVENTS).await?,
    })
}

impl Known {
    pub fn preferences(&self) -> Preferences {
        self.user.preferences
    }

    /// All of it in words.
    pub fn say(self, words: &Words) -> AccountFacts {
        let Self { now, own, user, going, providers, factors, passkeys, consents, signins, events } = self;
        let when = |at| (words.ago)(Ago::of(at, now));
        let application = |consent: consents::Consent| Application {
            id: consent.client_id,
            name: consent.client_name,
            since: ago::date(consent.granted_at),
            wishes: words.wishes(&consent.scope),
        };
        let happened = events.iter().filter_map(|event| {
            let what = activity::words(event, &words.happened)?;
            Some(Happened { what, when: when(event.at), ip: event.source.ip.clone() })
        });
        AccountFacts {
            email: user.email,
            confirmed: user.email_verified_at.is_some(),
            since: ago::date(user.created_at),
            preferences: user.preferences,
            going: going.map(ago::date),
            password: user.password_changed_at.filter(|_| user.has_password).map(when),
            providers,
            factors,
            passkeys,
            more: signins.len().saturating_sub(DEVICES),
            devices: devices(signins, &own, now, words),
            applications: consents.into_iter().map(application).collect(),
            events: happened.take(SHOWN_EVENTS).collect(),
        }
    }
}

/// This device first.
fn devices(mut signins: Vec<SignedIn>, own: &LiveSignin, now: Timestamp, words: &Words) -> Vec<Device> {
    signins.sort_by_key(|signin| signin.id != own.id);
    let device = |signin: SignedIn| Device {
        id: signins::name(&signin.id),
        name: (words.program)(user_agent::program(&signin.device)),
        own: signin.id == own.id,
        ip: signin.ip,
        began: (words.ago)(Ago::of(signin.created_at, now)),
        seen: (words.ago)(Ago::of(signin.last_seen_at, now)),
        clients: signin.clients,
    };
    signins.into_iter().take(DEVICES).map(device).collect()
}

#[cfg(test)]
impl AccountFacts {
    /// With this text wherever one can be.
    pub fn full_of(text: &str) -> Self {
        let texts = vec![text.to_owned()];
        let device = |own| Device {
            id: text.to_owned(),
            name: text.to_owned(),
            own,
            ip: text.to_owned(),
            began: text.to_owned(),
            seen: text.to_owned(),
            clients: texts.clone(),
        };
        let application =
            Application { id: text.to_owned(), name: text.to_owned(), since: text.to_owned(), wishes: texts.clone() };
        let event = Happened { what: text.to_owned(), when: text.to_owned(), ip: text.to_owned() };
        Self {
            email: text.to_owned(),
            confirmed: true,
            since: text.to_owned(),
            preferences: Preferences::default(),
            going: Some(text.to_owned()),
            password: Some(text.to_owned()),
            providers: texts.clone(),
            factors: texts.clone(),
            passkeys: true,
            devices: vec![device(true), device(false)],
            more: 1,
            applications: vec![application],
            events: vec![event],
        }
    }
}
