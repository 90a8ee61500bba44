//! `GET /logout` and `/ui/signout`: a client sends the browser here to sign its person out (OpenID Connect RP-Initiated Logout).

use axum::{
    extract::{Request, State},
    response::Response,
};
use countersign_jose::{Verifier, profile::IdToken};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};

use super::{Frame, Leads, PageForm, SignOutPage, SignedOutPage};
use crate::{
    app::App,
    domain::{
        audit::Source,
        authorize::Parameters,
        browser::BrowserSecret,
        redirect::Redirect,
        session::EndReason,
        sign_out::{Hint, SignOut, Step},
        signin::{Signin, SigninId},
    },
    errors,
    http::{
        authorize::{go, signin},
        body,
        context::Context,
        cookies::{Cookie, require_same_origin},
        error::PageError,
    },
    store::{clients, sessions, signins},
};

/// The parameters of the request; others are ignored.
pub use crate::domain::sign_out::PARAMETERS;

/// The parameters of the page's form.
pub const FORM_PARAMETERS: &[&str] = &["request", "form"];

/// The form's name, as its token has it.
const FORM: &str = "signout";
/// How long a browser keeps the pre-session that it gets with the question, seconds.
const BROWSER_TTL: u64 = 24 * 60 * 60;

/// A request with what decides about it.
struct Asked {
    request: SignOut,
    /// Who is signed in here.
    signin: Option<Signin>,
    /// Whom the client knows that person as.
    subject: Option<String>,
    destination: Option<(Redirect, String)>,
}

/// `GET /logout`
pub async fn request(
    State(app): State<App>,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, PageError> {
    let query = uri.query().unwrap_or_default();
    let asked = load(&app, &headers, query).await?;
    match (asked.request.step(asked.subject.as_deref()), asked.signin.is_some()) {
        (Step::Ask, true) => ask(&app, &Frame::new(&app, &context), &headers, query, &asked),
        // Nobody is signed in, and nobody vouches for whoever wants the browser back.
        (Step::Ask, false) => gone(&app, &context, None),
        (Step::Now, _) => sign_out(&app, &context, asked).await,
    }
}

/// `POST /logout` with a form: sent on as a query, as `/authorize` does.
pub async fn post(request: Request) -> Result<Response, PageError> {
    let encoded = body::form_bytes(request).await?;
    let parameters = parse(&encoded)?;
    go(&format!("/logout?{}", parameters.encode_only(PARAMETERS)))
}

/// `POST /ui/signout`: the person has said yes.
pub async fn confirm(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    require_same_origin(&app.config.issuer, &method, &headers)?;
    let browser = browser(&app, &headers)?.ok_or(errors::FORM_EXPIRED)?;
    let request = form.get("request").unwrap_or_default();
    if !browser.owns_form(FORM, request, form.get("form").unwrap_or_default()) {
        return Err(PageError::new(errors::FORM_EXPIRED).log("a form without its token"));
    }
    let asked = load(&app, &headers, request).await?;
    sign_out(&app, &context, asked).await
}

async fn load(app: &App, headers: &HeaderMap, query: &str) -> Result<Asked, PageError> {
    let parameters = parse(query.as_bytes())?;
    let hint = parameters.one("id_token_hint").ok().flatten().map(|hint| verify(app, hint));
    let request = SignOut::new(&parameters, hint);
    let (client, id) = (request.client.clone(), signin(app, headers)?);
    let (client, signin) = app
        .store
        .read(move |tx| {
            let client = client.clone();
            Box::pin(async move {
                let client = match &client {
                    Some(client) => clients::by_id(tx, client).await?,
                    None => None,
                };
                let signin = match id {
                    Some(id) => signins::find(tx, &id).await?,
                    None => None,
                };
                Ok((client, signin))
            })
        })
        .await?;
    let signin = signin.filter(|signin| !signin.revoked && signin.expires_at > app.clock.now());
    let destination = request.destination(client.as_ref().map(|client| &client.settings));
    let sector = client.as_ref().and_then(|client| client.settings.sign_in.sector.as_ref());
    let subject = signin.as_ref().map(|signin| app.subjects.subject(sector, &signin.user_id));
    Ok(Asked { request, signin, subject, destination })
}

fn parse(encoded: &[u8]) -> Result<Parameters, PageError> {
    Parameters::parse(encoded).map_err(|bad| PageError::new(errors::MALFORMED_FORM).detail(bad.to_string()))
}

/// RLO-03: signed by us, however old; whatever does not verify is no hint.
fn verify(app: &App, hint: &str) -> Result<Hint, ()> {
    let policy =
        Verifier::<IdToken>::builder().issuer(app.config.issuer.as_str()).any_audience().accept_expired().policy();
    let verified = app.ring.snapshot().verify(&policy, &[], hint, app.clock.now());
    let claims = verified.map_err(|error| tracing::debug!(%error, "id_token_hint refused"))?;
    let client_id = claims.aud.iter().next().unwrap_or_default().to_owned();
    Ok(Hint { subject: claims.sub.clone(), client_id })
}

fn ask(app: &App, frame: &Frame<'_>, headers: &HeaderMap, query: &str, asked: &Asked) -> Result<Response, PageError> {
    let known = browser(app, headers)?;
    let browser = match known {
        Some(browser) => browser,
        None => BrowserSecret::new(&app.random.bytes()?),
    };
    let facts = SignOutPage { frame, request: query, form: &browser.form_token(FORM, query) };
    let to = asked.destination.as_ref().map(|(redirect, _)| redirect.policy_source());
    let leads = to.as_deref().map_or(Leads::Home, Leads::HomeAndOn);
    let mut response = frame.page(&facts, StatusCode::OK, leads)?;
    let cookie = Cookie::Browser.set(&app.config.issuer, browser.expose(), BROWSER_TTL);
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

fn browser(app: &App, headers: &HeaderMap) -> Result<Option<BrowserSecret>, PageError> {
    let cookie = Cookie::Browser.read(&app.config.issuer, headers)?;
    Ok(cookie.as_deref().and_then(BrowserSecret::parse))
}

/// RLO-01: the sign-in and its sessions end first, durably; then the browser goes on.
async fn sign_out(app: &App, context: &Context, asked: Asked) -> Result<Response, PageError> {
    if let Some(signin) = &asked.signin {
        end(app, context, signin.id, &signin.user_id).await?;
    }
    gone(app, context, asked.destination.as_ref().map(|(_, to)| to.as_str()))
}

async fn end(app: &App, context: &Context, id: SigninId, user_id: &str) -> Result<(), PageError> {
    let actor = if user_id.is_empty() { Source::ANONYMOUS } else { user_id };
    let act = app.act(context, actor, app.clock.now())?;
    app.store
        .write(move |tx| {
            let act = act.clone();
            Box::pin(async move { sessions::end_signin(tx, &id, EndReason::Logout, &act).await })
        })
        .await?;
    Ok(())
}

/// CSR-10: the cookies go, and what pages of the issuer left in the browser.
fn gone(app: &App, context: &Context, to: Option<&str>) -> Result<Response, PageError> {
    let mut response = match to {
        Some(to) => go(to)?,
        None => {
            let frame = Frame::new(app, context);
            frame.page(&SignedOutPage { frame: &frame }, StatusCode::OK, Leads::Nowhere)?
        }
    };
    let headers = response.headers_mut();
    for cookie in [Cookie::Signin, Cookie::Access] {
        headers.extend(cookie.clear(&app.config.issuer).map(|cookie| (header::SET_COOKIE, cookie)));
    }
    headers.insert(HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\", \"storage\""));
    Ok(response)
}
