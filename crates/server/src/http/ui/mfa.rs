//! `/ui/mfa`: the second factor of a browser's sign-in, without a script unless it is a passkey. It finishes a sign-in whose first factor was right, or
//! makes the one stronger that there is (MFA-03, MFA-06).

pub mod passkey;

use axum::{extract::State, response::Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use super::{
    Frame, PageForm, SecondFactorPage,
    errand::{Errand, leads},
    signin::{By, Entrant, enter},
};
use crate::{
    app::App,
    domain::{
        factor::Kind,
        pending::{FirstFactor, PATIENCE, Pending, PendingId},
        signin::Signin,
        user::UserId,
    },
    errors::{self, Code},
    http::{
        authorize::{go, signin},
        body::Form,
        context::Context,
        cookies::Cookie,
        error::{ApiError, PageError},
        second_factor::{self, First, Shown},
    },
    secret::PlainSecret,
    store::{pending, users::Credentials},
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["request", "form", "code"];

/// The form's name, as its token has it.
const FORM: &str = "mfa";

/// What the second factor is owed for.
enum Owed {
    /// A sign-in whose first factor was right.
    Pending(Pending),
    /// The one that is there already.
    StepUp(UserId),
}

/// `GET /ui/mfa?request=…`
pub async fn show(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
    let errand = match Errand::find(&app, &headers, query.get("request"), signin(&app, &headers)?).await {
        Ok(errand) => errand,
        Err(stop) => return stop.into_response(&app, &context),
    };
    match owed(&app, &errand).await? {
        Some(owed) => shown(&app, &context, (&errand, &owed), None).await,
        None => errand.go_on(&app, &context).await,
    }
}

/// `POST /ui/mfa`
pub async fn finish(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    let errand = match Errand::of_form(&app, &context, (&method, &headers), &form, FORM).await? {
        Ok(errand) => errand,
        Err(answer) => return Ok(answer),
    };
    let over = || PageError::new(errors::FORM_EXPIRED).log("no second factor is owed");
    let owed = owed(&app, &errand).await?.ok_or_else(over)?;
    let user = second_factor::whose(&app, owed.user()).await?.ok_or_else(over)?;
    app.limiter.take(context.address, app.clock.now()).map_err(ApiError::from)?;
    let typed = PlainSecret::new(form.get("code").unwrap_or_default().to_owned());
    // One that was planted twice is none.
    let device = Cookie::Device.read(&app.config.issuer, &headers).unwrap_or_default();
    let shown = match second_factor::check(&app, &context, &user, &typed, device.as_deref()).await {
        Ok(shown) => shown,
        Err(error) => return again(&app, &context, (&errand, &owed), error).await,
    };
    let entrant = entrant(&errand, owed, &user, shown)?;
    enter(&app, &context, &headers, errand, entrant).await
}

/// Lets a sign-in wait whose first factor was right, and sends its person to the page. Nothing is granted, no cookie is set.
///
/// # Errors
/// Those of the store.
pub(super) async fn ask(
    app: &App,
    context: &Context,
    errand: &Errand,
    entrant: Entrant,
) -> Result<Response, PageError> {
    let (factor, link, first) = match entrant.by {
        By::Password { account, rehash, link } => {
            (FirstFactor::Password, link, First { account, rehash, ..First::default() })
        }
        By::Mail { token } => (FirstFactor::Mail, None, First { mailed: token, ..First::default() }),
        By::Upstream { name, .. } => (FirstFactor::Upstream(name), None, First::default()),
        By::Passkey | By::StepUp { .. } => {
            return Err(PageError::new(errors::INTERNAL).log("somebody came with a factor, and without it"));
        }
    };
    let waits = Pending {
        id: id(errand),
        user: entrant.user,
        auth_time: entrant.auth_time,
        auth_rsn: entrant.auth_rsn,
        first: factor,
        link,
        wants: None,
        expires_at: app.clock.now().plus(PATIENCE),
    };
    second_factor::owe(app, context, waits, first).await?;
    go(&format!("/ui/mfa?request={}", errand.name()))
}

impl Owed {
    fn user(&self) -> &UserId {
        match self {
            Self::Pending(waits) => &waits.user,
            Self::StepUp(user) => user,
        }
    }
}

/// What is known to this browser at this errand alone.
pub(super) fn id(errand: &Errand) -> PendingId {
    PendingId::of_browser(&errand.browser().hash(), &errand.name())
}

async fn owed(app: &App, errand: &Errand) -> Result<Option<Owed>, PageError> {
    let (id, now) = (id(errand), app.clock.now());
    let found = app.store.read(move |tx| Box::pin(async move { pending::find(tx, &id, now).await }));
    if let Some(waits) = found.await? {
        return Ok(Some(Owed::Pending(waits)));
    }
    let live = errand.signin().filter(|signin| signin.second_factor && errand.needs_second_factor(now));
    Ok(live.and_then(|signin: &Signin| UserId::parse(&signin.user_id)).map(Owed::StepUp))
}

fn entrant(errand: &Errand, owed: Owed, user: &Credentials, shown: Shown) -> Result<Entrant, PageError> {
    let shared = Some(second_factor::shared(user)?);
    match owed {
        Owed::Pending(waits) => {
            let second = Some(shown.finishing(&waits));
            let by = match waits.first {
                FirstFactor::Upstream(name) => By::Upstream { name, new: None },
                FirstFactor::Mail => By::Mail { token: None },
                FirstFactor::Password => By::Password { account: None, rehash: None, link: waits.link },
            };
            let (auth_rsn, auth_time) = (waits.auth_rsn, waits.auth_time);
            Ok(Entrant { user: waits.user, auth_rsn, auth_time, by, owes: true, second, shared })
        }
        Owed::StepUp(user) => {
            let live = errand.signin().ok_or(errors::FORM_EXPIRED)?;
            let by = By::StepUp { amr: live.amr.clone() };
            let (auth_rsn, auth_time) = (live.auth_rsn, live.auth_time);
            Ok(Entrant { user, auth_rsn, auth_time, by, owes: true, second: Some(shown), shared })
        }
    }
}

/// The form once more, with what the person can do about it; what they cannot is a page of its own.
async fn again(app: &App, context: &Context, what: (&Errand, &Owed), error: ApiError) -> Result<Response, PageError> {
    const MENDABLE: [Code; 4] =
        [errors::SECOND_FACTOR_WRONG, errors::TOO_MANY_ATTEMPTS, errors::PASSKEY_REFUSED, errors::PASSKEY_LATE];
    let code = error.0.code;
    if !MENDABLE.contains(&code) {
        return Err(error.into());
    }
    let wait = error.0.retry_after;
    let words = Frame::new(app, context).words.sentence(code, wait);
    let mut response = shown(app, context, what, Some((code, &words))).await?;
    let headers = response.headers_mut();
    headers.extend(wait.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds))));
    if code.status == 401 {
        // RFC 9110 §15.5.2: no 401 without a challenge; no browser acts on this one.
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("SecondFactor realm=\"countersign\""));
    }
    Ok(response)
}

async fn shown(
    app: &App,
    context: &Context,
    (errand, owed): (&Errand, &Owed),
    problem: Option<(Code, &str)>,
) -> Result<Response, PageError> {
    let frame = Frame::new(app, context).at(format!("/ui/mfa?request={}", errand.name()));
    let look = errand.look(app).await?;
    let app_too = second_factor::has_kind(app, owed.user(), Kind::Totp).await?;
    let passkey = passkey::form(app, frame.words, errand, (owed.user(), app_too)).await?;
    let facts = SecondFactorPage {
        frame: &frame,
        client: errand.client(frame.words),
        request: &errand.name(),
        form: &errand.browser().form_token(FORM, &errand.name()),
        problem: problem.map(|(_, words)| words),
        app: app_too,
        passkey: passkey.as_ref(),
        look: &look,
    };
    let status = problem.and_then(|(code, _)| StatusCode::from_u16(code.status).ok()).unwrap_or(StatusCode::OK);
    let to = errand.destination();
    let to = leads(to.as_deref());
    match passkey {
        Some(_) => frame.page_with_passkeys(&facts, status, to, &look),
        None => frame.page_of(&facts, status, to, &look),
    }
}
