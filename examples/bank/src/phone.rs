//! An application on a telephone: a public client that opens the person's own browser to sign in, takes the answer on a
//! port of the machine (RFC 8252), and calls its house's server with access tokens.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::{RawQuery, State},
    response::{Html, Redirect},
    routing::get,
};
use stage::{
    Failure,
    client::Call,
    process,
    session::{Session, Tokens},
};
use tokio::{net::TcpListener, sync::RwLock};

use crate::{
    openid::{Begun, Provider},
    page::{page, text},
    site::Refused,
};

struct Phone {
    provider: Provider,
    issuer: String,
    client_id: String,
    title: String,
    site: String,
    begun: Mutex<Option<Begun>>,
    session: RwLock<Option<Session>>,
}

pub async fn run() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (issuer, client_id) = (process::variable("BANK_ISSUER")?, process::variable("BANK_NAME")?);
    let provider = Provider::discover(&issuer, &client_id, None, &format!("http://{address}/callback")).await?;
    let title = format!("{} on your telephone", process::variable("BANK_TITLE")?);
    let site = process::variable("BANK_SITE")?;
    let phone = Phone { provider, issuer, client_id, title, site, begun: Mutex::default(), session: RwLock::default() };
    let pages = Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in))
        .route("/callback", get(callback))
        .with_state(Arc::new(phone));
    process::serve_on(listener, pages).await
}

/// The one screen: asks the house's server each time it is looked at.
async fn home(State(phone): State<Arc<Phone>>) -> Result<Html<String>, Refused> {
    let session = phone.session.read().await;
    let answer = match &*session {
        Some(session) => session.send(Call::get(format!("{}/api/balance", phone.site))).await?,
        None => return Ok(signed_out(&phone.title)),
    };
    Ok(match answer.status {
        200 => {
            let balance = text(&answer.text("balance"));
            page(&phone.title, &format!("<p>Your balance: <strong id=\"balance\">{balance}</strong></p>"))
        }
        401 => signed_out(&phone.title),
        // The server cannot judge for a moment: that is no reason to sign anybody out.
        status => page(&phone.title, &format!("<p>The server answered {status}. Look again in a moment.</p>")),
    })
}

fn signed_out(title: &str) -> Html<String> {
    page(title, "<p>You are not signed in.</p><p><a class=\"button\" id=\"sign-in\" href=\"/sign-in\">Sign in</a></p>")
}

async fn sign_in(State(phone): State<Arc<Phone>>) -> Result<Redirect, Refused> {
    let (begun, to) = phone.provider.begin()?;
    *phone.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
    Ok(Redirect::to(&to))
}

async fn callback(State(phone): State<Arc<Phone>>, RawQuery(query): RawQuery) -> Result<Redirect, Refused> {
    let begun = phone.begun.lock().unwrap_or_else(PoisonError::into_inner).take();
    let begun = begun.ok_or_else(|| Failure::from("no sign-in has begun here"))?;
    let signed_in = phone.provider.finish(&begun, &query.unwrap_or_default()).await?;
    let tokens = Tokens::from(signed_in.tokens);
    let session = Session::new(phone.provider.http(), &phone.issuer, &phone.client_id, tokens);
    *phone.session.write().await = Some(session);
    Ok(Redirect::to("/"))
}
