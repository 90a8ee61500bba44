//! The issuer and its people, and what a client asks it.

use http::Method;
use serde_json::json;
use stage::{
    Failure,
    client::{Answer, Call},
    issuer::Issuer,
    story::{Story, status},
};

use crate::{key::Key, services::AUDIENCE};

/// Tokens are stolen from her.
pub const ADA: &str = "ada@example.com";
/// Nobody steals anything from him.
pub const BOB: &str = "bob@example.com";
const PASSWORD: &str = "correct horse battery staple";
const CLIENT: &str = "vault-web";

/// The time within which the previous refresh token is forgiven, in seconds. The default of 10 s would only be waited for.
pub const GRACE: u64 = 1;

/// What a browser keeps, and a thief copies.
#[derive(Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl From<Answer> for Tokens {
    fn from(answer: Answer) -> Self {
        Self { access: answer.text("access_token"), refresh: answer.text("refresh_token") }
    }
}

/// A running issuer with two users.
pub struct House(Issuer);

impl House {
    pub async fn open(story: &mut Story) -> Result<Self, Failure> {
        let issuer = Issuer::start("thief-", &[("refresh.grace", &format!("{GRACE}s"))]).await?;
        story.place("issuer", &issuer.url);
        let admin = issuer.admin();
        admin.call(Method::POST, "/api/admin/audiences", &json!({ "audience": AUDIENCE, "scopes": [] })).await?;
        let client = json!({
            "client_id": CLIENT,
            "public": true,
            "grants": ["first_party", "refresh_token"],
            "audiences": [AUDIENCE],
            "scopes": [],
        });
        admin.call(Method::POST, "/api/admin/clients", &client).await?;
        for email in [ADA, BOB] {
            let user = json!({ "email": email, "password": PASSWORD, "roles": [] });
            admin.call(Method::POST, "/api/admin/users", &user).await?;
        }
        Ok(Self(issuer))
    }

    pub fn url(&self) -> &str {
        &self.0.url
    }

    pub async fn sign_in(&self, story: &mut Story, words: &str, email: &str) -> Tokens {
        let body = json!({ "email": email, "password": PASSWORD, "client_id": CLIENT });
        let login = Call::post(format!("{}/login", self.url())).json(&body);
        story.ask(words, login, status(200)).await.into()
    }

    /// With a proof of this key, so that both tokens are bound to it.
    ///
    /// # Errors
    /// The proof could not be made.
    pub async fn sign_in_with(
        &self,
        story: &mut Story,
        words: &str,
        (email, key): (&str, &Key),
    ) -> Result<Tokens, Failure> {
        let url = format!("{}/login", self.url());
        let body = json!({ "email": email, "password": PASSWORD, "client_id": CLIENT });
        let login = Call::post(&url).json(&body).proof(&key.proof(&url)?);
        Ok(story.ask(words, login, status(200).with("/token_type", "DPoP")).await.into())
    }

    pub async fn sign_out_everywhere(&self, story: &mut Story, tokens: &Tokens) {
        let body = json!({ "refresh_token": tokens.refresh, "everywhere": true });
        let logout = Call::post(format!("{}/logout", self.url())).json(&body);
        story.ask("Ada signs out everywhere", logout, status(204)).await;
    }

    /// A refresh that works.
    pub async fn refresh(&self, story: &mut Story, words: &str, tokens: &Tokens) -> Tokens {
        story.ask(words, self.refreshing(tokens), status(200)).await.into()
    }

    /// One that does not.
    pub async fn refresh_is_refused(&self, story: &mut Story, words: &str, tokens: &Tokens) {
        story.ask(words, self.refreshing(tokens), status(400).with("/error", "invalid_grant")).await;
    }

    /// What a refresh asks.
    pub fn refreshing(&self, tokens: &Tokens) -> Call {
        let form = [("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", &tokens.refresh)];
        Call::post(format!("{}/token", self.url())).form(&form)
    }
}
