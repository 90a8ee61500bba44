//! What holds for every claims set, every token and every input.

use crate::support::*;
use countersign_jose::{
    AccessClaims, Algorithm, Audience, Jwk, JwkSet, SigningKey, Unverified, Verified, b64, profile::AccessToken, sign,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no other numbers", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((any::<String>(), inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn audience() -> impl Strategy<Value = Audience> {
    vec("\\PC{1,8}", 0..3).prop_map(|mut names| {
        names.push(AUDIENCE.into());
        if names.len() == 1 { Audience::One(AUDIENCE.into()) } else { Audience::Many(names) }
    })
}

prop_compose! {
    fn any_claims()(
        (sub, client_id, jti) in ("\\PC{1,12}", "\\PC{1,12}", "[ -~]{1,24}"),
        (sid, scope, acr, tid) in (option::of(any::<String>()), option::of(any::<String>()), option::of(any::<String>()), option::of(any::<String>())),
        (roles, amr) in (vec(any::<String>(), 0..4), vec(any::<String>(), 0..3)),
        (rsn, auth_time) in (option::of(0..=1_i64 << 53), option::of(0..=1_i64 << 53)),
        aud in audience(),
        extra in vec(("x[a-z\"\\\\é]{0,6}", value()), 0..3),
    ) -> AccessClaims {
        let extra: Map<String, Value> = extra.into_iter().collect();
        AccessClaims { sub, client_id, jti, sid, scope, acr, tid, roles, amr, rsn, auth_time, aud, extra, ..claims() }
    }
}

proptest! {
    #[test]
    fn what_is_signed_is_verified_and_the_same(claims in any_claims()) {
        for alg in [Algorithm::HS256, Algorithm::ES256, Algorithm::Ed25519] {
            let (key, public) = pair(alg);
            let token = sign::<AccessToken>(&key, &claims).unwrap();
            let verified = verifier(public).verify(&token, NOW);
            prop_assert_eq!(verified.map(Verified::into_inner), Ok(claims.clone()));
        }
    }

    #[test]
    fn any_text_is_read_without_harm(text in "\\PC*") {
        let _ = Unverified::parse(&text);
    }

    #[test]
    fn any_three_parts_are_read_without_harm(parts in vec(vec(any::<u8>(), 0..60), 3)) {
        let token = parts.iter().map(b64::encode).collect::<Vec<_>>().join(".");
        let _ = Unverified::parse(&token);
    }

    #[test]
    fn any_claims_bytes_are_read_without_harm(payload in vec(any::<u8>(), 0..200), tail in "[{}\\[\\]\",:0-9a-z\\\\ ]{0,60}") {
        let forger = Forger::new(Algorithm::HS256);
        prop_assert!(forger.with_payload(payload).is_err());
        let _ = forger.with_payload(format!("{}{tail}", payload_with("x", "1").trim_end_matches('}')));
    }

    #[test]
    fn any_bytes_are_no_key_and_do_no_harm(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(Jwk::parse(&bytes).is_err());
        prop_assert!(JwkSet::parse(&bytes).is_err());
        for alg in Algorithm::all() {
            prop_assert!(SigningKey::from_pkcs8(alg, "k1", &bytes).is_err());
            prop_assert!(SigningKey::from_jwk(alg, &bytes).is_err());
        }
    }

    #[test]
    fn any_key_members_do_no_harm(kty in "RSA|EC|OKP|oct", crv in "P-256|Ed25519|X", parts in vec(vec(any::<u8>(), 0..40), 5)) {
        let [x, y, n, e, d] = [0, 1, 2, 3, 4].map(|index| b64::encode(&parts[index]));
        let jwk = format!(r#"{{"kty":"{kty}","crv":"{crv}","x":"{x}","y":"{y}","n":"{n}","e":"{e}"}}"#);
        let _ = Jwk::parse(jwk.as_bytes());
        let private = format!(r#"{{"d":"{d}","k":"{d}","p":"{d}","q":"{d}","dp":"{d}","dq":"{d}","qi":"{d}",{}"#, &jwk[1..]);
        for alg in Algorithm::all() {
            let _ = SigningKey::from_jwk(alg, private.as_bytes());
        }
    }

    #[test]
    fn base64_is_a_bijection(bytes in vec(any::<u8>(), 0..200), text in "[A-Za-z0-9_-]{0,120}") {
        prop_assert_eq!(b64::decode(b64::encode(&bytes)), Ok(bytes));
        if let Ok(bytes) = b64::decode(&text) {
            prop_assert_eq!(b64::encode(bytes), text);
        }
    }
}

// TOK-08 and the signature together: every character of a token, replaced by every other of the alphabet (and by a dot), with every
// algorithm; and every prefix.
#[test]
fn any_change_of_any_character_is_refused() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    for alg in Algorithm::all() {
        let forger = Forger::new(alg);
        let token = forger.token();
        assert!(forger.verify(&token).is_ok());
        let others = if alg.is_symmetric() { ALPHABET } else { b"Aa0_." };
        // The signatures of ML-DSA are long and all alike: every 41st character stands for the others.
        let signature = token.rfind('.').unwrap();
        let step = if token.len() - signature > 1000 { 41 } else { 1 };
        for at in (0..signature).chain((signature..token.len()).step_by(step)) {
            for other in others.iter().filter(|other| **other != token.as_bytes()[at]) {
                let mut changed = token.clone().into_bytes();
                changed[at] = *other;
                let changed = String::from_utf8(changed).unwrap();
                assert!(forger.verify(&changed).is_err(), "{alg}: {other} at {at}");
            }
            assert!(forger.verify(&token[..at]).is_err(), "{alg}: the first {at}");
            let without = format!("{}{}", &token[..at], &token[at + 1..]);
            assert!(forger.verify(&without).is_err(), "{alg}: without {at}");
        }
    }
}
