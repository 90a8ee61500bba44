//! Back-channel logout: telling clients that a session of theirs has ended (OpenID Connect Back-Channel Logout). The store
//! keeps what is to be told (`store/notices.rs`); this delivers it, at least once, until the client says that it has heard.

use std::{future::Future, time::Duration};

use countersign_jose::{Audience, LogoutClaims, claims::LOGOUT_EVENT, profile::LogoutToken};
use http::StatusCode;
use serde_json::json;
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use crate::{
    app::App,
    domain::{id_token, outbox::Retries, time::Timestamp},
    outbound::CallError,
    outbox,
    store::{
        StoreError,
        notices::{self, Notice},
        outbox::NOTICES,
    },
};

/// How many are delivered at a time.
const AT_ONCE: u32 = 32;
/// The last attempt is about two days after the first; then a client is given up.
const RETRIES: Retries = Retries { step: Duration::from_secs(5), attempts: 48 };
/// How long a logout token counts, seconds (RLO-04).
const LIFETIME: i64 = 120;

/// Why a client has not heard.
#[derive(Debug, thiserror::Error)]
enum Unheard {
    #[error("no logout token could be made: {0}")]
    Token(String),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("it answered {0}")]
    Status(StatusCode),
}

/// Delivers until `stop`. What is under way then is delivered again after the next start.
pub async fn keep_telling(app: App, stop: impl Future<Output = ()>) {
    let turn = || {
        let app = app.newest();
        async move { round(&app).await }
    };
    outbox::keep("notices of ended sessions", stop, turn).await;
}

/// Delivers what is due now; returns how many notices that were.
///
/// # Errors
/// Those of the store; what was taken and not noted as done is delivered again.
pub async fn round(app: &App) -> Result<usize, StoreError> {
    let now = app.clock.now();
    if !app.store.read(move |tx| Box::pin(NOTICES.is_due(tx, now))).await? {
        return Ok(0);
    }
    let due = app.store.write(move |tx| Box::pin(notices::take(tx, now, RETRIES.step, AT_ONCE))).await?;
    let mut under_way = JoinSet::new();
    for notice in &due {
        let (app, notice) = (app.clone(), notice.clone());
        under_way.spawn(async move {
            let told = tell(&app, &notice).await;
            (notice, told)
        });
    }
    while let Some(finished) = under_way.join_next().await {
        // A task that panicked has told nobody: its notice is due again.
        let Ok((notice, told)) = finished else { continue };
        settle(app, notice, told, now).await?;
    }
    Ok(due.len())
}

async fn settle(app: &App, notice: Notice, told: Result<(), Unheard>, now: Timestamp) -> Result<(), StoreError> {
    let unreachable = matches!(told, Err(Unheard::Call(_)));
    let over = is_over(&notice, told);
    let wait = RETRIES.wait(notice.attempts);
    let settled = app.store.write(move |tx| {
        let notice = notice.clone();
        Box::pin(async move {
            if unreachable {
                notices::put_off(tx, &notice.client_id, now.plus(wait)).await?;
            }
            if over { NOTICES.done(tx, &notice.sid).await } else { Ok(()) }
        })
    });
    settled.await
}

/// Whether nothing more is to be done about a notice.
fn is_over(notice: &Notice, told: Result<(), Unheard>) -> bool {
    let (client, attempt) = (notice.client_id.as_str(), notice.attempts);
    match told {
        Ok(()) => {
            debug!(client, attempt, "back-channel logout delivered");
            true
        }
        Err(error) if RETRIES.is_last(attempt) => {
            warn!(client, attempt, %error, "back-channel logout given up");
            true
        }
        Err(error) => {
            info!(client, attempt, %error, "back-channel logout failed; trying again later");
            false
        }
    }
}

async fn tell(app: &App, notice: &Notice) -> Result<(), Unheard> {
    // The client does not want to hear any more, or is none any more.
    let Some(uri) = &notice.uri else { return Ok(()) };
    let token = token(app, notice).await?;
    let status = app.outbound.post_form(uri, &[("logout_token", &token)]).await?.status;
    // §2.8 says 200; many answer 204.
    if status.is_success() { Ok(()) } else { Err(Unheard::Status(status)) }
}

/// The same `jti` at each attempt, so that the client can tell a second delivery from a second logout.
async fn token(app: &App, notice: &Notice) -> Result<String, Unheard> {
    let broken = |error: &dyn std::fmt::Display| Unheard::Token(error.to_string());
    let alg = match &notice.alg {
        Some(alg) => alg.parse().map_err(|error| broken(&error))?,
        None => id_token::DEFAULT_ALG,
    };
    let now = app.clock.now().secs();
    let claims = LogoutClaims {
        iss: app.config.issuer.as_str().to_owned(),
        aud: Audience::One(notice.client_id.clone()),
        iat: now,
        exp: now + LIFETIME,
        jti: format!("logout.{}", notice.sid),
        events: json!({ LOGOUT_EVENT: {} }),
        sub: Some(app.subjects.subject(notice.sector.as_ref(), &notice.user_id)),
        sid: Some(notice.sid.clone()),
        ..LogoutClaims::default()
    };
    let key = app.ring.snapshot().signer_for(alg).map_err(|error| broken(&error))?;
    key.sign::<LogoutToken>(&claims).await.map_err(|error| broken(&error))
}
