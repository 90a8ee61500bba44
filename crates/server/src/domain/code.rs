//! Authorization codes: what is given out, what is kept of it, and what a client that shows one gets (OAU-05, PKCE).

use std::{fmt, time::Duration};

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use countersign_jose::b64;
use zeroize::Zeroizing;

use super::{session::Sid, signin::SigninId, time::Timestamp};

/// How long a code lives (OAU-05).
pub const CODE_TTL: Duration = Duration::from_secs(60);

/// A code as the client holds it: 256 random bits. Never stored, never printed.
#[derive(Clone)]
pub struct Code(Zeroizing<String>);

impl Code {
    pub fn new(random: &[u8; 32]) -> Self {
        Self(Zeroizing::new(b64::encode(random)))
    }

    /// Reads a code that was presented; `None` if it cannot be one of ours, so that no garbage reaches the database.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(b64::decode_array::<32>(text).ok()?);
        Some(Self::new(&bytes))
    }

    /// The code itself, for the answer that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the database keeps of it.
    pub fn hash(&self) -> CodeHash {
        CodeHash(sha256(self.0.as_bytes()))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// What the database knows a code by: of no use to whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeHash([u8; 32]);

impl CodeHash {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The code challenge of PKCE by the method S256, the only one there is here (RFC 7636 §4.2, OAU-04).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge([u8; 32]);

impl Challenge {
    /// Reads `code_challenge`: 43 characters of base64url.
    pub fn parse(text: &str) -> Option<Self> {
        b64::decode_array(text).ok().map(Self)
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The challenge that a `code_verifier` answers; `None` if it is not 43 to 128 unreserved characters (RFC 7636 §4.1).
    pub fn of_verifier(verifier: &str) -> Option<Self> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let good = (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved);
        good.then(|| Self(sha256(verifier.as_bytes())))
    }

    fn is_answered_by(&self, verifier: &str) -> bool {
        Self::of_verifier(verifier).is_some_and(|answer| verify_slices_are_equal(&answer.0, &self.0).is_ok())
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// What a code stands for: everything it is bound to, decided when it was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorized {
    pub client_id: String,
    pub redirect_uri: String,
    pub challenge: Challenge,
    pub signin: SigninId,
    pub user_id: String,
    /// Space-separated.
    pub scope: String,
    /// Space-separated.
    pub audience: String,
    /// The client's own value, for the ID token.
    pub nonce: Option<String>,
    /// The key that the client's tokens must be bound to (RFC 9449 §10).
    pub dpop_jkt: Option<String>,
    /// Single claims that UserInfo tells besides those of the scope; space-separated.
    pub userinfo_claims: Option<String>,
    /// The same for the ID token.
    pub id_token_claims: Option<String>,
    /// The organisation that the session is to speak for.
    pub organisation: Option<String>,
    pub expires_at: Timestamp,
    /// The session that it was redeemed for, if it was.
    pub redeemed: Option<Sid>,
}

/// What a client shows together with a code, once it is known who the client is.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    pub client_id: &'a str,
    /// Not needed (OAuth 2.1 §10.2), but what is said must be true.
    pub redirect_uri: Option<&'a str>,
    pub verifier: &'a str,
    /// The key whose proof came with the request.
    pub dpop_jkt: Option<&'a str>,
}

/// What becomes of a presented code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is good, if nobody else redeems it first: that is for the guarded statement to say.
    Redeem,
    /// Whoever shows it could redeem it, but it was redeemed before: two parties have the code and its verifier, so the
    /// session ends.
    Replayed(Sid),
    /// Not for this one; nothing changes, so that nobody ends a session with a code alone.
    Refused(Refusal),
}

/// Why a code is refused without any other effect. The client hears `invalid_grant` for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    OtherClient,
    OtherRedirect,
    WrongVerifier,
    OtherKey,
    Expired,
}

impl Refusal {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtherClient => "other_client",
            Self::OtherRedirect => "other_redirect_uri",
            Self::WrongVerifier => "wrong_code_verifier",
            Self::OtherKey => "other_key",
            Self::Expired => "expired",
        }
    }
}

impl Authorized {
    /// Judges a presentation of this code at `now`.
    pub fn judge(&self, shown: &Presented<'_>, now: Timestamp) -> Verdict {
        let wrong = [
            (self.client_id != shown.client_id, Refusal::OtherClient),
            (shown.redirect_uri.is_some_and(|uri| uri != self.redirect_uri), Refusal::OtherRedirect),
            (!self.challenge.is_answered_by(shown.verifier), Refusal::WrongVerifier),
            (self.dpop_jkt.is_some() && self.dpop_jkt.as_deref() != shown.dpop_jkt, Refusal::OtherKey),
        ];
        if let Some((_, refusal)) = wrong.into_iter().find(|(applies, _)| *applies) {
            return Verdict::Refused(refusal);
        }
        match &self.redeemed {
            Some(sid) => Verdict::Replayed(sid.clone()),
            None if self.expires_at <= now => Verdict::Refused(Refusal::Expired),
            None => Verdict::Redeem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn authorized() -> Authorized {
        Authorized {
            client_id: "app".into(),
            redirect_uri: "https://app.example/cb".into(),
            challenge: Challenge::parse(CHALLENGE).unwrap(),
            signin: SigninId::from_bytes(&[1; 32]).unwrap(),
            user_id: "usr_A".into(),
            scope: "openid".into(),
            audience: "api".into(),
            nonce: None,
            dpop_jkt: None,
            userinfo_claims: None,
            id_token_claims: None,
            organisation: None,
            expires_at: NOW.plus(CODE_TTL),
            redeemed: None,
        }
    }

    const GOOD: Presented<'_> = Presented { client_id: "app", redirect_uri: None, verifier: VERIFIER, dpop_jkt: None };

    // RFC 7636, appendix B
    #[test]
    fn the_challenge_is_the_hash_of_the_verifier() {
        assert_eq!(Challenge::of_verifier(VERIFIER), Challenge::parse(CHALLENGE));
    }

    // OAU-04
    #[test]
    fn verifiers_are_43_to_128_unreserved_characters() {
        assert!(Challenge::of_verifier(&"a".repeat(43)).is_some());
        assert!(Challenge::of_verifier(&"~".repeat(128)).is_some());
        for bad in [
            "a".repeat(42),
            "a".repeat(129),
            format!("{}+", "a".repeat(43)),
            format!("{}=", "a".repeat(43)),
            "ä".repeat(43),
        ] {
            assert_eq!(Challenge::of_verifier(&bad), None, "{bad}");
        }
        for bad in ["", VERIFIER, &CHALLENGE[1..], &format!("{CHALLENGE}=")] {
            // A verifier is no challenge by its form alone; only canonical base64url of 32 bytes is.
            assert_eq!(Challenge::parse(bad).is_some(), bad == VERIFIER, "{bad}");
        }
    }

    // OAU-05
    #[test]
    fn a_code_is_256_bits_and_only_its_hash_is_kept() {
        let code = Code::new(&[7; 32]);
        assert_eq!(code.expose().len(), 43);
        assert_eq!(Code::parse(code.expose()).unwrap().hash(), code.hash());
        assert_ne!(code.hash().as_bytes(), &[7; 32]);
        assert_eq!(format!("{code:?}"), "Code(…)");
        for garbage in ["", "x", &format!("{}A", code.expose()), &code.expose()[1..]] {
            assert!(Code::parse(garbage).is_none(), "{garbage}");
        }
    }

    // OAU-05: bound to client, redirect URI, challenge and key; an invalid presentation changes nothing, used or not.
    #[test]
    fn a_code_is_for_whom_it_was_given() {
        let same = Some("https://app.example/cb");
        let bound = Authorized { dpop_jkt: Some("k".into()), ..authorized() };
        let at = |code: &Authorized, shown: Presented<'_>| code.judge(&shown, NOW);
        assert_eq!(at(&authorized(), GOOD), Verdict::Redeem);
        assert_eq!(at(&authorized(), Presented { redirect_uri: same, ..GOOD }), Verdict::Redeem);
        assert_eq!(at(&bound, Presented { dpop_jkt: Some("k"), ..GOOD }), Verdict::Redeem);
        assert_eq!(at(&authorized(), Presented { dpop_jkt: Some("k"), ..GOOD }), Verdict::Redeem);
        let sid = Sid::new("usr_A", &[3; 16]);
        for redeemed in [None, Some(sid)] {
            let code = Authorized { redeemed: redeemed.clone(), ..authorized() };
            let bound = Authorized { redeemed, ..bound.clone() };
            for (code, shown, why) in [
                (&code, Presented { client_id: "other", ..GOOD }, Refusal::OtherClient),
                (&code, Presented { redirect_uri: Some("https://app.example/cb2"), ..GOOD }, Refusal::OtherRedirect),
                (&code, Presented { verifier: CHALLENGE, ..GOOD }, Refusal::WrongVerifier),
                (&code, Presented { verifier: "", ..GOOD }, Refusal::WrongVerifier),
                (&bound, GOOD, Refusal::OtherKey),
                (&bound, Presented { dpop_jkt: Some("l"), ..GOOD }, Refusal::OtherKey),
            ] {
                assert_eq!(at(code, shown), Verdict::Refused(why), "{shown:?}");
            }
        }
    }

    // OAU-05
    #[test]
    fn a_second_valid_use_is_a_replay_for_ever_and_time_alone_is_none() {
        assert_eq!(authorized().judge(&GOOD, NOW.plus(CODE_TTL)), Verdict::Refused(Refusal::Expired));
        let sid = Sid::new("usr_A", &[3; 16]);
        let used = Authorized { redeemed: Some(sid.clone()), ..authorized() };
        for later in [Duration::ZERO, CODE_TTL, CODE_TTL * 60] {
            assert_eq!(used.judge(&GOOD, NOW.plus(later)), Verdict::Replayed(sid.clone()));
        }
    }
}
