//! `/api/admin/status`: what `countersign doctor` needs to know.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::keys;
use crate::{
    app::App,
    domain::time::{Timestamp, micros},
    http::error::ApiError,
    store::{
        dialect, mails,
        status::{self, COUNTED},
    },
};

/// `GET /api/admin/status`
pub async fn status(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let now = app.clock.now();
    let (counts, database_now, mails, engine) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let now_us = dialect::now_us(tx, now).await?;
                Ok((status::counts(tx).await?, now_us, mails::counts(tx).await?, status::engine(tx).await?))
            })
        })
        .await?;
    let skew = (now.micros() - Timestamp::from_micros(database_now).micros()) / 1000;
    let keys = app.ring.list().await?;
    let (view, latest) = (app.feed.view(), app.feed.latest());
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "issuer": app.config.issuer.as_str(),
        "database": app.store.kind().as_str(),
        "database_version": engine.version,
        "database_problem": Some(engine.problems.join("; ")).filter(|problems| !problems.is_empty()),
        "schema": counts.schema,
        "tls_certificate_expires": app.metrics.certificate_expires().map(Timestamp::secs),
        "users": counts.users.min(COUNTED),
        "users_more": counts.users > COUNTED,
        "clients": counts.clients.min(COUNTED),
        "clients_more": counts.clients > COUNTED,
        "clock_skew_ms": skew,
        "hashing_waiting": app.passwords.waiting(),
        "feed": {
            "head": latest.as_ref().map(|line| line.head.get()),
            "lag_ms": latest.as_ref().map(|line| micros(app.clock.now().since(line.time)) / 1000),
            "fresh": app.feed.is_fresh(),
            "readers": view.readers,
            "entries": view.entries,
        },
        "mail": {
            "way": if app.mailer.has_server() { "server" } else { "folder" },
            "to": app.mailer.name(),
            "waiting": mails.waiting,
            "waiting_for_s": mails.oldest.map(|oldest| now.since(oldest).as_secs()),
            "dead": mails.dead,
            "died_before_s": mails.died.map(|died| now.since(died).as_secs()),
            "problem": mails.problem,
        },
        "guard": keys::guards(&app).await?,
        "keys": keys.iter().map(keys::shown).collect::<Vec<_>>(),
    })))
}
