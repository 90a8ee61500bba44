//! `/ui/signin/mail`: signing in by a code or a link that is sent to one's address, in place of the password. Both are worth
//! something in the browser that asked for them and at that request alone, so that nobody is talked into opening somebody else's
//! sign-in (MFA-07). One factor: whoever has a second one is asked for it as ever.

use aws_lc_rs::constant_time;
use axum::{extract::State, response::Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use super::{By, Entrant, FORM, Filled, enter, shown};
use crate::{
    app::App,
    domain::{
        audit::{AuditEvent, Event, Source},
        device::UserCode,
        email::Email,
        mail::Letter,
        mail_token::{MailToken, Purpose, TokenId, code_hash},
        pending::PendingId,
        rsn,
    },
    errors,
    http::{
        authorize::{go, signin},
        body::Form,
        context::Context,
        cookies::Cookie,
        error::{ApiError, PageError},
        mail::{self, Link},
        second_factor,
        ui::{
            Frame, MailLinkPage, MailedPage, PageForm,
            errand::{Errand, leads},
            letter::{mendable, note},
            mfa,
        },
    },
    store::{
        StoreError, audit,
        mail_codes::{self, NewCode},
        mail_tokens,
        users::{self, SignInState},
    },
};

/// The parameters of the page's forms.
pub const PARAMETERS: &[&str] = &["request", "form", "code", "token"];

/// The forms' name, as their token has it.
const CODE: &str = "mailed";

/// `POST /ui/signin/mail/send`: the next page is the same whether there is an account or not (LOG-05).
pub async fn send(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    offered(&app)?;
    let errand = match Errand::of_form(&app, &context, (&method, &headers), &form, FORM).await? {
        Ok(errand) => errand,
        Err(answer) => return Ok(answer),
    };
    let email = form.get("email").unwrap_or_default();
    let device = known(&app, &headers);
    match ask(&app, &context, &errand, (email, device.as_deref())).await {
        Ok(()) => go(&format!("/ui/signin/mail?request={}&switch=1", errand.name())),
        Err(error) => {
            let code = error.0.code;
            let problem = mendable(&Frame::new(&app, &context), error)?;
            let filled = Filled { email, problem: Some((code, &problem.words)), link: None };
            Ok(problem.beside(shown(&app, &context, &errand, &filled).await?))
        }
    }
}

/// `GET /ui/signin/mail?request=…`, a place for the code; `?token=…`, where the link leads: a look uses nothing up.
pub async fn show(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    offered(&app)?;
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes())?;
    if let Some(token) = query.get("token") {
        return followed(&app, &context, &headers, token).await;
    }
    match Errand::find(&app, &headers, query.get("request"), signin(&app, &headers)?).await {
        // Signed in by now, and not here to become somebody else.
        Ok(errand) if query.get("switch").is_none() && !errand.needs_sign_in(app.clock.now()) => {
            errand.go_on(&app, &context).await
        }
        Ok(errand) => typing(&app, &context, &errand, None).await,
        Err(stop) => stop.into_response(&app, &context),
    }
}

/// `POST /ui/signin/mail`
pub async fn sign_in(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    offered(&app)?;
    let errand = match Errand::of_form(&app, &context, (&method, &headers), &form, CODE).await? {
        Ok(errand) => errand,
        Err(answer) => return Ok(answer),
    };
    app.limiter.take(context.address, app.clock.now()).map_err(ApiError::from)?;
    let bound = mfa::id(&errand);
    let token = match form.get("token") {
        Some(token) => of_link(&app, &bound, token).await?,
        None => of_code(&app, &bound, form.get("code").unwrap_or_default()).await?,
    };
    let state = match token {
        Some(token) => whose(&app, token).await?.map(|state| (token, state)),
        None => None,
    };
    let Some((token, state)) = state else {
        wrong(&app, &context).await?;
        return typing(&app, &context, &errand, Some(errors::MAIL_CODE_WRONG)).await;
    };
    app.limiter.give_back(context.address, app.clock.now());
    forgive(&app, &state, known(&app, &headers).as_deref()).await?;
    let entrant = entrant(&app, token, state)?;
    enter(&app, &context, &headers, errand, entrant).await
}

fn offered(app: &App) -> Result<(), PageError> {
    if app.config.sign_in_by_mail { Ok(()) } else { Err(errors::NOT_FOUND.into()) }
}

/// The cookie of a known device; one that was planted twice is none.
fn known(app: &App, headers: &HeaderMap) -> Option<String> {
    Cookie::Device.read(&app.config.issuer, headers).unwrap_or_default()
}

/// Sends the mail, if there is somebody to send it to, in place of one that was sent for this request before.
async fn ask(
    app: &App,
    context: &Context,
    errand: &Errand,
    (typed, device): (&str, Option<&str>),
) -> Result<(), ApiError> {
    let email = Email::parse(typed).map_err(|bad| ApiError::field(errors::INVALID_EMAIL, "email", bad.to_string()))?;
    let now = app.clock.now();
    app.limiter.take(context.address, now)?;
    let (link, bound) = (Link::new(app, context).await?, mfa::id(errand));
    let token = link.token();
    let new = NewCode {
        token: token.id(Purpose::SignIn),
        bound,
        request: errand.name(),
        code: code_hash(&token.code(), &bound),
    };
    let event = AuditEvent::new(Event::SignInMailAsked, now, &context.source(Source::ANONYMOUS), app.random.bytes()?);
    let (limit, key) = (app.limiter.account, email.key().clone());
    let counted = mail::counted_for(app, &key, device);
    let asked = app.store.write(move |tx| {
        let (key, link, new, event) = (key.clone(), link.clone(), new.clone(), event.clone());
        let counted = counted.clone();
        Box::pin(async move {
            if let Some(wait) = mail::count(tx, limit, &counted, now).await? {
                return Ok(Some(wait));
            }
            mail_codes::replace(tx, &new.bound).await?;
            let event = match link.send(tx, Letter::SignIn, &key, None).await? {
                Some(user) => event.user(&user),
                None => event,
            };
            mail_codes::keep(tx, &new).await?;
            audit::insert(tx, &event).await?;
            Ok(None)
        })
    });
    asked.await?.map_or(Ok(()), |wait| Err(mail::too_many(wait)))
}

/// The link was opened: here where it was asked for, or elsewhere.
async fn followed(app: &App, context: &Context, headers: &HeaderMap, token: &str) -> Result<Response, PageError> {
    let frame = Frame::new(app, context);
    let elsewhere = || note(&frame, &frame.words.mailed.elsewhere);
    let Some(parsed) = MailToken::parse(token) else { return elsewhere() };
    let id = parsed.id(Purpose::SignIn);
    let Some((bound, request)) =
        app.store.read(move |tx| Box::pin(async move { mail_codes::of_token(tx, &id).await })).await?
    else {
        return elsewhere();
    };
    let errand = match Errand::find(app, headers, Some(&request), signin(app, headers)?).await {
        Ok(errand) if *mfa::id(&errand).as_bytes() == bound => errand,
        _ => return elsewhere(),
    };
    let Ok((_, standing)) = mail::look(app, Purpose::SignIn, token).await else {
        // Used: they are in by now.
        return if errand.needs_sign_in(app.clock.now()) { elsewhere() } else { errand.go_on(app, context).await };
    };
    let look = errand.look(app).await?;
    let facts = MailLinkPage {
        frame: &frame,
        client: errand.client(frame.words),
        request: &errand.name(),
        form: &errand.browser().form_token(CODE, &errand.name()),
        token,
        email: &standing.email,
        look: &look,
    };
    frame.page_of(&facts, StatusCode::OK, leads(errand.destination().as_deref()), &look)
}

/// The token of a link, if it was sent for this browser and request.
async fn of_link(app: &App, bound: &PendingId, typed: &str) -> Result<Option<TokenId>, StoreError> {
    let Some(id) = MailToken::parse(typed).map(|token| token.id(Purpose::SignIn)) else { return Ok(None) };
    let found = app.store.read(move |tx| Box::pin(async move { mail_codes::of_token(tx, &id).await })).await?;
    Ok(found.filter(|(found, _)| found == bound.as_bytes()).map(|_| id))
}

/// The token whose code this is. The try is counted first, so that guesses at the same time cannot exceed the limit (LOG-07).
async fn of_code(app: &App, bound: &PendingId, typed: &str) -> Result<Option<TokenId>, StoreError> {
    let Some(code) = UserCode::parse(typed) else { return Ok(None) };
    let (bound, now) = (*bound, app.clock.now());
    let tried = app.store.write(move |tx| Box::pin(async move { mail_codes::attempt(tx, &bound, now).await })).await?;
    let right = |found: &mail_codes::Tried| {
        constant_time::verify_slices_are_equal(&found.code, &code_hash(&code, &bound)).is_ok()
    };
    Ok(tried.filter(right).map(|found| found.token))
}

/// Whose sign-in it is, as it stands now.
async fn whose(app: &App, token: TokenId) -> Result<Option<SignInState>, StoreError> {
    let now = app.clock.now();
    let read = app.store.read(move |tx| {
        Box::pin(async move {
            match mail_tokens::find(tx, &token, Purpose::SignIn, now).await? {
                Some(standing) => users::sign_in_state_by_id(tx, &standing.user).await.map(Some),
                None => Ok(None),
            }
        })
    });
    read.await
}

/// Whoever reads the mails has not asked for too many of them.
async fn forgive(app: &App, state: &SignInState, device: Option<&str>) -> Result<(), StoreError> {
    let email = state.user.as_ref().and_then(|user| Email::parse(&user.email).ok());
    let Some(email) = email else { return Ok(()) };
    let keys = [mail::counted(email.key()), mail::counted_for(app, email.key(), device)];
    let forgiven = app.store.write(move |tx| {
        let keys = keys.clone();
        Box::pin(async move {
            for key in keys {
                mail::forgive(tx, &key).await?;
            }
            Ok(())
        })
    });
    forgiven.await
}

fn entrant(app: &App, token: TokenId, state: SignInState) -> Result<Entrant, PageError> {
    let user = state.user.filter(|user| user.disabled_at.is_none()).ok_or(errors::FORM_EXPIRED)?;
    let shared = Some(second_factor::shared(&user)?);
    let auth_rsn = rsn::of_sign_in(state.head, user.min_rsn);
    let by = By::Mail { token: Some(token) };
    Ok(Entrant {
        user: user.id,
        auth_rsn,
        auth_time: app.clock.now(),
        by,
        owes: user.second_factor,
        second: None,
        shared,
    })
}

/// Nobody is named: a wrong code is nobody's.
async fn wrong(app: &App, context: &Context) -> Result<(), PageError> {
    app.metrics.signin("failure");
    let source = context.source(Source::ANONYMOUS);
    let event = AuditEvent::new(Event::LoginFail, app.clock.now(), &source, app.random.bytes()?);
    let event = event.with("reason", "mail_code");
    let told = app.store.write(move |tx| {
        let event = event.clone();
        Box::pin(async move { audit::insert(tx, &event).await })
    });
    Ok(told.await?)
}

async fn typing(
    app: &App,
    context: &Context,
    errand: &Errand,
    problem: Option<errors::Code>,
) -> Result<Response, PageError> {
    let frame = Frame::new(app, context).at(format!("/ui/signin/mail?request={}", errand.name()));
    let look = errand.look(app).await?;
    let words = problem.map(|code| frame.words.sentence(code, None));
    let facts = MailedPage {
        frame: &frame,
        client: errand.client(frame.words),
        request: &errand.name(),
        form: &errand.browser().form_token(CODE, &errand.name()),
        problem: words.as_deref(),
        look: &look,
    };
    let status = problem.and_then(|code| StatusCode::from_u16(code.status).ok()).unwrap_or(StatusCode::OK);
    let mut response = frame.page_of(&facts, status, leads(errand.destination().as_deref()), &look)?;
    if problem.is_some() {
        // RFC 9110 §15.5.2: no 401 without a challenge; no browser acts on this one.
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("MailCode realm=\"countersign\""));
    }
    Ok(response)
}
