//! The bare server: axum and nothing else, with bodies of the issuer's sizes. What it costs is the price of HTTP itself.

use std::net::Ipv4Addr;

use anyhow::Result;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use clap::Args;
use serde::{Deserialize, Serialize};

#[derive(Args)]
pub struct Bare {
    #[arg(long)]
    pub port: u16,
    #[arg(long)]
    pub jwks_bytes: usize,
    #[arg(long)]
    pub metadata_bytes: usize,
    #[arg(long)]
    pub userinfo_bytes: usize,
    #[arg(long)]
    pub introspection_bytes: usize,
}

/// The forms of `/token` that are measured, read and written back as JSON.
#[derive(Serialize, Deserialize)]
struct Echo {
    grant_type: String,
    client_id: String,
    client_secret: Option<String>,
    refresh_token: Option<String>,
    code: Option<String>,
    code_verifier: Option<String>,
    redirect_uri: Option<String>,
    scope: Option<String>,
}

/// The form of `/introspect`.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read, as everybody has to")]
struct Question {
    client_id: String,
    client_secret: String,
    token: String,
}

pub fn serve(bare: &Bare) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, bare.port)).await?;
        axum::serve(listener, router(bare)).await?;
        Ok(())
    })
}

fn router(bare: &Bare) -> Router {
    let (jwks, metadata) = (json_of(bare.jwks_bytes), json_of(bare.metadata_bytes));
    let (userinfo, introspection) = (json_of(bare.userinfo_bytes), json_of(bare.introspection_bytes));
    Router::new()
        .route("/readyz", get(async || "ok"))
        .route("/jwks", get(async move || json(jwks)))
        .route("/metadata", get(async move || json(metadata)))
        .route("/userinfo", get(async move || json(userinfo)))
        .route("/introspect", post(async move |Form(_): Form<Question>| json(introspection)))
        .route("/token", post(async |Form(form): Form<Echo>| Json(form)))
}

fn json(body: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

/// A JSON object of exactly this many bytes, as long as there are at least 9.
fn json_of(bytes: usize) -> Bytes {
    format!(r#"{{"pad":"{}"}}"#, "x".repeat(bytes.saturating_sub(10))).into()
}
