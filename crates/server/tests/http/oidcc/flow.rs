//! What the suite checks of every authorization that succeeds, whatever its module is about.

use aws_lc_rs::digest::{SHA256, digest};
use countersign_jose::{IdClaims, b64};
use serde_json::Value;

use super::op::{Op, Rp};
use crate::{
    browser::{Browser, VERIFIER, location, query},
    rig::Answer,
};

/// One authorization that succeeded.
pub struct Flow {
    pub tokens: Answer,
    pub claims: IdClaims,
    /// How often the person was asked to sign in.
    pub signed_in: usize,
}

impl Flow {
    pub fn access(&self) -> String {
        self.tokens.text("access_token")
    }

    pub fn id_token(&self) -> String {
        self.tokens.text("id_token")
    }

    /// UserInfo, and what the suite checks of it every time: its type, and whom it is about.
    pub async fn userinfo(&self, op: &Op) -> Value {
        let answer = op.get(&op.endpoint("userinfo_endpoint")).bearer(&self.access()).send().await;
        self.told(&answer.expect(200))
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
pub async fn authorize(op: &Op, rp: &Rp, browser: &mut Browser<'_>, extra: &[(&str, &str)]) -> Flow {
    let walk = op.walk(browser, rp, extra).await;
    Flow { signed_in: walk.signed_in, ..complete(op, rp, &walk.answer, extra).await }
}

/// From the answer at the client on.
pub async fn complete(op: &Op, rp: &Rp, answer: &Answer, extra: &[(&str, &str)]) -> Flow {
    let code = code(op, rp, answer);
    redeemed(op, rp, op.token(rp, &redemption(rp, &code)).await, extra).await
}

/// What a client sends with a code.
pub fn redemption<'a>(rp: &'a Rp, code: &'a str) -> [(&'a str, &'a str); 4] {
    [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", &rp.redirect), ("code_verifier", VERIFIER)]
}

/// The code of an authorization response that has everything it must have, and nothing else.
#[track_caller]
pub fn code(op: &Op, rp: &Rp, answer: &Answer) -> String {
    let to = location(answer);
    let (begin, rest) = to.split_once('?').unwrap();
    assert_eq!(begin, rp.redirect.split('?').next().unwrap());
    assert!(!rest.contains('#'), "{to}");
    let mut back = query(answer);
    assert_eq!(back.remove("state").as_deref(), Some("st&te"));
    assert_eq!(back.remove("iss").as_deref(), Some(&*op.issuer));
    let code = back.remove("code").unwrap_or_else(|| panic!("no code: {to}"));
    // RFC 6749 §10.10: nobody guesses it. 128 bits, in letters of at most 6 bits.
    assert!(code.len() >= 22, "{code}");
    code
}

/// What the token endpoint must answer, and the ID token must be.
pub async fn redeemed(op: &Op, rp: &Rp, tokens: Answer, extra: &[(&str, &str)]) -> Flow {
    let tokens = tokens.expect(200);
    assert_eq!(tokens.headers["cache-control"], "no-store");
    assert!(tokens.headers["content-type"].to_str().unwrap().starts_with("application/json"));
    assert!(tokens.text("token_type").eq_ignore_ascii_case("Bearer"));
    assert!(tokens.json()["expires_in"].as_u64().unwrap() > 0);
    // Verified: signature by a published key that the header names, `iss`, `aud`, `exp`, `iat`.
    let claims = op.id_token(rp, &tokens).await;
    let header = header(&tokens.text("id_token"));
    let keys = op.get(&op.endpoint("jwks_uri")).send().await.expect(200).json();
    assert!(keys["keys"].as_array().unwrap().iter().any(|key| key["kid"] == header["kid"]), "{header}");
    assert!(claims.iat <= op.now() && claims.exp > claims.iat);
    assert!(!claims.sub.is_empty() && claims.sub.len() <= 255 && claims.sub.is_ascii());
    let nonce = extra.iter().find(|(name, _)| *name == "nonce").map_or("n-1", |(_, nonce)| *nonce);
    assert_eq!(claims.nonce.as_deref(), Some(nonce).filter(|nonce| !nonce.is_empty()));
    assert!(claims.azp.as_ref().is_none_or(|azp| *azp == rp.id));
    let hash = digest(&SHA256, tokens.text("access_token").as_bytes());
    assert_eq!(claims.at_hash, Some(b64::encode(&hash.as_ref()[..16])));
    Flow { tokens, claims, signed_in: 0 }
}

/// The header of a token, unverified.
pub fn header(token: &str) -> Value {
    serde_json::from_slice(&b64::decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

/// An error at the client that has everything it must have, and nothing that it must not.
#[track_caller]
pub fn error_at(op: &Op, rp: &Rp, answer: &Answer) -> String {
    let to = location(answer);
    assert!(to.starts_with(&rp.redirect), "{to}");
    let back = query(answer);
    assert_eq!((back.get("state").map(String::as_str), back.get("code")), (Some("st&te"), None));
    assert_eq!(back["iss"], op.issuer);
    let words = back.get("error_description").map(String::as_str).unwrap_or_default();
    // RFC 6749 §4.1.2.1
    assert!(words.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{words}");
    back["error"].clone()
}

/// A page of the provider, from which nobody is sent anywhere.
#[track_caller]
pub fn error_page(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 400, "{}", answer.body);
    assert!(!answer.headers.contains_key("location"));
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html"), "{}", answer.body);
}
