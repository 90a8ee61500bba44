//! Requests over several connections, each answer looked at.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::http::Connection;

/// Refreshes each of these tokens once, at these servers in turn, and puts its successor in its place; the wall time of all.
pub async fn refresh(to: &[SocketAddr], tokens: &mut [String], connections: usize) -> Result<Duration> {
    let started = Instant::now();
    let share = tokens.len().div_ceil(connections);
    let callers = tokens.chunks(share).zip(to.iter().cycle()).map(|(mine, to)| {
        let (mut mine, to) = (mine.to_vec(), *to);
        tokio::spawn(async move {
            let mut connection = Connection::open(to).await?;
            for token in &mut mine {
                let body = format!("grant_type=refresh_token&client_id=first-party&refresh_token={token}");
                let request = post("/token", "application/x-www-form-urlencoded", &body);
                let reply = connection.exchange(&request).await?;
                ensure!(reply.status == 200, "{}: {}", reply.status, String::from_utf8_lossy(reply.body));
                let next = successor(reply.body)?;
                ensure!(next != *token, "a refresh brought no new token");
                *token = next;
            }
            Ok(mine)
        })
    });
    let mut all = Vec::with_capacity(tokens.len());
    for caller in callers.collect::<Vec<_>>() {
        all.extend(caller.await??);
    }
    let took = started.elapsed();
    tokens.clone_from_slice(&all);
    Ok(took)
}

fn successor(body: &[u8]) -> Result<String> {
    let answer: serde_json::Value = serde_json::from_slice(body)?;
    Ok(answer["refresh_token"].as_str().context("no refresh token")?.to_owned())
}

/// Sends each request once, over this many connections; the answers' bodies.
pub async fn send(to: SocketAddr, requests: Vec<Vec<u8>>, connections: usize) -> Result<Vec<Vec<u8>>> {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let callers = (0..connections).map(|_| {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        tokio::spawn(async move {
            let (mut connection, mut bodies) = (Connection::open(to).await?, Vec::new());
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let reply = connection.exchange(request).await?;
                ensure!(reply.status < 300, "{}: {}", reply.status, String::from_utf8_lossy(reply.body));
                bodies.push(reply.body.to_vec());
            }
            Ok(bodies)
        })
    });
    let mut all = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        all.extend(caller.await??);
    }
    Ok(all)
}

pub fn revoke(token: &str) -> Vec<u8> {
    post("/revoke", "application/x-www-form-urlencoded", &format!("client_id=first-party&token={token}"))
}

pub fn account(path: &str, email: &str, password: &str) -> Vec<u8> {
    post(path, "application/json", &format!(r#"{{"email":"{email}","password":"{password}"}}"#))
}

fn post(path: &str, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
    (head + body).into_bytes()
}
