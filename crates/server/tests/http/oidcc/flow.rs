//! What the suite checks of every authorization that succeeds, whatever its module is about.

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::STANDARD;
use countersign_jose::{IdClaims, b64};
use http::Method;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Client, VERIFIER, location, query},
    rig::{Answer, ISSUER, Rig},
};

pub const ADA: &str = "ada@example.com";

/// A provider with one person, of whom everything is known that a standard scope tells.
pub async fn provider() -> Rig {
    let rig = Rig::sqlite().await;
    rig.register(ADA).await;
    rig.admin(Method::PUT, &format!("/api/admin/users/{ADA}/attributes"), &attributes()).await.expect(200);
    rig
}

fn attributes() -> Value {
    json!({ "attributes": {
        "name": "Ada King", "family_name": "King", "given_name": "Ada", "middle_name": "Augusta", "nickname": "Ada",
        "preferred_username": "ada", "profile": "https://ada.example", "picture": "https://ada.example/me.png",
        "website": "https://ada.example", "gender": "female", "birthdate": "1815-12-10", "zoneinfo": "Europe/London",
        "locale": "en-GB", "updated_at": 1_790_000_000, "phone_number": "+44 20 7946 0000", "phone_number_verified": true,
        "street_address": "12 St James's Square", "locality": "London", "postal_code": "SW1Y 4JH", "country": "GB",
    } })
}

/// A confidential client that may ask for every standard scope, as the suite's static clients may.
pub async fn client(rig: &Rig, id: &str) -> Client {
    client_with(rig, id, json!({})).await
}

pub async fn client_with(rig: &Rig, id: &str, more: Value) -> Client {
    let mut wanted = json!({
        "client_id": id, "redirect_uris": [format!("https://{id}.example/cb")],
        "scopes": ["openid", "profile", "email", "address", "phone", "offline_access"],
    });
    wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Client::add(rig, wanted).await
}

/// One authorization that succeeded.
pub struct Flow {
    pub tokens: Answer,
    pub claims: IdClaims,
}

impl Flow {
    pub fn access(&self) -> String {
        self.tokens.text("access_token")
    }

    pub fn id_token(&self) -> String {
        self.tokens.text("id_token")
    }

    /// UserInfo, and what the suite checks of it every time: its type, and whom it is about.
    pub async fn userinfo(&self, rig: &Rig) -> Value {
        self.told(&rig.get("/userinfo").bearer(&self.access()).send().await.expect(200))
    }

    pub fn told(&self, answer: &Answer) -> Value {
        let kind = answer.headers["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/json"), "{kind}");
        let told = answer.json();
        assert_eq!(told["sub"], self.claims.sub);
        told
    }
}

/// Goes the whole way with these parameters, over whatever pages come, and checks everything.
pub async fn authorize(rig: &Rig, client: &Client, browser: &mut Browser<'_>, extra: &[(&str, &str)]) -> Flow {
    let answer = browser.authorize(client, extra, ADA).await;
    complete(rig, client, &answer, extra).await
}

/// From the answer at the client on.
pub async fn complete(rig: &Rig, client: &Client, answer: &Answer, extra: &[(&str, &str)]) -> Flow {
    let code = code(client, answer);
    // The suite's clients prove themselves by `client_secret_basic`, unless the module is about another way.
    let secret = client.secret.as_deref().unwrap();
    let basic = STANDARD.encode_to_string(format!("{}:{secret}", client.id));
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", &client.redirect),
        ("code_verifier", VERIFIER),
    ];
    let tokens = rig.post("/token").header("authorization", &format!("Basic {basic}")).form(&form).send().await;
    redeemed(rig, client, tokens, extra).await
}

/// The code of an authorization response that has everything it must have, and nothing else.
#[track_caller]
pub fn code(client: &Client, answer: &Answer) -> String {
    let to = location(answer);
    let (begin, rest) = to.split_once('?').unwrap();
    assert_eq!(begin, client.redirect.split('?').next().unwrap());
    assert!(!rest.contains('#'), "{to}");
    let mut back = query(answer);
    assert_eq!(back.remove("state").as_deref(), Some("st&te"));
    assert_eq!(back.remove("iss").as_deref(), Some(ISSUER));
    let code = back.remove("code").unwrap_or_else(|| panic!("no code: {to}"));
    // RFC 6749 §10.10: nobody guesses it.
    assert!(b64::decode(&code).unwrap().len() >= 16);
    code
}

/// What the token endpoint must answer, and the ID token must be.
pub async fn redeemed(rig: &Rig, client: &Client, tokens: Answer, extra: &[(&str, &str)]) -> Flow {
    let tokens = tokens.expect(200);
    assert_eq!(
        (&tokens.headers["cache-control"], &tokens.headers["content-type"]),
        (&"no-store".parse().unwrap(), &"application/json".parse().unwrap())
    );
    assert!(tokens.text("token_type").eq_ignore_ascii_case("Bearer"));
    assert!(tokens.json()["expires_in"].as_u64().unwrap() > 0);
    // Verified: signature by a published key that the header names, `iss`, `aud`, `exp`, `iat`.
    let claims = client.id_token(rig, &tokens).await;
    let header = header(&tokens.text("id_token"));
    let keys = rig.get("/.well-known/jwks.json").send().await.expect(200).json();
    assert!(keys["keys"].as_array().unwrap().iter().any(|key| key["kid"] == header["kid"]), "{header}");
    assert!(claims.iat <= rig.app.clock.now().secs() && claims.exp > claims.iat);
    assert!(!claims.sub.is_empty() && claims.sub.len() <= 255 && claims.sub.is_ascii());
    let nonce = extra.iter().find(|(name, _)| *name == "nonce").map_or("n-1", |(_, nonce)| *nonce);
    assert_eq!(claims.nonce.as_deref(), Some(nonce).filter(|nonce| !nonce.is_empty()));
    assert!(claims.azp.as_ref().is_none_or(|azp| *azp == client.id));
    let hash = digest(&SHA256, tokens.text("access_token").as_bytes());
    assert_eq!(claims.at_hash, Some(b64::encode(&hash.as_ref()[..16])));
    Flow { tokens, claims }
}

/// The header of a token, unverified.
pub fn header(token: &str) -> Value {
    serde_json::from_slice(&b64::decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

/// An error at the client that has everything it must have, and nothing that it must not.
#[track_caller]
pub fn error_at(client: &Client, answer: &Answer) -> String {
    let to = location(answer);
    assert!(to.starts_with(&client.redirect), "{to}");
    let back = query(answer);
    assert_eq!((back.get("state").map(String::as_str), back.get("code")), (Some("st&te"), None));
    assert_eq!(back["iss"], ISSUER);
    let words = back.get("error_description").map(String::as_str).unwrap_or_default();
    // RFC 6749 §4.1.2.1
    assert!(words.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{words}");
    back["error"].clone()
}

/// A page of the issuer, from which nobody is sent anywhere.
#[track_caller]
pub fn error_page(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 400, "{}", answer.body);
    assert!(!answer.headers.contains_key("location"));
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html"), "{}", answer.body);
}
