//! A web application with a server. It keeps who is signed in by itself, and hears from the issuer when that has ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use countersign_verify::{Claims, Verifier, VerifyLayer};
use serde_json::{Value, json};
use stage::{Failure, process};

use crate::{
    openid::{Begun, Provider, one, random},
    page::{page, text},
};

const COOKIE: &str = "visitor";

/// The application.
struct Site {
    provider: Provider,
    title: String,
    url: String,
    balance: String,
    visitors: Mutex<HashMap<String, Visitor>>,
}

/// What the application knows of one browser.
enum Visitor {
    Begun(Begun),
    SignedIn { sid: String, email: String, id_token: String },
}

pub async fn run() -> Result<(), Failure> {
    let (issuer, name) = (process::variable("BANK_ISSUER")?, process::variable("BANK_NAME")?);
    let url = process::variable("BANK_SITE")?;
    let secret = process::variable("BANK_SECRET")?;
    let provider = Provider::discover(&issuer, &name, Some(secret), &format!("{url}/callback")).await?;
    let (title, balance) = (process::variable("BANK_TITLE")?, process::variable("BANK_BALANCE")?);
    let site = Arc::new(Site { provider, title, url, balance, visitors: Mutex::default() });

    // What the telephone calls: tokens are checked here, without asking anybody.
    let verifier = Verifier::builder(&issuer).audience(&name).build()?;
    verifier.ready().await?;
    let api = Router::new().route("/api/balance", get(balance_by_token)).layer(VerifyLayer::new(verifier));
    let pages = Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in))
        .route("/callback", get(callback))
        .route("/sign-out", post(sign_out))
        .route("/logged-out", post(logged_out));
    process::serve_at(&process::variable("BANK_LISTEN")?, pages.merge(api).with_state(site)).await
}

async fn home(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let visitors = site.visitors();
    match cookie(&headers).and_then(|cookie| visitors.get(cookie)) {
        Some(Visitor::SignedIn { email, .. }) => {
            let (email, balance) = (text(email), text(&site.balance));
            let body = format!(
                "<p id=\"who\">Hello, {email}.</p><p>Your balance: <strong id=\"balance\">{balance}</strong></p>\
                 <form method=\"post\" action=\"/sign-out\"><button id=\"sign-out\">Sign out</button></form>"
            );
            page(&site.title, &body).into_response()
        }
        _ => page(
            &site.title,
            "<p>You are not signed in.</p><p><a class=\"button\" id=\"sign-in\" href=\"/sign-in\">Sign in</a></p>",
        )
        .into_response(),
    }
}

async fn sign_in(State(site): State<Arc<Site>>) -> Result<Response, Refused> {
    let (begun, to) = site.provider.begin()?;
    let cookie = random()?;
    site.visitors().insert(cookie.clone(), Visitor::Begun(begun));
    Ok((keep(&cookie), Redirect::to(&to)).into_response())
}

async fn callback(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    // Taken out: one begun sign-in is finished once, by the browser that began it.
    let begun = cookie(&headers).and_then(|cookie| site.visitors().remove(cookie));
    let Some(Visitor::Begun(begun)) = begun else { return Err(Failure::from("no sign-in has begun here").into()) };
    let signed_in = site.provider.finish(&begun, &query.unwrap_or_default()).await?;
    let told = site.provider.userinfo(&signed_in.tokens.text("access_token")).await?;
    let visitor = Visitor::SignedIn {
        sid: signed_in.claims.sid.clone().unwrap_or_default(),
        email: told.text("email"),
        id_token: signed_in.tokens.text("id_token"),
    };
    // A new name for a browser that means somebody now.
    let cookie = random()?;
    site.visitors().insert(cookie.clone(), visitor);
    Ok((keep(&cookie), Redirect::to("/")).into_response())
}

/// Out here first, then at the issuer, which tells the others.
async fn sign_out(State(site): State<Arc<Site>>, headers: HeaderMap) -> Redirect {
    let known = cookie(&headers).and_then(|cookie| site.visitors().remove(cookie));
    match known {
        Some(Visitor::SignedIn { id_token, .. }) => {
            Redirect::to(&site.provider.sign_out(&id_token, &format!("{}/", site.url)))
        }
        _ => Redirect::to("/"),
    }
}

/// The back channel: the issuer says which session has ended.
async fn logged_out(State(site): State<Arc<Site>>, form: String) -> StatusCode {
    let token = one(&form, "logout_token").unwrap_or_default();
    match site.provider.logout_token(&token).await {
        Ok(ended) => {
            let over =
                |visitor: &Visitor| matches!(visitor, Visitor::SignedIn { sid, .. } if Some(sid) == ended.sid.as_ref());
            site.visitors().retain(|_, visitor| !over(visitor));
            StatusCode::OK
        }
        Err(failure) => {
            eprintln!("{}: no logout token: {failure}", site.title);
            StatusCode::BAD_REQUEST
        }
    }
}

async fn balance_by_token(State(site): State<Arc<Site>>, claims: Claims) -> Json<Value> {
    Json(json!({ "of": claims.sub, "balance": site.balance }))
}

impl Site {
    fn visitors(&self) -> MutexGuard<'_, HashMap<String, Visitor>> {
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `HttpOnly` and `Lax`: no script reads it, and no form of another site comes with it.
fn keep(value: &str) -> AppendHeaders<[(header::HeaderName, String); 1]> {
    AppendHeaders([(header::SET_COOKIE, format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax"))])
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get(header::COOKIE)?.to_str().ok()?.split("; ");
    pairs.filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// What the person reads when something went wrong.
pub struct Refused(Failure);

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = format!("<p>{}</p><p><a class=\"button\" href=\"/\">Begin again</a></p>", text(&self.0.to_string()));
        (StatusCode::BAD_REQUEST, page("That did not work", &body)).into_response()
    }
}
