//! A person's authenticator app: what a telephone would show, computed here once more (RFC 6238).

use aws_lc_rs::hmac;
use http::Method;
use serde_json::json;

use crate::{
    browser::{Browser, hidden},
    rig::{Answer, PASSWORD, Rig},
};

/// An app that was added to an account, and the recovery codes that came with it.
#[derive(Debug, Clone)]
pub struct Authenticator {
    seed: Vec<u8>,
    pub id: String,
    pub recovery_codes: Vec<String>,
}

impl Authenticator {
    /// Begins to add an app, and reads the seed as an app reads it.
    pub async fn begin(rig: &Rig, access: &str) -> Self {
        let begun = rig.post("/api/account/factors/totp").json(&json!({})).bearer(access).send().await.expect(201);
        let uri = begun.text("otpauth_uri");
        let secret = uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
        assert_eq!(secret, begun.text("secret"));
        Self { seed: base32(secret), id: begun.text("id"), recovery_codes: Vec::new() }
    }

    /// Reads the page on which an app is being added.
    pub fn of_page(page: &Answer) -> Self {
        let secret = page.body.split("<code class=\"key\">").nth(1).unwrap().split('<').next().unwrap();
        Self { seed: base32(secret), id: hidden(page, "id"), recovery_codes: Vec::new() }
    }

    pub async fn confirm(&self, rig: &Rig, access: &str, extra: &serde_json::Value) -> Answer {
        let mut body = json!({ "code": self.code(rig) });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let path = format!("/api/account/factors/totp/{}/confirm", self.id);
        rig.post(&path).json(&body).bearer(access).send().await
    }

    /// Adds an app to the account of whoever has just signed in with this token, and lets its first code be over.
    pub async fn add(rig: &Rig, access: &str) -> Self {
        let begun = Self::begin(rig, access).await;
        let confirmed = begun.confirm(rig, access, &json!({})).await.expect(200).json();
        rig.advance(std::time::Duration::from_secs(30));
        let codes = confirmed["recovery_codes"].as_array().cloned().unwrap_or_default();
        let recovery_codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        Self { recovery_codes, ..begun }
    }

    /// Makes an account with an app.
    pub async fn of_new_user(rig: &Rig, email: &str) -> Self {
        let user = rig.user(email).await;
        Self::add(rig, &user.access).await
    }

    /// What it shows now.
    pub fn code(&self, rig: &Rig) -> String {
        self.code_at(rig, 0)
    }

    /// What it shows so many steps from now.
    pub fn code_at(&self, rig: &Rig, steps: i64) -> String {
        let counter = rig.app.clock.now().secs() / 30 + steps;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.seed), &counter.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[19] & 15);
        let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    /// A code that it shows neither now nor around now.
    pub fn wrong(&self, rig: &Rig) -> String {
        let shown: Vec<String> = (-2..=2).map(|steps| self.code_at(rig, steps)).collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !shown.contains(code)).unwrap()
    }
}

/// The ticket of a sign-in that owes its second factor.
pub async fn ticket(rig: &Rig, email: &str) -> String {
    rig.login(email).await.refused(401, "mfa-required").text("ticket")
}

pub async fn finish(rig: &Rig, ticket: &str, code: &str) -> Answer {
    rig.post("/login/mfa").json(&json!({ "ticket": ticket, "code": code })).send().await
}

/// Signs in with both factors.
pub async fn login(rig: &Rig, email: &str, code: &str) -> Answer {
    finish(rig, &ticket(rig, email).await, code).await
}

/// Fills in the page of the second factor.
pub async fn second(browser: &mut Browser<'_>, page: &Answer, code: &str) -> Answer {
    let (request, form) = (hidden(page, "request"), hidden(page, "form"));
    browser.post("/ui/mfa", &[("request", &request), ("form", &form), ("code", code)]).await
}

/// From `/authorize` to the page of the second factor, over the password.
pub async fn to_second(browser: &mut Browser<'_>, url: &str, email: &str) -> Answer {
    let to = browser.get(url).await.expect(303);
    let page = browser.follow(&to).await.expect(200);
    let to = browser.sign_in(&page, email, PASSWORD).await.expect(303);
    browser.follow(&to).await.expect(200)
}

/// The names of an account's security events, newest first.
pub async fn events(rig: &Rig, email: &str) -> Vec<String> {
    let path = format!("/api/admin/audit?user={email}&limit=500");
    let page = rig.admin(Method::GET, &path, &json!({})).await.expect(200).json();
    page["items"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
}

fn base32(text: &str) -> Vec<u8> {
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let five = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == letter).unwrap();
        buffer = (buffer << 5) | u32::try_from(five).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 255).unwrap());
            buffer &= (1 << bits) - 1;
        }
    }
    bytes
}
