//! The part `services`: a few services, each with a verifier of its own that shares nothing with the others.

use axum::{Router, routing::get};
use countersign_verify::{Claims, Dpop, Profile, Verifier, VerifyLayer};
use stage::{Failure, process};

/// Their name, as the tokens carry it.
pub const AUDIENCE: &str = "vault";
/// The name that clients know them by, as if a proxy with a certificate stood in front of them.
pub const NAME: &str = "https://vault.example";
/// The issuer's URL.
pub const ISSUER: &str = "THIEF_ISSUER";
/// One word for each verifier: where it reads the feed.
pub const FEEDS: &str = "THIEF_FEEDS";
/// Where the issuer's metadata says.
pub const AS_ANNOUNCED: &str = "announced";
/// Nowhere: it checks tokens as every JWT library does.
pub const NOWHERE: &str = "nowhere";

pub async fn run() -> Result<(), Failure> {
    let (issuer, feeds) = (process::variable(ISSUER)?, process::variable(FEEDS)?);
    let mut app = Router::new();
    for (number, feed) in feeds.split_whitespace().enumerate() {
        let verifier = verifier(&issuer, feed)?;
        // A service may also start without the issuer; its requests are then answered with 503 until it is there.
        verifier.ready().await?;
        let service = Router::new().route("/account", get(account)).layer(VerifyLayer::new(verifier));
        app = app.nest(&format!("/{number}"), service);
    }
    process::serve(app).await
}

fn verifier(issuer: &str, feed: &str) -> Result<Verifier, Failure> {
    let builder = Verifier::builder(issuer).audience(AUDIENCE).profile(Profile::Strict).dpop(Dpop::at(NAME));
    let builder = match feed {
        AS_ANNOUNCED => builder,
        NOWHERE => builder.without_revocation(),
        elsewhere => builder.revocation_feed(elsewhere),
    };
    Ok(builder.build()?)
}

async fn account(claims: Claims) -> String {
    claims.sub.clone()
}
