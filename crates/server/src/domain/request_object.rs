//! Signed authorization requests (RFC 9101): what a request object must be, and the parameters that it says.

use std::time::Duration;

use countersign_jose::{Error, KeySet, RequestObjectClaims, Verifier, limits::DEFAULT_LEEWAY, profile::RequestObject};
use serde_json::Value;

use super::{
    authorize::{Malformed, Parameters},
    client::ClientId,
    time::Timestamp,
};

/// How far ahead `exp` may be, and how long ago `nbf` and `iat` (OAU-10).
const LONGEST: Duration = Duration::from_hours(1);

/// Why a request object is refused. Its maker may know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the request object is not acceptable: {0}")]
    Object(Error),
    #[error("the request object lives for more than an hour")]
    Lifetime,
    #[error("the parameter {0} of the request object is neither a text nor a whole number nor an object")]
    Parameter(String),
    #[error("the request object is too large: {0}")]
    Size(#[from] Malformed),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Object(error)
    }
}

/// The parameters of a request that this client has signed for us, and no others (RFC 9101 §6.3).
///
/// # Errors
/// [`Refused`]
pub fn read(
    object: &str,
    client: &ClientId,
    keys: &KeySet,
    issuer: &str,
    now: Timestamp,
) -> Result<Parameters, Refused> {
    let policy = Verifier::<RequestObject>::builder().issuer(client.as_str()).audience(issuer).policy();
    let token = policy.parse(object)?;
    let key = keys.pick(token.kid(), token.alg())?;
    let claims = policy.check(&token.verify_signature(key)?, now.secs())?;
    let leeway = i64::try_from(DEFAULT_LEEWAY.as_secs()).unwrap_or_default();
    let old = now.minus(LONGEST).secs().saturating_sub(leeway);
    let began = [claims.nbf, claims.iat].into_iter().flatten();
    if claims.exp > now.plus(LONGEST).secs().saturating_add(leeway) || began.into_iter().any(|time| time < old) {
        return Err(Refused::Lifetime);
    }
    parameters(&claims)
}

fn parameters(claims: &RequestObjectClaims) -> Result<Parameters, Refused> {
    let mut pairs = vec![("client_id".to_owned(), claims.client_id.clone())];
    for (name, value) in &claims.extra {
        let text = match value {
            Value::String(text) => text.clone(),
            // RFC 9101 §4: numbers are JSON numbers, `claims` is an object.
            Value::Number(number) if number.is_u64() => number.to_string(),
            Value::Object(_) => value.to_string(),
            Value::Number(_) | Value::Null | Value::Bool(_) | Value::Array(_) => {
                return Err(Refused::Parameter(name.chars().take(64).collect()));
            }
        };
        pairs.push((name.clone(), text));
    }
    Ok(Parameters::of(pairs)?)
}

#[cfg(test)]
mod tests {
    use countersign_jose::{Algorithm, ClientAssertionClaims, JwkSet, SigningKey, profile::ClientAssertion, sign};
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://id.example";
    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    fn client() -> ClientId {
        ClientId::parse("shop").unwrap()
    }

    fn keys_of(key: &SigningKey) -> KeySet {
        JwkSet::from(vec![key.public_jwk().unwrap()]).verifying_keys().collect()
    }

    fn claims() -> RequestObjectClaims {
        let extra = json!({ "response_type": "code", "scope": "openid", "max_age": 60, "claims": { "id_token": {} } });
        RequestObjectClaims {
            iss: "shop".into(),
            aud: ISSUER.into(),
            client_id: "shop".into(),
            exp: NOW.secs() + 300,
            extra: extra.as_object().unwrap().clone(),
            ..RequestObjectClaims::default()
        }
    }

    fn outcome(key: &SigningKey, claims: &RequestObjectClaims) -> Result<Parameters, Refused> {
        read(&sign::<RequestObject>(key, claims).unwrap(), &client(), &keys_of(key), ISSUER, NOW)
    }

    #[test]
    fn the_parameters_are_those_of_the_object() {
        let key = SigningKey::generate(Algorithm::ES256, "k").unwrap();
        let parameters = outcome(&key, &claims()).unwrap();
        for (name, value) in [("client_id", "shop"), ("response_type", "code"), ("scope", "openid"), ("max_age", "60")]
        {
            assert_eq!(parameters.one(name), Ok(Some(value)), "{name}");
        }
        assert_eq!((parameters.one("claims"), parameters.one("state")), (Ok(Some(r#"{"id_token":{}}"#)), Ok(None)));
    }

    // OAU-10: each condition by itself, and both sides of each edge.
    #[test]
    fn an_object_has_its_time_its_client_and_its_issuer() {
        let key = SigningKey::generate(Algorithm::Ed25519, "k").unwrap();
        for (ahead, good) in [(3610, true), (3611, false), (-9, true), (-10, false)] {
            let other = RequestObjectClaims { exp: NOW.secs() + ahead, ..claims() };
            assert_eq!(outcome(&key, &other).is_ok(), good, "exp {ahead}");
        }
        for (ago, good) in [(3610, true), (3611, false), (-10, true), (-11, false)] {
            let nbf = RequestObjectClaims { nbf: Some(NOW.secs() - ago), ..claims() };
            let iat = RequestObjectClaims { iat: Some(NOW.secs() - ago), ..claims() };
            assert_eq!((outcome(&key, &nbf).is_ok(), outcome(&key, &iat).is_ok()), (good, good), "{ago}");
        }
        let issuer = RequestObjectClaims { aud: "https://other.example".into(), ..claims() };
        assert!(matches!(outcome(&key, &issuer), Err(Refused::Object(Error::Audience { .. }))));
        let other = RequestObjectClaims { iss: "bank".into(), client_id: "bank".into(), ..claims() };
        assert!(matches!(outcome(&key, &other), Err(Refused::Object(Error::Issuer { .. }))));
        let stranger = SigningKey::generate(Algorithm::Ed25519, "k").unwrap();
        let forged = sign::<RequestObject>(&stranger, &claims()).unwrap();
        for bad in [&*forged, "", "x", "a.b.c", "a.b.c.d.e", "eyJhbGciOiJub25lIn0.e30."] {
            let refused = read(bad, &client(), &keys_of(&key), ISSUER, NOW);
            assert!(matches!(refused, Err(Refused::Object(_))), "{bad}: {refused:?}");
        }
    }

    // TOK-17, RFC 9101 §10.8: what the same key signs to prove the client is no request, nor the other way round.
    #[test]
    fn an_assertion_is_no_request_object() {
        let key = SigningKey::generate(Algorithm::ES256, "k").unwrap();
        let assertion = ClientAssertionClaims {
            iss: "shop".into(),
            sub: "shop".into(),
            aud: ISSUER.into(),
            jti: "j".into(),
            exp: NOW.secs() + 60,
            ..ClientAssertionClaims::default()
        };
        let assertion = sign::<ClientAssertion>(&key, &assertion).unwrap();
        assert!(read(&assertion, &client(), &keys_of(&key), ISSUER, NOW).is_err());
        let object = sign::<RequestObject>(&key, &claims()).unwrap();
        assert!(super::super::client_assertion::check(&object, &client(), &keys_of(&key), ISSUER, NOW).is_err());
    }

    #[test]
    fn parameters_are_texts_numbers_and_objects() {
        let key = SigningKey::generate(Algorithm::ES256, "k").unwrap();
        for bad in [json!(["openid"]), json!(true), json!(null), json!(1.5), json!(-1)] {
            let mut other = claims();
            other.extra.insert("scope".into(), bad.clone());
            assert_eq!(outcome(&key, &other), Err(Refused::Parameter("scope".into())), "{bad}");
        }
        for bad in ["a\u{0}b", "\n"] {
            let mut other = claims();
            other.extra.insert("state".into(), json!(bad));
            assert!(matches!(outcome(&key, &other), Err(Refused::Size(Malformed::Text))), "{bad:?}");
        }
        for forbidden in ["sub", "request", "request_uri"] {
            let mut other = claims();
            other.extra.insert(forbidden.into(), json!("x"));
            assert!(sign::<RequestObject>(&key, &other).is_err(), "{forbidden}");
        }
    }
}
