//! How many ends a second are durable: many in one call, one by one, and of a user with few sessions or many.

mod bare;
mod caller;
mod database;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    http::Connection,
    issuer::{Issuer, Lab, Place, text},
    stats::{Spread, median},
    time,
};
use bare::Bare;
use caller::Caller;
use database::Database;
pub use database::connect;

const REVOKE: &str = "/api/admin/revocations";
/// The most that one call takes.
const BULK: usize = 10_000;
/// Callers at a time: one alone, and as many as the pool has connections.
const CALLERS: [usize; 2] = [1, 16];
/// Sessions of the users that are signed out everywhere.
const SESSIONS: [usize; 3] = [1, 100, 10_000];

/// One database.
#[derive(Debug, Serialize)]
pub struct Durable {
    pub database: &'static str,
    /// Entries a second, by calls of 10,000: access tokens, which have no row of their own, and sessions, which have.
    pub bulk_tokens: f64,
    pub bulk_sessions: f64,
    pub singles: Vec<Single>,
    pub everywhere: Vec<Everywhere>,
}

/// One by one: sign-outs of different users over HTTP, beside a transaction of two statements without anything around it.
#[derive(Debug, Serialize)]
pub struct Single {
    pub callers: usize,
    pub per_second: f64,
    pub bare_per_second: f64,
    /// The median of the ratios of each round.
    pub ratio: f64,
}

/// Signing out a user who has so many sessions.
#[derive(Debug, Serialize)]
pub struct Everywhere {
    pub sessions: usize,
    /// Milliseconds until the answer.
    pub answer: Spread,
}

#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub bulk_calls: usize,
    pub rounds: usize,
    pub seconds: f64,
    pub everywhere: usize,
}

pub async fn measure(lab: &Lab, name: &'static str, url: Option<String>, effort: Effort) -> Result<Durable> {
    let issuer = Issuer::start(lab, Place::new(&format!("durable-{name}"), url.clone())?).await?;
    let database = match &url {
        Some(url) => Database::Postgres(url.clone()),
        None => Database::Sqlite(issuer.data().join("countersign.db")),
    };
    let users = users(&issuer, SESSIONS.len() + CALLERS[1]).await?;
    let (owners, others) = users.split_at(SESSIONS.len());
    // One of the others has the sessions that end one by one, in one call.
    let crowd = &others[0];
    let (issuer, ()) = issuer
        .restart(async |_, _| {
            for (user, sessions) in owners.iter().zip(SESSIONS).chain([(crowd, BULK)]) {
                database.sessions(user, sessions).await?;
            }
            Ok(())
        })
        .await?;
    let mut admin = issuer.admin().await?;
    let token = |n| json!({ "kind": "token", "id": format!("bench-{n}") });
    let bulk_tokens = bulk(&mut admin, effort.bulk_calls, token).await?;
    let session = |n| json!({ "kind": "session", "id": database::sid(crowd, n) });
    let bulk_sessions = bulk(&mut admin, 1, session).await?;
    let everywhere = everywhere(&mut admin, owners, effort.everywhere).await?;
    let bare = Bare::new(lab, &database).await?;
    let mut singles = Vec::new();
    for callers in CALLERS {
        singles.push(single(&issuer, &bare, &others[..callers], effort).await?);
    }
    Ok(Durable { database: name, bulk_tokens, bulk_sessions, singles, everywhere })
}

async fn users(issuer: &Issuer, count: usize) -> Result<Vec<String>> {
    let mut admin = issuer.admin().await?;
    let mut users = Vec::new();
    for n in 0..count {
        let user =
            json!({ "email": format!("user{n}@example.com"), "password": "correct horse battery staple", "roles": [] });
        users.push(text(&admin.json(Method::POST, "/api/admin/users", &user).await?, "user_id")?);
    }
    Ok(users)
}

fn end_of(user: &str) -> Value {
    json!({ "kind": "user", "id": user })
}

/// Entries a second, of that many calls one after the other. Every one must be new.
async fn bulk(admin: &mut Connection, calls: usize, item: impl Fn(usize) -> Value) -> Result<f64> {
    let bodies: Vec<Value> =
        (0..calls).map(|call| (0..BULK).map(|n| item(call * BULK + n)).collect::<Vec<Value>>().into()).collect();
    let began = time::now();
    for body in &bodies {
        let answer = admin.json(Method::POST, REVOKE, body).await?;
        ensure!(answer["appended"] == BULK, "{answer}");
    }
    Ok((calls * BULK) as f64 / (time::millis(began, time::now()) / 1e3))
}

async fn single(issuer: &Issuer, bare: &Bare, users: &[String], effort: Effort) -> Result<Single> {
    let span = Duration::from_secs_f64(effort.seconds);
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        let one = one_by_one(issuer, users, span).await?;
        let other = bare.transactions(users.len(), span).await?;
        ours.push(one);
        theirs.push(other);
        ratios.push(one / other);
    }
    Ok(Single {
        callers: users.len(),
        per_second: median(ours),
        bare_per_second: median(theirs),
        ratio: median(ratios),
    })
}

/// Sign-outs a second, one caller for each user.
async fn one_by_one(issuer: &Issuer, users: &[String], span: Duration) -> Result<f64> {
    let callers: Vec<Caller> =
        users.iter().map(|user| Caller::new(&issuer.admin_socket(), REVOKE, &end_of(user))).collect::<Result<_>>()?;
    let began = time::now();
    let done = try_join_all(
        callers.into_iter().map(async |mut caller| tokio::task::spawn_blocking(move || caller.call_for(span)).await?),
    );
    let done: usize = done.await?.into_iter().sum();
    Ok(done as f64 / (time::millis(began, time::now()) / 1e3))
}

async fn everywhere(admin: &mut Connection, users: &[String], times: usize) -> Result<Vec<Everywhere>> {
    let mut answers = vec![Vec::new(); users.len()];
    // They take turns, so that a slow moment hits all.
    for _ in 0..times {
        for (user, answers) in users.iter().zip(&mut answers) {
            let (body, began) = (end_of(user), time::now());
            let answer = admin.json(Method::POST, REVOKE, &body).await?;
            answers.push(time::millis(began, time::now()));
            answer["rsn"].as_i64().context("no rsn")?;
        }
    }
    let each = SESSIONS.into_iter().zip(answers);
    Ok(each.map(|(sessions, answers)| Everywhere { sessions, answer: Spread::of(answers) }).collect())
}
