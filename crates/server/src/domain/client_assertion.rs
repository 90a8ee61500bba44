//! What a client's assertion must be (RFC 7523 §3, OpenID Connect Core §9), and what is kept of one that was used.

use std::time::Duration;

use aws_lc_rs::digest;
use countersign_jose::{Error, KeySet, Verifier, b64, limits::DEFAULT_LEEWAY, profile::ClientAssertion};
use serde_json::Value;

use super::{client::ClientId, time::Timestamp};

/// `client_assertion_type` (RFC 7523 §2.2).
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far ahead `exp` may be: what common client libraries ask for, and no more. Each is used once in any case.
const LONGEST: Duration = Duration::from_hours(1);

/// An assertion that proved its client, and must still be used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedAssertion {
    pub client_id: String,
    /// Hash of its `jti`.
    pub id: [u8; 32],
    /// From when on it is refused for its age, Unix seconds.
    pub until: i64,
}

/// Why an assertion proves nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproved {
    /// The client's key did not sign it, or it is none at all: whoever sent it learns nothing.
    Stranger(Error),
    /// The client made it, and may know what is wrong with it.
    Claims(Error),
    /// It lives for too long.
    Lifetime,
}

/// Whom an assertion names, before anything is proved: enough to look the client up.
pub fn claimed_client(assertion: &str) -> Option<ClientId> {
    let payload = b64::decode(assertion.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    ClientId::parse(claims.get("iss")?.as_str()?).ok()
}

/// Checks an assertion of this client at `now`, all but its single use. `aud` is the issuer's identifier alone: one that is
/// meant for another address could be meant for another server, which would then show it here (OAU-08).
///
/// # Errors
/// [`Unproved`]
pub fn check(
    assertion: &str,
    client: &ClientId,
    keys: &KeySet,
    issuer: &str,
    now: Timestamp,
) -> Result<UsedAssertion, Unproved> {
    let policy = Verifier::<ClientAssertion>::builder().issuer(client.as_str()).audience(issuer).policy();
    let token = policy.parse(assertion).map_err(Unproved::Stranger)?;
    let key = keys.pick(token.kid(), token.alg()).map_err(Unproved::Stranger)?;
    let authentic = token.verify_signature(key).map_err(Unproved::Stranger)?;
    let claims = policy.check(&authentic, now.secs()).map_err(Unproved::Claims)?;
    let leeway = i64::try_from(DEFAULT_LEEWAY.as_secs()).unwrap_or_default();
    if claims.exp > now.plus(LONGEST).secs().saturating_add(leeway) {
        return Err(Unproved::Lifetime);
    }
    let mut id = [0; 32];
    id.copy_from_slice(digest::digest(&digest::SHA256, claims.jti.as_bytes()).as_ref());
    Ok(UsedAssertion { client_id: client.to_string(), id, until: claims.exp.saturating_add(leeway + 1) })
}

#[cfg(test)]
mod tests {
    use countersign_jose::{Algorithm, ClientAssertionClaims, JwkSet, SigningKey, sign};

    use super::*;

    const ISSUER: &str = "https://id.example";
    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    fn client() -> ClientId {
        ClientId::parse("orders").unwrap()
    }

    fn keys_of(key: &SigningKey) -> KeySet {
        JwkSet::from(vec![key.public_jwk().unwrap()]).verifying_keys().collect()
    }

    fn claims() -> ClientAssertionClaims {
        ClientAssertionClaims {
            iss: "orders".into(),
            sub: "orders".into(),
            aud: ISSUER.into(),
            jti: "one".into(),
            exp: NOW.secs() + 60,
            ..ClientAssertionClaims::default()
        }
    }

    fn outcome(key: &SigningKey, claims: &ClientAssertionClaims) -> Result<UsedAssertion, Unproved> {
        check(&sign::<ClientAssertion>(key, claims).unwrap(), &client(), &keys_of(key), ISSUER, NOW)
    }

    #[test]
    fn a_good_one_is_kept_until_its_age_refuses_it() {
        let key = SigningKey::generate(Algorithm::ES256, "k").unwrap();
        let used = outcome(&key, &claims()).unwrap();
        assert_eq!((&*used.client_id, used.until), ("orders", NOW.secs() + 71));
        let text = sign::<ClientAssertion>(&key, &claims()).unwrap();
        let last = Timestamp::from_secs(used.until);
        assert_eq!(claimed_client(&text), Some(client()));
        let late = check(&text, &client(), &keys_of(&key), ISSUER, last);
        assert!(matches!(late, Err(Unproved::Claims(Error::Expired { .. }))), "{late:?}");
        assert_ne!(outcome(&key, &ClientAssertionClaims { jti: "two".into(), ..claims() }).unwrap().id, used.id);
    }

    // OAU-08: each condition by itself.
    #[test]
    fn what_is_wrong_is_told_to_its_maker_alone() {
        let key = SigningKey::generate(Algorithm::Ed25519, "k").unwrap();
        let other = ClientAssertionClaims { iss: "bills".into(), sub: "bills".into(), ..claims() };
        for aud in
            ["https://id.example/", "https://id.example/token", "https://id.example/par", "https://other.example"]
        {
            let refused = outcome(&key, &ClientAssertionClaims { aud: aud.into(), ..claims() });
            assert!(matches!(refused, Err(Unproved::Claims(Error::Audience { .. }))), "{aud}: {refused:?}");
        }
        assert!(matches!(outcome(&key, &other), Err(Unproved::Claims(Error::Issuer { .. }))));
        let old = ClientAssertionClaims { exp: NOW.secs() - 11, ..claims() };
        assert!(matches!(outcome(&key, &old), Err(Unproved::Claims(Error::Expired { .. }))));
        for (ahead, good) in [(3610, true), (3611, false), (i64::from(u32::MAX), false)] {
            let long = ClientAssertionClaims { exp: NOW.secs() + ahead, ..claims() };
            assert_eq!(outcome(&key, &long).is_ok(), good, "{ahead}");
        }
        let stranger = SigningKey::generate(Algorithm::Ed25519, "k").unwrap();
        let forged = sign::<ClientAssertion>(&stranger, &claims()).unwrap();
        for text in [&*forged, "", "x", "a.b.c"] {
            let refused = check(text, &client(), &keys_of(&key), ISSUER, NOW);
            assert!(matches!(refused, Err(Unproved::Stranger(_))), "{text}: {refused:?}");
        }
    }

    // OAU-08: a list of one is a list: another server could be the next in it.
    #[test]
    fn a_list_of_audiences_is_refused() {
        let key = SigningKey::generate(Algorithm::ES256, "k").unwrap();
        let input = countersign_jose::SigningInput::new::<countersign_jose::profile::Generic>(
            Algorithm::ES256,
            "k",
            &countersign_jose::GenericClaims {
                iss: Some("orders".into()),
                sub: Some("orders".into()),
                aud: Some(vec![ISSUER.to_owned()].into()),
                jti: Some("one".into()),
                exp: Some(NOW.secs() + 60),
                ..Default::default()
            },
        );
        // Another kind of token as well.
        let text = input.and_then(|input| input.finish(&[0; 64])).unwrap();
        assert!(matches!(check(&text, &client(), &keys_of(&key), ISSUER, NOW), Err(Unproved::Stranger(_))));
        let list = ClientAssertionClaims { aud: vec![ISSUER.to_owned()].into(), ..claims() };
        assert!(sign::<ClientAssertion>(&key, &list).is_err(), "the library does not even sign one");
    }

    #[test]
    fn garbage_names_nobody() {
        for garbage in ["", "a.b.c", "e30.e30.", "e30.eyJpc3MiOjd9.", "e30.eyJpc3MiOiJBIEIifQ."] {
            assert_eq!(claimed_client(garbage), None, "{garbage}");
        }
    }
}
