//! `/account/security`: how somebody signs in, without a script. Whoever changes it has signed in a moment ago, and with the
//! second factor if there is one (MFA-05). The JSON behind it is `/api/account/factors` and `/api/account/recovery-codes`.

use axum::{extract::State, response::Response};
use base64_simd::STANDARD;
use http::{HeaderMap, Method, StatusCode, Uri};

use super::{AccountVisit, Purpose};
use crate::{
    app::App,
    domain::{
        ago::{self, Ago},
        factor::{Factor, Kind, MAX_TOTPS},
        recovery::{COUNT, RecoveryCode},
        signin::LiveSignin,
        time::Timestamp,
        user::UserId,
    },
    errors,
    http::{
        account::{
            factors::{
                self,
                totp::{self, Begun},
            },
            recovery_codes,
        },
        authorize::{go, new_browser, remember_browser, signin},
        body::Form,
        caller::SignedIn,
        context::Context,
        error::PageError,
        passkey,
        ui::{
            AuthenticatorPage, Frame, Leads, PageForm, RecoveryCodesPage, SecurityPage,
            letter::{Mendable, mendable},
            words::Words,
        },
    },
    secret::PlainSecret,
    store::{upstreams, users},
};

/// The parameters of the page's forms.
pub const PARAMETERS: &[&str] = &["form", "act", "id", "others"];

/// Those of the form with the code.
pub const CODE: &[&str] = &["form", "id", "code", "others"];

/// The forms' name, as their token has it.
const FORM: &str = "security";

/// What was done last, as the address of the page carries it, and its words.
fn done<'w>(words: &'w Words, name: Option<&str>) -> Option<&'w str> {
    match name? {
        "added" => Some(words.security.done_added),
        "removed" => Some(words.security.done_removed),
        _ => None,
    }
}

/// What the page says.
#[derive(Debug)]
pub(in crate::http) struct SecurityFacts {
    /// When the password was set; `None` if there is none.
    pub password: Option<String>,
    /// The issuers of other ways in.
    pub providers: Vec<String>,
    pub factors: Vec<FactorFacts>,
    /// How many recovery codes are left.
    pub codes: i64,
    /// There is room for another app.
    pub room: bool,
    /// Whether there can be passkeys here.
    pub passkeys: bool,
}

#[derive(Debug)]
pub(in crate::http) struct FactorFacts {
    pub id: String,
    pub kind: String,
    pub name: String,
    pub since: String,
    pub used: Option<String>,
}

/// `GET /account/security`
pub async fn show(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    let browser = new_browser(&app, &headers)?;
    let visit = AccountVisit::load(&app, Purpose::Security, browser, signin(&app, &headers)?).await?;
    let mut response = match visit.allowed(app.clock.now()) {
        Err(elsewhere) => go(&elsewhere)?,
        Ok(own) => {
            let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
            let frame = Frame::new(&app, &context);
            let facts = SecurityPage {
                frame: &frame,
                form: &visit.browser.form_token(FORM, &own.user_id),
                done: done(frame.words, query.get("done")),
                facts: &load(&app, frame.words, own).await?,
            };
            frame.page(&facts, StatusCode::OK, Leads::Home)?
        }
    };
    remember_browser(&app, &visit.browser, &mut response);
    Ok(response)
}

/// `POST /account/security`
pub async fn act(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let (visit, own) = match AccountVisit::of_form(&app, (&method, &headers), &form, (Purpose::Security, FORM)).await? {
        Ok(own) => own,
        Err(answer) => return Ok(answer),
    };
    let caller = SignedIn::from(&own);
    let frame = Frame::new(&app, &context);
    match form.get("act") {
        Some("authenticator") => {
            let (begun, _) = totp::start(&app, &caller, None).await?;
            asked(&frame, &visit, &caller, &begun, None)
        }
        Some("recovery-codes") => {
            let codes = recovery_codes::renew(&app, &context, &caller).await?;
            written(&frame, frame.words.security.new_codes, &codes)
        }
        Some("remove") => {
            // What is gone already was removed by another tab.
            let others = form.get("others").is_some();
            factors::remove_one(&app, &context, &caller, form.get("id").unwrap_or_default(), others).await?;
            go("/account/security?done=removed")
        }
        _ => Err(PageError::new(errors::MALFORMED_FORM).detail("act is authenticator, recovery-codes or remove")),
    }
}

/// `POST /account/security/authenticator`
pub async fn confirm(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let (visit, own) = match AccountVisit::of_form(&app, (&method, &headers), &form, (Purpose::Security, FORM)).await? {
        Ok(own) => own,
        Err(answer) => return Ok(answer),
    };
    let caller = SignedIn::from(&own);
    let id = form.get("id").unwrap_or_default();
    let code = PlainSecret::new(form.get("code").unwrap_or_default().to_owned());
    let body = totp::Confirm { code, end_other_sessions: form.get("others").is_some() };
    let frame = Frame::new(&app, &context);
    match totp::finish(&app, &context, &caller, id, &body).await {
        Ok(Some(codes)) => written(&frame, frame.words.security.app_added, &codes),
        Ok(None) => go("/account/security?done=added"),
        Err(error) if error.0.code == errors::NOT_FOUND => {
            Err(PageError::new(errors::FORM_EXPIRED).log("no app is being added"))
        }
        Err(error) => {
            let problem = mendable(&frame, error)?;
            let begun = totp::again(&app, &caller, id).await?;
            Ok(problem.beside(asked(&frame, &visit, &caller, &begun, Some(&problem))?))
        }
    }
}

/// The square, and a place for a code.
fn asked(
    frame: &Frame<'_>,
    visit: &AccountVisit,
    caller: &SignedIn,
    begun: &Begun,
    problem: Option<&Mendable>,
) -> Result<Response, PageError> {
    let square = format!("data:image/svg+xml;base64,{}", STANDARD.encode_to_string(begun.square()?.as_bytes()));
    let facts = AuthenticatorPage {
        frame,
        form: &visit.browser.form_token(FORM, &caller.user_id),
        id: begun.id.as_str(),
        square: &square,
        secret: &begun.seed.base32(),
        problem: problem.map(|problem| problem.words.as_str()),
    };
    frame.pictured(&facts, StatusCode::OK)
}

fn written(frame: &Frame<'_>, title: &str, codes: &[RecoveryCode; COUNT]) -> Result<Response, PageError> {
    let facts = RecoveryCodesPage { frame, title, codes: &totp::shown(codes) };
    frame.page(&facts, StatusCode::OK, Leads::Home)
}

async fn load(app: &App, words: &Words, own: &LiveSignin) -> Result<SecurityFacts, PageError> {
    let now = app.clock.now();
    let id = UserId::parse(&own.user_id);
    let id = id.ok_or_else(|| PageError::new(errors::INTERNAL).log("a stored user id is malformed"))?;
    let (factors, codes) = factors::of(app, &id).await?;
    let read = app.store.read(move |tx| {
        let id = id.clone();
        Box::pin(async move { Ok((users::by_id(tx, &id).await?, upstreams::of_user(tx, &id).await?)) })
    });
    let (user, identities) = read.await?;
    let user = user.ok_or(errors::FORM_EXPIRED)?;
    let apps = factors.iter().filter(|factor| factor.kind == Kind::Totp).count();
    Ok(SecurityFacts {
        password: user.password_changed_at.filter(|_| user.has_password).map(|at| (words.ago)(Ago::of(at, now))),
        providers: identities.into_iter().map(|(identity, _)| identity.issuer).collect(),
        room: i64::try_from(apps).is_ok_and(|apps| apps < MAX_TOTPS),
        factors: factors.into_iter().map(|factor| shown(factor, words, now)).collect(),
        codes,
        passkeys: passkey::site(app).is_ok(),
    })
}

fn shown(factor: Factor, words: &Words, now: Timestamp) -> FactorFacts {
    FactorFacts {
        id: factor.id.to_string(),
        kind: match factor.kind {
            Kind::Totp => words.security.kind_app.to_owned(),
            Kind::Passkey => words.passkey.kind.to_owned(),
        },
        name: factor.name,
        since: ago::date(factor.created_at),
        used: factor.last_used_at.map(|at| (words.ago)(Ago::of(at, now))),
    }
}

#[cfg(test)]
impl SecurityFacts {
    /// With this text wherever one can be.
    pub fn full_of(text: &str) -> Self {
        let factor = FactorFacts {
            id: text.to_owned(),
            kind: text.to_owned(),
            name: text.to_owned(),
            since: text.to_owned(),
            used: Some(text.to_owned()),
        };
        Self {
            password: Some(text.to_owned()),
            providers: vec![text.to_owned()],
            factors: vec![factor],
            codes: 10,
            room: true,
            passkeys: true,
        }
    }
}
