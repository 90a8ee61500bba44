//! Tokens that are wrong on purpose: each in one way, everything else about it is right. The attacks are those of RFC 8725
//! and of the CVEs named beside them.

use aws_lc_rs::hmac;
use countersign_jose::{Algorithm, SigningInput, SigningKey, b64, profile::AccessToken};
use serde_json::{Value, json};

use super::{must, new_key, public_half, token::TestToken};

/// A name and how to make it.
type Wrong = (&'static str, fn(&TestToken) -> String);

/// What [`TestIssuer::all_wrong`](super::TestIssuer::all_wrong) makes.
pub(super) const ALL: [Wrong; 29] = [
    ("expired", TestToken::expired),
    ("not_yet", TestToken::not_yet),
    ("issued_in_the_future", TestToken::issued_in_the_future),
    ("too_long_lived", TestToken::too_long_lived),
    ("wrong_issuer", TestToken::wrong_issuer),
    ("issuer_with_a_slash", TestToken::issuer_with_a_slash),
    ("wrong_audience", TestToken::wrong_audience),
    ("audience_prefix", TestToken::audience_prefix),
    ("altered", TestToken::altered),
    ("altered_signature", TestToken::altered_signature),
    ("no_signature", TestToken::no_signature),
    ("alg_none", TestToken::alg_none),
    ("hs256_with_public_key", TestToken::hs256_with_public_key),
    ("another_alg", TestToken::another_alg),
    ("wrong_key", TestToken::wrong_key),
    ("unknown_kid", TestToken::unknown_kid),
    ("embedded_key", TestToken::embedded_key),
    ("wrong_typ", TestToken::wrong_typ),
    ("no_typ", TestToken::no_typ),
    ("critical_extension", TestToken::critical_extension),
    ("no_exp", TestToken::no_exp),
    ("exp_as_text", TestToken::exp_as_text),
    ("no_sub", TestToken::no_sub),
    ("duplicate_claim", TestToken::duplicate_claim),
    ("padded", TestToken::padded),
    ("five_parts", TestToken::five_parts),
    ("not_a_token", TestToken::not_a_token),
    ("bound_to_a_key", TestToken::bound_to_a_key),
    ("bound_in_an_unknown_way", TestToken::bound_in_an_unknown_way),
];

/// An hour, in seconds.
const HOUR: i64 = 3_600;

/// # Wrong on purpose
/// Each makes a token that must be refused. They panic only as [`sign`](Self::sign) does.
impl TestToken {
    /// It ended an hour ago.
    pub fn expired(&self) -> String {
        self.changed(|claims| (claims.iat, claims.exp) = (claims.iat - HOUR - 600, claims.iat - HOUR))
    }

    /// Its `nbf` is an hour away.
    pub fn not_yet(&self) -> String {
        self.changed(|claims| claims.nbf = Some(claims.iat + HOUR))
    }

    /// Its `iat` is an hour away.
    pub fn issued_in_the_future(&self) -> String {
        self.changed(|claims| (claims.iat, claims.exp) = (claims.iat + HOUR, claims.iat + HOUR + 600))
    }

    /// It lives for ten years.
    pub fn too_long_lived(&self) -> String {
        self.changed(|claims| claims.exp = claims.iat + 10 * 365 * 24 * HOUR)
    }

    /// Another issuer in `iss`, signed with this issuer's key.
    pub fn wrong_issuer(&self) -> String {
        self.changed(|claims| claims.iss = "https://evil.test".into())
    }

    /// The issuer with one more slash: issuers are compared to the letter.
    pub fn issuer_with_a_slash(&self) -> String {
        self.changed(|claims| claims.iss.push('/'))
    }

    /// For another service.
    pub fn wrong_audience(&self) -> String {
        self.changed(|claims| claims.aud = "another-service".into())
    }

    /// For a service whose name begins like this one's.
    pub fn audience_prefix(&self) -> String {
        let longer = format!("{}-internal", self.issuer.audience);
        self.changed(|claims| claims.aud = longer.into())
    }

    /// One more role, under the signature of the token without it.
    pub fn altered(&self) -> String {
        let signature = self.sign().split('.').next_back().unwrap_or_default().to_owned();
        let altered = self.clone().role("superuser").sign();
        format!("{}.{signature}", altered.rsplit_once('.').map_or("", |(input, _)| input))
    }

    /// One bit of the signature flipped.
    pub fn altered_signature(&self) -> String {
        raw(&self.header(), &self.payload(), |input| {
            let mut signature = must(self.issuer.active().sign_raw(input));
            signature[10] ^= 1;
            signature
        })
    }

    /// The signature cut off.
    pub fn no_signature(&self) -> String {
        raw(&self.header(), &self.payload(), |_| Vec::new())
    }

    /// `alg: none` (CVE-2015-9235).
    pub fn alg_none(&self) -> String {
        raw(&self.header_with("alg", json!("none")), &self.payload(), |_| Vec::new())
    }

    /// `alg: HS256`, with the public key as the secret (CVE-2015-9235, CVE-2016-10555).
    pub fn hs256_with_public_key(&self) -> String {
        let public = must(serde_json::to_string(&public_half(&self.issuer.active())));
        raw(&self.header_with("alg", json!("HS256")), &self.payload(), |input| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), input).as_ref().to_vec()
        })
    }

    /// A header that names another algorithm than the key's.
    pub fn another_alg(&self) -> String {
        let other = Algorithm::all().find(|alg| !alg.is_symmetric() && *alg != self.issuer.active().alg());
        self.signed_raw(&self.header_with("alg", json!(other.map(Algorithm::as_str))), &self.payload())
    }

    /// Signed by another key of the same id, as another issuer's may be (TOK-19).
    pub fn wrong_key(&self) -> String {
        let active = self.issuer.active();
        self.signed_by(&new_key(active.alg(), active.kid()))
    }

    /// Signed by a key that the issuer never published.
    pub fn unknown_kid(&self) -> String {
        self.signed_by(&new_key(self.issuer.active().alg(), "never-published"))
    }

    /// Signed by a key of the attacker's that lies in the header (CVE-2018-0114).
    pub fn embedded_key(&self) -> String {
        let active = self.issuer.active();
        let own = new_key(active.alg(), active.kid());
        let header = self.header_with("jwk", must(serde_json::to_value(public_half(&own))));
        raw(&header, &self.payload(), |input| must(own.sign_raw(input)))
    }

    /// The type of an ID token.
    pub fn wrong_typ(&self) -> String {
        self.signed_raw(&self.header_with("typ", json!("JWT")), &self.payload())
    }

    /// No type at all.
    pub fn no_typ(&self) -> String {
        self.signed_raw(&without(self.header(), "typ"), &self.payload())
    }

    /// A `crit` extension that nobody knows (RFC 7515 §4.1.11).
    pub fn critical_extension(&self) -> String {
        self.signed_raw(&self.header_with("crit", json!(["urn:example:unknown"])), &self.payload())
    }

    /// It never ends.
    pub fn no_exp(&self) -> String {
        self.signed_raw(&self.header(), &without(self.payload(), "exp"))
    }

    /// `exp` as a text: not a number, and not absent either (CVE-2026-25537).
    pub fn exp_as_text(&self) -> String {
        let mut payload = self.payload();
        payload["exp"] = json!("9999999999");
        self.signed_raw(&self.header(), &payload)
    }

    /// About nobody.
    pub fn no_sub(&self) -> String {
        self.signed_raw(&self.header(), &without(self.payload(), "sub"))
    }

    /// `sub` twice: one parser takes the first, another the last.
    pub fn duplicate_claim(&self) -> String {
        let twice = self.payload().to_string().replacen('{', r#"{"sub":"somebody-else","#, 1);
        self.signed_text(&self.header().to_string(), &twice)
    }

    /// Base64 with padding: a second spelling of the same token.
    pub fn padded(&self) -> String {
        format!("{}=", self.sign())
    }

    /// The five parts of an encrypted token (RFC 7516).
    pub fn five_parts(&self) -> String {
        format!("{}.AAAA.AAAA", self.sign())
    }

    /// Any other text.
    pub fn not_a_token(&self) -> String {
        "not-a-token".into()
    }

    /// Bound to a key (RFC 9449 §6.1), and shown without a proof by that key: stolen, most likely.
    pub fn bound_to_a_key(&self) -> String {
        let thumbprint = public_half(&new_key(Algorithm::ES256, "owner")).thumbprint();
        self.changed(|claims| claims.cnf = Some(json!({ "jkt": thumbprint })))
    }

    /// Bound to its owner by something that no verifier of this kind can check: a client certificate (RFC 8705 §3.1).
    pub fn bound_in_an_unknown_way(&self) -> String {
        self.changed(|claims| claims.cnf = Some(json!({ "x5t#S256": b64::encode([7; 32]) })))
    }
}

impl TestToken {
    fn changed(&self, change: impl FnOnce(&mut countersign_jose::AccessClaims)) -> String {
        self.clone().with(change).sign()
    }

    fn signed_by(&self, key: &SigningKey) -> String {
        must(countersign_jose::sign::<AccessToken>(key, &self.claims))
    }

    fn header(&self) -> Value {
        let key = self.issuer.active();
        json!({"alg": key.alg().as_str(), "kid": key.kid(), "typ": "at+jwt"})
    }

    fn header_with(&self, name: &str, value: Value) -> Value {
        let mut header = self.header();
        header[name] = value;
        header
    }

    fn payload(&self) -> Value {
        let key = self.issuer.active();
        let input = must(SigningInput::new::<AccessToken>(key.alg(), key.kid(), &self.claims));
        let payload = input.as_bytes().split(|byte| *byte == b'.').nth(1).unwrap_or_default();
        must(serde_json::from_slice(&must(b64::decode(payload))))
    }

    fn signed_raw(&self, header: &Value, payload: &Value) -> String {
        self.signed_text(&header.to_string(), &payload.to_string())
    }

    fn signed_text(&self, header: &str, payload: &str) -> String {
        raw_text(header, payload, |input| must(self.issuer.active().sign_raw(input)))
    }
}

fn raw(header: &Value, payload: &Value, signature: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    raw_text(&header.to_string(), &payload.to_string(), signature)
}

fn raw_text(header: &str, payload: &str, signature: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let input = format!("{}.{}", b64::encode(header), b64::encode(payload));
    let signature = b64::encode(signature(input.as_bytes()));
    format!("{input}.{signature}")
}

fn without(mut object: Value, name: &str) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.remove(name);
    }
    object
}
